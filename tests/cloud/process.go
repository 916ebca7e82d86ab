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
	from  int64  // where the log of the check that runs begins
	cmd   *exec.Cmd
	ended chan struct{} // closed when it has ended
}

// start runs a program until the check ends or the caller ends it. env is added to the runner's own.
func (c *cloud) start(name string, env []string, file string, args ...string) (*process, error) {
	cmd := exec.Command(file, args...)
	cmd.Env = append(os.Environ(), env...)
	p, err := c.launch(name, cmd)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.processes = append(c.processes, p)
	return p, nil
}

// launch starts cmd in a process group of its own, so that the terminal's interrupt does not reach it before us.
func (c *cloud) launch(name string, cmd *exec.Cmd) (*process, error) {
	p := &process{name: name, log: filepath.Join(c.dir, name+".log"), cmd: cmd, ended: make(chan struct{})}
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

// stopProcesses ends what the check that ran has started.
func (c *cloud) stopProcesses() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, p := range c.processes {
		select {
		case <-p.ended:
		default:
			p.stop()
		}
	}
}

// mark forgets the processes of the last check; what servers log from now on belongs to the next.
func (c *cloud) mark() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.processes = nil
	for _, p := range c.running {
		if s, err := os.Stat(p.log); err == nil {
			p.from = s.Size()
		}
	}
}

// tails prints the last lines of what ran during the check that failed.
func (c *cloud) tails() {
	c.mu.Lock()
	defer c.mu.Unlock()
	shown := map[string]bool{}
	show := func(p *process) {
		if shown[p.log] {
			return
		}
		shown[p.log] = true
		for _, line := range tail(p.log, p.from, 12) {
			c.say("     %s: %s", p.name, line)
		}
	}
	for _, p := range c.processes {
		show(p)
	}
	for _, p := range c.running {
		show(p)
	}
}

// tail is the last n lines of a file, of those that begin after from.
func tail(file string, from int64, n int) []string {
	data, err := os.ReadFile(file)
	if err != nil || from >= int64(len(data)) {
		return nil
	}
	lines := strings.Split(strings.TrimSpace(string(data[from:])), "\n")
	return lines[max(0, len(lines)-n):]
}

// do runs a command to its end; its output is in the error if it fails.
func (c *cloud) do(cmd *exec.Cmd) error {
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
