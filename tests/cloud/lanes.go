package main

import (
	"context"
	"slices"
	"sync"
)

// atOnce is how many checks run side by side: much of their time they wait, for servers and for what a sweep leaves alone.
const atOnce = 2

// machine is what every check uses besides its servers.
const machine = "machine"

// lanes hand out checks in their order, but for those that would use what another has for itself.
type lanes struct {
	mu      sync.Mutex
	ended   sync.Cond // a check has
	waiting []check
	users   map[string]int  // running checks, by what they use
	held    map[string]bool // what a running check has for itself
}

// inLanes runs every check once, until ctx ends.
func inLanes(ctx context.Context, checks []check, run func(check)) {
	l := &lanes{waiting: slices.Clone(checks), users: map[string]int{}, held: map[string]bool{}}
	l.ended.L = &l.mu
	var running sync.WaitGroup
	for range atOnce {
		running.Go(func() {
			for k, ok := l.next(ctx); ok; k, ok = l.next(ctx) {
				run(k)
				l.done(k)
			}
		})
	}
	running.Wait()
}

// next waits for a check that may run now. It is not ok if there is none left.
func (l *lanes) next(ctx context.Context) (k check, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for len(l.waiting) > 0 && ctx.Err() == nil {
		i := slices.IndexFunc(l.waiting, l.free)
		if i < 0 {
			l.ended.Wait()
			continue
		}
		k = l.waiting[i]
		l.waiting = slices.Delete(l.waiting, i, i+1)
		l.use(k, 1)
		return k, true
	}
	return check{}, false
}

func (l *lanes) free(k check) bool {
	return !slices.ContainsFunc(k.uses(), func(name string) bool { return l.held[name] }) && l.users[k.alone] == 0
}

func (l *lanes) done(k check) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.use(k, -1)
	l.ended.Broadcast()
}

func (l *lanes) use(k check, n int) {
	for _, name := range k.uses() {
		l.users[name] += n
	}
	if k.alone != "" {
		l.held[k.alone] = n > 0
	}
}

func (k check) uses() []string { return append(slices.Clone(k.needs), machine) }
