package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"sync"
)

// cloud is what one check runs in: the site with its servers, processes that end with the check, and what it says. Its
// methods are safe for concurrent use.
type cloud struct {
	*site
	needs []string
	since map[string]int64 // size of the servers' logs when the check began

	mu        sync.Mutex
	said      bytes.Buffer
	processes []*process
}

func (s *site) cloud(needs []string) *cloud {
	c := &cloud{site: s, needs: needs, since: map[string]int64{}}
	for _, name := range needs {
		if v := s.servers[name]; v != nil {
			if f, err := os.Stat(v.log); err == nil {
				c.since[name] = f.Size()
			}
		}
	}
	return c
}

// say adds a line to what is printed when the check has ended.
func (c *cloud) say(format string, args ...any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	fmt.Fprintf(&c.said, format+"\n", args...)
}

// start runs a program until the check ends or the caller ends it. env is added to the runner's own.
func (c *cloud) start(name string, env []string, file string, args ...string) (*process, error) {
	cmd := exec.Command(file, args...)
	cmd.Env = append(os.Environ(), env...)
	p, err := launch(name, c.logOf(name), cmd)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.processes = append(c.processes, p)
	return p, nil
}

// stop ends what the check has started.
func (c *cloud) stop() {
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

// tails says the last lines of what ran during a check that failed.
func (c *cloud) tails() {
	shown := map[string]bool{}
	show := func(name, log string, since int64) {
		if shown[log] {
			return
		}
		shown[log] = true
		for _, line := range tail(log, since, 12) {
			c.say("     %s: %s", name, line)
		}
	}
	for _, p := range c.processes {
		show(p.name, p.log, 0)
	}
	for _, name := range c.needs {
		if v := c.servers[name]; v != nil {
			show(name, v.log, c.since[name])
		}
	}
}
