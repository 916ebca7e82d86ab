package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// process is a program that runs beside the checks. Its output goes to a file of the run's folder.
type process struct {
	name  string
	log   string // file
	cmd   *exec.Cmd
	ended chan struct{} // closed when it has ended
}

// launch starts cmd in a process group of its own, so that the terminal's interrupt does not reach it before us.
func launch(name, log string, cmd *exec.Cmd) (*process, error) {
	p := &process{name: name, log: log, cmd: cmd, ended: make(chan struct{})}
	out, err := os.OpenFile(p.log, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	defer func() { _ = out.Close() }()
	cmd.Stdout, cmd.Stderr = out, out
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Setpgid = true
	dieWithUs(cmd.SysProcAttr)
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		_ = cmd.Wait() // how it ended is in its log
		close(p.ended)
	}()
	return p, nil
}

// ready waits until answers returns nil; it fails when the process ends, and after a minute.
func (p *process) ready(ctx context.Context, answers func() error) error {
	ctx, stop := context.WithTimeout(ctx, time.Minute)
	defer stop()
	for {
		err := answers()
		if err == nil {
			return nil
		}
		select {
		case <-p.ended:
			return fmt.Errorf("it ended: %s", p.cmd.ProcessState)
		case <-ctx.Done():
			return errors.Join(ctx.Err(), err)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// stop asks the process to end, and makes it end after ten seconds.
func (p *process) stop() {
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.ended:
	case <-time.After(10 * time.Second):
		p.kill()
	}
}

// kill ends the process at once, as a power cut does, and waits until it has.
func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	<-p.ended
}

// tail is the last n lines of a file, of those that begin after since.
func tail(file string, since int64, n int) []string {
	data, err := os.ReadFile(file)
	if err != nil || since >= int64(len(data)) {
		return nil
	}
	lines := strings.Split(strings.TrimSpace(string(data[since:])), "\n")
	return lines[max(0, len(lines)-n):]
}

// do runs a command to its end; its output is in the error if it fails.
func (*site) do(cmd *exec.Cmd) error {
	var out bytes.Buffer
	if cmd.Stdout == nil {
		cmd.Stdout = &out
	}
	cmd.Stderr = &out
	if err := cmd.Run(); err != nil {
		lines := strings.Split(strings.TrimSpace(out.String()), "\n")
		return fmt.Errorf("%s: %w: %s", filepath.Base(cmd.Path), err, strings.Join(lines[max(0, len(lines)-15):], "\n\t"))
	}
	return nil
}

// medlake runs a command of the program for one machine, over the lake that env tells of, and returns what it printed.
func (s *site) medlake(ctx context.Context, env []string, args ...string) (string, error) {
	program, err := s.program(ctx, "./local")
	if err != nil {
		return "", err
	}
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Env = append(os.Environ(), env...)
	var out bytes.Buffer
	cmd.Stdout = &out
	err = s.do(cmd)
	return out.String(), err
}
