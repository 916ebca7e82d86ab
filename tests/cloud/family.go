package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"
)

// family is the processes of one lake, several a role, of which one after the other is killed and comes back.
type family struct {
	c       *cloud
	program string // of processes that are started from now on
	env     []string

	mu      sync.Mutex
	members map[string][]*member
	turn    map[string]int
}

// member is one process and what comes after it on the same port.
type member struct {
	role    string
	name    string
	program string
	port    int
	places  chan struct{} // events at once
	env     []string

	mu sync.Mutex
	p  *process
}

func (c *cloud) newFamily(ctx context.Context, env []string) (*family, error) {
	file, err := c.program(ctx, "./functions")
	if err != nil {
		return nil, err
	}
	return &family{c: c, program: file, env: env, members: map[string][]*member{}, turn: map[string]int{}}, nil
}

// start starts n processes of a role that take so many events at once each, and waits until they serve.
func (f *family) start(ctx context.Context, role string, n, atOnce int, env ...string) error {
	for range n {
		port, err := freePort()
		if err != nil {
			return err
		}
		m := &member{
			role: role, name: fmt.Sprintf("%s-%s", role, f.c.name()), program: f.program, port: port, places: make(chan struct{}, atOnce), env: env,
		}
		if err := f.launch(m); err != nil {
			return err
		}
		f.mu.Lock()
		f.members[role] = append(f.members[role], m)
		f.mu.Unlock()
	}
	for _, m := range f.members[role] {
		if err := m.p.ready(ctx, func() error { return answersHTTP(m.port) }); err != nil {
			return fmt.Errorf("%s: %w", m.name, err)
		}
	}
	return nil
}

func (f *family) launch(m *member) error {
	env := append(append([]string{fmt.Sprintf("PORT=%d", m.port)}, f.env...), m.env...)
	p, err := f.c.start(m.name, env, m.program, m.role)
	if err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.p = p
	return nil
}

// next is the process of a role whose turn it is, dead or alive; nil if there is none.
func (f *family) next(role string) *member {
	f.mu.Lock()
	defer f.mu.Unlock()
	all := f.members[role]
	if len(all) == 0 {
		return nil
	}
	f.turn[role]++
	return all[f.turn[role]%len(all)]
}

// killOn kills any process every so often until ctx ends, and starts its successor a moment later. It tells how many of
// each role it killed.
func (f *family) killOn(ctx context.Context, every time.Duration) (map[string]int, error) {
	killed := map[string]int{}
	var all []*member
	for _, of := range f.members {
		all = append(all, of...)
	}
	for wait(ctx, every) {
		m := all[rand.IntN(len(all))]
		m.p.kill()
		killed[m.role]++
		wait(ctx, rand.N(every/2))
		if err := f.launch(m); err != nil {
			return killed, err
		}
	}
	return killed, nil
}

// stop ends the processes that are meant, as an upgrade does: they get no more events and finish what they are at.
func (f *family) stop(meant func(m *member) bool) {
	var ending sync.WaitGroup
	f.mu.Lock()
	for role, all := range f.members {
		var left []*member
		for _, m := range all {
			if meant(m) {
				ending.Go(m.p.stop)
			} else {
				left = append(left, m)
			}
		}
		f.members[role] = left
	}
	f.mu.Unlock()
	ending.Wait()
}
