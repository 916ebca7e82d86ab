package main

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

// cluster is a control plane without nodes.
type cluster struct {
	url, certificate string
	token, deployer  string // of two users who may do everything
	dir              string // of this run
	client           *http.Client
	processes        []*exec.Cmd
}

// up starts etcd and the API server with their files and logs in dir.
func up(ctx context.Context, cache, dir string) (*cluster, error) {
	ports, err := free(ctx, 3)
	if err != nil {
		return nil, err
	}
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, err
	}
	keyFile, tokens, certs := filepath.Join(dir, "sa.key"), filepath.Join(dir, "tokens.csv"), filepath.Join(dir, "certs")
	c := &cluster{
		url: fmt.Sprintf("https://127.0.0.1:%d", ports[2]), certificate: filepath.Join(certs, "apiserver.crt"),
		token: rand.Text(), deployer: rand.Text(), dir: dir,
	}
	for name, data := range map[string][]byte{
		keyFile: pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}),
		tokens:  fmt.Appendf(nil, "%s,admin,1,\"system:masters\"\n%s,deployer,2,\"system:masters\"\n", c.token, c.deployer),
	} {
		if err := os.WriteFile(name, data, 0o600); err != nil {
			return nil, err
		}
	}
	client, peer := fmt.Sprintf("http://127.0.0.1:%d", ports[0]), fmt.Sprintf("http://127.0.0.1:%d", ports[1])
	err = errors.Join(
		c.start(dir, etcd.path(cache), "--data-dir="+filepath.Join(dir, "etcd"), "--listen-client-urls="+client, "--advertise-client-urls="+client,
			"--listen-peer-urls="+peer, "--initial-advertise-peer-urls="+peer, "--initial-cluster=default="+peer, "--unsafe-no-fsync"),
		c.start(dir, apiserver.path(cache), "--etcd-servers="+client, "--bind-address=127.0.0.1", fmt.Sprintf("--secure-port=%d", ports[2]),
			"--cert-dir="+certs, "--service-cluster-ip-range=10.96.0.0/16", "--service-account-key-file="+keyFile,
			"--service-account-signing-key-file="+keyFile, "--service-account-issuer=https://kubernetes.default.svc", "--authorization-mode=RBAC",
			"--token-auth-file="+tokens, "--disable-admission-plugins=ServiceAccount", "--endpoint-reconciler-type=none"),
	)
	if err == nil {
		err = c.ready(ctx)
	}
	if err != nil {
		log, _ := os.ReadFile(filepath.Join(dir, filepath.Base(apiserver.path(cache))+".log"))
		return nil, errors.Join(err, c.down(), fmt.Errorf("%s", log[max(0, len(log)-2000):]))
	}
	return c, nil
}

func (c *cluster) start(dir, path string, args ...string) error {
	log, err := os.Create(filepath.Join(dir, filepath.Base(path)+".log"))
	if err != nil {
		return err
	}
	defer log.Close() // the process has its own
	cmd := exec.Command(path, args...)
	cmd.Stdout, cmd.Stderr, cmd.Dir = log, log, dir
	if err := cmd.Start(); err != nil {
		return err
	}
	c.processes = append(c.processes, cmd)
	return nil
}

// ready waits until the API server says so. It is trusted by the certificate that it made for itself.
func (c *cluster) ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	var last error
	for {
		if err := pause(ctx, 100*time.Millisecond); err != nil {
			return fmt.Errorf("the API server does not get ready: %w", last)
		}
		data, err := os.ReadFile(c.certificate)
		pool := x509.NewCertPool()
		if err != nil || !pool.AppendCertsFromPEM(data) {
			continue
		}
		c.client = &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}}
		if last = c.do(ctx, http.MethodGet, "/readyz", "", nil); last == nil {
			return nil
		}
	}
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// down stops the API server first, which cannot end without etcd.
func (c *cluster) down() error {
	var errs []error
	for i := len(c.processes) - 1; i >= 0; i-- {
		p := c.processes[i]
		errs = append(errs, p.Process.Signal(syscall.SIGTERM))
		kill := time.AfterFunc(20*time.Second, func() { _ = p.Process.Kill() })
		_ = p.Wait() // by our signal
		kill.Stop()
	}
	return errors.Join(errs...)
}

// free finds ports on loopback that nobody uses.
func free(ctx context.Context, n int) (ports []int, err error) {
	for range n {
		ln, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		defer ln.Close()
		ports = append(ports, ln.Addr().(*net.TCPAddr).Port)
	}
	return ports, nil
}
