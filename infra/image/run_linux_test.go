package main

import (
	"bytes"
	"context"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// TestImageServes unpacks the image of the real functions and runs it as a cluster does: nothing but its files, its user,
// a /tmp. The requests are those of probes, of Knative and of OpenFaaS without its watchdog.
func TestImageServes(t *testing.T) {
	if testing.Short() || os.Getuid() != 0 {
		t.Skip("builds the functions; root may change its root")
	}
	t.Parallel()
	root := t.TempDir()
	s := source{root: "../..", pkg: "./functions", metadata: "../../metadata"}
	image := buildFor(t, s, runtime.GOARCH)
	unpack(t, image, root)

	address := start(t, root, "ingest", "MEDLAKE_BUCKET=file:///tmp/bucket", "MEDLAKE_SECRETS=file:///tmp/secrets")
	for path, header := range map[string]string{"/healthz": "", "/readyz": "", "/_/health": "", "/_/ready": "", "/": "kube-probe/1.36"} {
		r := must[*http.Request](t)(http.NewRequestWithContext(t.Context(), http.MethodGet, address+path, http.NoBody))
		if header != "" {
			r.Header.Set("User-Agent", header)
		}
		if code, _ := do(t, r); code != http.StatusOK {
			t.Errorf("GET %s: %d", path, code)
		}
	}
	for name, tt := range map[string]struct {
		body   string
		header map[string]string
		want   int
	}{
		"webhook of a store": {`{"EventName":"s3:ObjectCreated:Put","Key":"other/a.zip","Records":[{"eventName":"s3:ObjectCreated:Put","s3":{"bucket":{"name":"other"},"object":{"key":"a.zip"}}}]}`, map[string]string{"Content-Type": "application/json"}, http.StatusAccepted},
		"event":              {`{"bucket":"lake","key":"nowhere/a.zip"}`, map[string]string{"Content-Type": "application/json", "Ce-Id": "1", "Ce-Source": "medlake", "Ce-Type": "dev.medlake.arrival.v1", "Ce-Specversion": "1.0"}, http.StatusUnprocessableEntity},
		"through OpenFaaS":   {`{"bucket":"lake","key":"nowhere/a.zip"}`, map[string]string{"Content-Type": "application/json", "Ce-Id": "1", "Ce-Source": "medlake", "Ce-Type": "dev.medlake.arrival.v1", "Ce-Specversion": "1.0", "X-Call-Id": "0", "X-Start-Time": "1"}, http.StatusUnprocessableEntity},
		"not understood":     {`hello`, map[string]string{"Content-Type": "text/csv"}, http.StatusUnprocessableEntity},
	} {
		r := must[*http.Request](t)(http.NewRequestWithContext(t.Context(), http.MethodPost, address+"/", strings.NewReader(tt.body)))
		for k, v := range tt.header {
			r.Header.Set(k, v)
		}
		if code, body := do(t, r); code != tt.want {
			t.Errorf("%s: got %d %s, want %d", name, code, body, tt.want)
		}
	}
}

// buildFor builds one architecture only.
func buildFor(t *testing.T, s source, arch string) v1.Image {
	t.Helper()
	b := must[built](t)(build(t.Context(), s, t.TempDir(), arch))
	return b.parts[0].image
}

func unpack(t *testing.T, image v1.Image, root string) {
	t.Helper()
	for name, f := range contents(t, image) {
		path := filepath.Join(root, name)
		if strings.HasSuffix(name, "/") {
			if err := os.MkdirAll(path, 0o755); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, f.data, fs.FileMode(f.mode)); err != nil {
			t.Fatal(err)
		}
	}
	for _, dir := range []string{"tmp", "tmp/bucket", "tmp/secrets"} {
		if err := os.MkdirAll(filepath.Join(root, dir), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Chown(filepath.Join(root, dir), 65532, 65532); err != nil {
			t.Fatal(err)
		}
	}
}

// start runs a role in root until the test ends, waits until it answers, and returns its URL.
func start(t *testing.T, root, role string, env ...string) string {
	t.Helper()
	ln := must[net.Listener](t)((&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0"))
	_, port, err := net.SplitHostPort(ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	if err := ln.Close(); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	var logs bytes.Buffer
	cmd := exec.CommandContext(ctx, "/functions", role)
	cmd.Dir, cmd.Env, cmd.Stderr = "/", append(env, "PORT="+port, "MEDLAKE_METADATA=/metadata"), &logs
	cmd.SysProcAttr = &syscall.SysProcAttr{Chroot: root, Credential: &syscall.Credential{Uid: 65532, Gid: 65532}}
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil && cmd.ProcessState.ExitCode() != 0 {
			t.Errorf("%s: %v: %s", role, err, &logs)
		}
	})
	address := "http://127.0.0.1:" + port
	for {
		r := must[*http.Request](t)(http.NewRequestWithContext(t.Context(), http.MethodGet, address+"/healthz", http.NoBody))
		if resp, err := http.DefaultClient.Do(r); err == nil {
			if err := resp.Body.Close(); err != nil {
				t.Fatal(err)
			}
			return address
		}
		select {
		case err := <-ended:
			ended <- err
			t.Fatalf("%s: %v: %s", role, err, &logs)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func do(t *testing.T, r *http.Request) (int, string) {
	t.Helper()
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	return resp.StatusCode, string(must[[]byte](t)(io.ReadAll(resp.Body)))
}
