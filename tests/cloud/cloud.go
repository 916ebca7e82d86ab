package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"time"
)

// cloud is what checks run in: a folder for the run, servers that are started when first needed and serve until the end,
// and processes that end with the check that started them. Its methods are safe for concurrent use.
type cloud struct {
	out   io.Writer
	dir   string // of this run, removed at its end
	cache string // what was installed, kept from run to run
	specs map[string]spec

	mu        sync.Mutex
	running   map[string]*process // servers
	ports     map[string]int
	processes []*process // of the check that runs
	built     map[string]string
	buckets   int
}

func newCloud(out io.Writer, specs map[string]spec) (*cloud, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return nil, err
	}
	cache = filepath.Join(cache, "medlake-cloud")
	if err := os.MkdirAll(filepath.Join(cache, "bin"), 0o755); err != nil {
		return nil, err
	}
	for name, value := range accounts {
		if err := os.Setenv(name, value); err != nil {
			return nil, err
		}
	}
	dir, err := os.MkdirTemp("", "medlake-cloud-")
	if err != nil {
		return nil, err
	}
	if err := os.Chmod(dir, 0o711); err != nil { // PostgreSQL runs as another user
		return nil, err
	}
	return &cloud{
		out: out, dir: dir, cache: cache, specs: specs,
		running: map[string]*process{}, ports: map[string]int{}, built: map[string]string{},
	}, nil
}

// close stops all that runs.
func (c *cloud) close(keep bool) {
	c.stopProcesses()
	for _, p := range c.running {
		p.stop()
	}
	if keep {
		c.say("logs are in %s", c.dir)
		return
	}
	_ = os.RemoveAll(c.dir)
}

// need installs a server if it must, and starts it if it does not run.
func (c *cloud) need(ctx context.Context, name string) error {
	if c.running[name] != nil {
		return nil
	}
	s, ok := c.specs[name]
	if !ok {
		return fmt.Errorf("there is no server %s", name)
	}
	start := time.Now()
	if err := c.locked(func() error { return s.install(ctx, c) }); err != nil {
		return fmt.Errorf("install %s: %w", name, err)
	}
	if took := time.Since(start); took > 5*time.Second {
		c.say("     installed %-34s %6.1fs", name, took.Seconds())
	}
	if s.command == nil { // a tool
		return nil
	}
	port, err := freePort()
	if err != nil {
		return err
	}
	c.ports[name] = port
	return c.startServer(ctx, name)
}

func (c *cloud) startServer(ctx context.Context, name string) error {
	s, dir := c.specs[name], filepath.Join(c.dir, name)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	cmd, err := s.command(ctx, c, dir, c.ports[name])
	if err != nil {
		return fmt.Errorf("start %s: %w", name, err)
	}
	p, err := c.launch(name, cmd)
	if err != nil {
		return fmt.Errorf("start %s: %w", name, err)
	}
	c.mu.Lock()
	c.running[name] = p
	c.mu.Unlock()
	if err := p.ready(ctx, func() error { return s.answers(c.ports[name]) }); err != nil {
		p.stop()
		delete(c.running, name)
		c.processes = append(c.processes, p) // so that the end of its log is shown
		return fmt.Errorf("start %s: %w", name, err)
	}
	return nil
}

// restart ends a server at once, as a crash does, and starts it again on the same port with the same data.
func (c *cloud) restart(ctx context.Context, name string) error {
	if err := c.crash(name); err != nil {
		return err
	}
	return c.startServer(ctx, name)
}

// crash ends a server at once, until startServer starts it again.
func (c *cloud) crash(name string) error {
	p := c.running[name]
	if p == nil {
		return fmt.Errorf("%s does not run", name)
	}
	if err := p.cmd.Process.Signal(syscall.SIGQUIT); err != nil { // not SIGKILL: PostgreSQL's children would stay behind
		return err
	}
	<-p.ended
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.running, name)
	return nil
}

// url is where a server that a check needs listens: http://127.0.0.1:1234.
func (c *cloud) url(name string) string { return fmt.Sprintf("http://127.0.0.1:%d", c.ports[name]) }

// freePort is a port of loopback that nobody listens on now.
func freePort() (int, error) {
	ln, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	a, ok := ln.Addr().(*net.TCPAddr)
	if !ok {
		return 0, errors.Join(errors.New("not a TCP address"), ln.Close())
	}
	return a.Port, ln.Close()
}

// program builds a command of this module, "./functions" or "./local", once a run.
func (c *cloud) program(ctx context.Context, pkg string) (file string, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if file := c.built[pkg]; file != "" {
		return file, nil
	}
	file = filepath.Join(c.dir, "program-"+filepath.Base(pkg))
	cmd := exec.CommandContext(ctx, "go", "build", "-o", file, "medlake/"+filepath.ToSlash(filepath.Clean(pkg)))
	if err := c.do(cmd); err != nil {
		return "", err
	}
	c.built[pkg] = file
	return file, nil
}
