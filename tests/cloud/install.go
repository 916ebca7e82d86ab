package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
)

// locked runs f while no other run installs the same.
func (s *site) locked(name string, f func() error) (err error) {
	lock, err := os.OpenFile(filepath.Join(s.cache, name+".lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, lock.Close()) }()
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		return err
	}
	return f()
}

// goInstall builds a program once. It appears under its name only when it is whole.
func goInstall(module string) func(context.Context, *site) error {
	return func(ctx context.Context, s *site) error {
		file := s.bin(module)
		if exists(file) {
			return nil
		}
		dir, err := os.MkdirTemp(s.cache, "build-")
		if err != nil {
			return err
		}
		defer func() { _ = os.RemoveAll(dir) }()
		cmd := exec.CommandContext(ctx, "go", "install", module)
		cmd.Env = append(os.Environ(), "GOBIN="+dir)
		if err := s.do(cmd); err != nil {
			return err
		}
		name, _, _ := strings.Cut(filepath.Base(file), "@")
		return os.Rename(filepath.Join(dir, name), file)
	}
}

// folder makes a folder of the cache by means of build, which may leave half of it behind only if it fails.
func folder(name string, build func(ctx context.Context, s *site, dir string) error) func(context.Context, *site) error {
	return func(ctx context.Context, s *site) error {
		dir := filepath.Join(s.cache, name)
		whole := filepath.Join(dir, "whole")
		if exists(whole) {
			return nil
		}
		if err := os.RemoveAll(dir); err != nil {
			return err
		}
		if err := os.Mkdir(dir, 0o755); err != nil {
			return err
		}
		if err := build(ctx, s, dir); err != nil {
			return err
		}
		return os.WriteFile(whole, nil, 0o644)
	}
}

func npmInstall(pkg string) func(context.Context, *site) error {
	return folder(pkg, func(ctx context.Context, s *site, dir string) error {
		return s.do(exec.CommandContext(ctx, "npm", "install", "--prefix", dir, "--no-audit", "--no-fund", "--ignore-scripts", pkg))
	})
}

func pipInstall(name, pkgs string) func(context.Context, *site) error {
	return folder(name, func(ctx context.Context, s *site, dir string) error {
		if err := s.do(exec.CommandContext(ctx, "python3", "-m", "venv", dir)); err != nil {
			return err
		}
		args := append([]string{"install", "--quiet", "--disable-pip-version-check"}, strings.Fields(pkgs)...)
		return s.do(exec.CommandContext(ctx, filepath.Join(dir, "bin/pip"), args...))
	})
}

// aptInstall takes a Debian package, unless its program is there. Nothing of it is started.
func aptInstall(program, pkg string) func(context.Context, *site) error {
	return func(ctx context.Context, s *site) error {
		if _, err := s.tool(program); err == nil {
			return nil
		}
		dir := filepath.Join(s.cache, "apt-"+pkg)
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
		cmd := exec.CommandContext(ctx, "sh", "-c", "apt-get download "+pkg+" && dpkg -x "+pkg+"_*.deb . && rm "+pkg+"_*.deb")
		cmd.Dir = dir
		if err := s.do(cmd); err != nil {
			return err
		}
		_, err := s.tool(program)
		return err
	}
}

// tool finds a program of the machine, or one that apt brought.
func (s *site) tool(program string) (string, error) {
	if file, err := exec.LookPath(program); err == nil {
		return file, nil
	}
	for _, pattern := range []string{"/usr/lib/postgresql/*/bin", filepath.Join(s.cache, "apt-*/usr/bin"), filepath.Join(s.cache, "apt-*/usr/lib/postgresql/*/bin")} {
		found, err := filepath.Glob(filepath.Join(pattern, program))
		if err == nil && len(found) > 0 {
			return found[len(found)-1], nil
		}
	}
	return "", fmt.Errorf("there is no %s on this machine", program)
}

func exists(file string) bool {
	_, err := os.Stat(file)
	return err == nil
}
