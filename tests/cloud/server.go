package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"
)

// spec says how a server is installed and run. Install comes back at once when that was done before.
type spec struct {
	install func(ctx context.Context, s *site) error
	// command is the server in the foreground, with its data in dir; nil for a tool that is only installed.
	command func(ctx context.Context, s *site, dir string, port int) (*exec.Cmd, error)
	answers func(port int) error // nil when it serves
}

// server is a spec that may run.
type server struct {
	spec
	name, log string

	installing sync.Once
	failed     error // to be installed

	mu      sync.Mutex
	port    int // from its first start
	process *process
}

// install installs a server if it must, once a run.
func (s *site) install(ctx context.Context, name string) error {
	v := s.servers[name]
	if v == nil {
		return fmt.Errorf("there is no server %s", name)
	}
	v.installing.Do(func() {
		start := time.Now()
		if err := s.locked(name, func() error { return v.spec.install(ctx, s) }); err != nil {
			v.failed = fmt.Errorf("install %s: %w", name, err)
		}
		if took := time.Since(start); took > 5*time.Second {
			s.say("     installed %-34s %6.1fs", name, took.Seconds())
		}
	})
	return v.failed
}

// need installs a server if it must, and starts it if it does not run.
func (s *site) need(ctx context.Context, name string) error {
	if err := s.install(ctx, name); err != nil {
		return err
	}
	v := s.servers[name]
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.process != nil || v.command == nil { // it runs, or is a tool
		return nil
	}
	var err error
	if v.port, err = freePort(); err != nil {
		return err
	}
	return s.run(ctx, v)
}

func (s *site) run(ctx context.Context, v *server) error {
	dir := filepath.Join(s.dir, v.name)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	cmd, err := v.command(ctx, s, dir, v.port)
	if err != nil {
		return fmt.Errorf("start %s: %w", v.name, err)
	}
	p, err := launch(v.name, v.log, cmd)
	if err != nil {
		return fmt.Errorf("start %s: %w", v.name, err)
	}
	if err := p.ready(ctx, func() error { return v.answers(v.port) }); err != nil {
		p.stop()
		return fmt.Errorf("start %s: %w\n\t%s", v.name, err, strings.Join(tail(v.log, 0, 12), "\n\t"))
	}
	v.process = p
	return nil
}

// crash ends a server at once, until restart. No other check may need it: see check.alone.
func (s *site) crash(name string) error {
	v := s.servers[name]
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.process == nil {
		return fmt.Errorf("%s does not run", name)
	}
	if err := v.process.cmd.Process.Signal(syscall.SIGQUIT); err != nil { // not SIGKILL: PostgreSQL's children would stay behind
		return err
	}
	<-v.process.ended
	v.process = nil
	return nil
}

// restart starts a server that crashed on the same port with the same data.
func (s *site) restart(ctx context.Context, name string) error {
	v := s.servers[name]
	v.mu.Lock()
	defer v.mu.Unlock()
	return s.run(ctx, v)
}
