package main

import (
	"context"
	"slices"
	"sync"
)

const (
	// atOnce is how many checks run side by side: much of their time they wait, for servers and for what a sweep leaves alone.
	atOnce = 3
	// installers work beside them: some builds use all cores, others wait for a mirror.
	installers = 2
)

// machine is what every check uses besides its servers.
const machine = "machine"

// lanes hand out checks in their order, but for those that would use what another has for itself, or is not installed yet.
type lanes struct {
	mu        sync.Mutex
	changed   sync.Cond // a check has ended, or something is installed
	waiting   []check
	installed map[string]bool
	users     map[string]int  // running checks, by what they use
	held      map[string]bool // what a running check has for itself
}

// inLanes installs what checks need, in their order, and runs every check once that can run, until ctx ends.
func inLanes(ctx context.Context, checks []check, install func(name string), run func(check)) {
	l := &lanes{waiting: slices.Clone(checks), installed: map[string]bool{machine: true}, users: map[string]int{}, held: map[string]bool{}}
	l.changed.L = &l.mu
	names := make(chan string)
	var running sync.WaitGroup
	running.Go(func() {
		defer close(names)
		seen := map[string]bool{}
		for _, k := range checks {
			for _, name := range k.needs {
				if !seen[name] && ctx.Err() == nil {
					seen[name] = true
					names <- name
				}
			}
		}
	})
	for range installers {
		running.Go(func() {
			for name := range names {
				install(name)
				l.change(func() { l.installed[name] = true })
			}
		})
	}
	for range atOnce {
		running.Go(func() {
			for k, ok := l.next(ctx); ok; k, ok = l.next(ctx) {
				run(k)
				l.change(func() { l.use(k, -1) })
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
		i := l.first()
		if i < 0 {
			l.changed.Wait()
			continue
		}
		k = l.waiting[i]
		l.waiting = slices.Delete(l.waiting, i, i+1)
		l.use(k, 1)
		return k, true
	}
	return check{}, false
}

// first is the place of the first check that may run now, or negative. What one before it waits to have for itself is kept
// free; but not the machine, or nothing would run meanwhile.
func (l *lanes) first() int {
	kept := map[string]bool{}
	for i, k := range l.waiting {
		uses := k.uses()
		if slices.ContainsFunc(uses, func(name string) bool { return !l.installed[name] }) {
			continue
		}
		if l.users[k.alone] == 0 && !slices.ContainsFunc(uses, func(name string) bool { return l.held[name] || kept[name] }) {
			return i
		}
		if k.alone != machine {
			kept[k.alone] = true
		}
	}
	return -1
}

func (l *lanes) change(f func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	f()
	l.changed.Broadcast()
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
