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
)

// site is where checks run: a folder for the run, and servers that are started when first needed and serve until the end.
// Its methods are safe for concurrent use.
type site struct {
	dir     string // of this run, removed at its end
	cache   string // what was installed, kept from run to run
	servers map[string]*server

	mu    sync.Mutex
	out   io.Writer
	built map[string]string
	names int
}

func newSite(out io.Writer, specs map[string]spec) (*site, error) {
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
	s := &site{dir: dir, cache: cache, servers: map[string]*server{}, out: out, built: map[string]string{}}
	for name, spec := range specs {
		s.servers[name] = &server{spec: spec, name: name, log: s.logOf(name)}
	}
	return s, nil
}

func (s *site) logOf(program string) string { return filepath.Join(s.dir, program+".log") }

// close stops all servers.
func (s *site) close(keep bool) {
	for _, v := range s.servers {
		if v.process != nil {
			v.process.stop()
		}
	}
	if keep {
		s.say("logs are in %s", s.dir)
		return
	}
	_ = os.RemoveAll(s.dir)
}

// say prints one line.
func (s *site) say(format string, args ...any) { s.print(fmt.Appendf(nil, format+"\n", args...)) }

// print prints lines that belong together.
func (s *site) print(lines []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, _ = s.out.Write(lines)
}

// url is where a server that a check needs listens: http://127.0.0.1:1234.
func (s *site) url(name string) string { return "http://" + address(s.servers[name].port) }

// name is a name that nothing else in this run has.
func (s *site) name() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.names++
	return fmt.Sprintf("lake-%d", s.names)
}

// program builds a command of this module, "./functions" or "./local", once a run.
func (s *site) program(ctx context.Context, pkg string) (file string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if file := s.built[pkg]; file != "" {
		return file, nil
	}
	file = filepath.Join(s.dir, "program-"+filepath.Base(pkg))
	cmd := exec.CommandContext(ctx, "go", "build", "-o", file, "medlake/"+filepath.ToSlash(filepath.Clean(pkg)))
	if err := s.do(cmd); err != nil {
		return "", err
	}
	s.built[pkg] = file
	return file, nil
}

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
