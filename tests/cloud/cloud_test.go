package main

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

func nothing(context.Context, *cloud) error { return nil }

func there(context.Context, *site) error { return nil }

// fakes are servers that are programs of any machine.
var fakes = map[string]spec{
	"none":   {install: func(context.Context, *site) error { return errors.New("the mirror is down") }},
	"dies":   {install: there, command: shell("echo out of memory; exit 3"), answers: func(int) error { return errors.New("refused") }},
	"serves": {install: there, command: shell("echo listening; sleep 600"), answers: func(int) error { return nil }},
}

func shell(script string) func(context.Context, *site, string, int) (*exec.Cmd, error) {
	return func(context.Context, *site, string, int) (*exec.Cmd, error) {
		return exec.Command("sh", "-c", script), nil
	}
}

func TestExitCode(t *testing.T) {
	t.Parallel()
	fails := func(context.Context, *cloud) error { return errors.New("3 rows, want 4") }
	for _, tt := range []struct {
		name   string
		checks []check
		code   int
		want   []string // of what is said
	}{
		{"all hold", []check{{name: "a", needs: []string{"serves"}, run: nothing}, {name: "b", needs: []string{"serves"}, run: nothing}}, 0, []string{"ok   a", "ok   b", "all 2 checks hold"}},
		{"one fails", []check{{name: "a", needs: nil, run: fails}, {name: "b", needs: nil, run: nothing}}, 1, []string{"FAIL a: 3 rows, want 4\n", "ok   b", "1 of 2 checks FAILED"}},
		{"a server cannot be installed", []check{{name: "a", needs: []string{"none"}, run: nothing}}, 1, []string{"FAIL a: install none: the mirror is down"}},
		{"a server ends", []check{{name: "a", needs: []string{"dies"}, run: nothing}}, 1, []string{"FAIL a: start dies: it ended: exit status 3\n\tout of memory"}},
		{"a server is not known", []check{{name: "a", needs: []string{"oracle"}, run: nothing}}, 1, []string{"FAIL a: there is no server oracle"}},
		{"a failure shows what servers said", []check{{name: "a", needs: []string{"serves"}, run: func(ctx context.Context, c *cloud) error {
			_, err := c.start("worker", nil, "sh", "-c", "echo worked; exit 1")
			p := c.processes[0]
			<-p.ended
			return errors.Join(err, errors.New("no rows"))
		}}}, 1, []string{"worker: worked"}},
		{"no check", nil, 1, []string{"no check"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var out bytes.Buffer
			s, err := newSite(&out, fakes)
			if err != nil {
				t.Fatal(err)
			}
			code := s.all(t.Context(), tt.checks)
			s.close(false)
			silent := func(want string) bool { return !strings.Contains(out.String(), want) }
			if code != tt.code || slices.ContainsFunc(tt.want, silent) {
				t.Errorf("exit %d, want %d with %q:\n%s", code, tt.code, tt.want, &out)
			}
			for name, v := range s.servers {
				if v.process == nil {
					continue
				}
				select {
				case <-v.process.ended:
				default:
					t.Errorf("%s still runs", name)
				}
			}
		})
	}
}

// TestLanes: every check runs once, when what it needs is installed, three at a time unless one of them is to be alone.
func TestLanes(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	for range 50 {
		var checks []check
		for n := range 12 {
			k := check{name: strconv.Itoa(n), needs: []string{"a", "b", "c"}[random.IntN(3):]}
			k.alone = []string{"", "", "c", machine}[random.IntN(4)]
			checks = append(checks, k)
		}
		var mu sync.Mutex
		running, ran, most := map[string]check{}, 0, 0
		installed := map[string]bool{}
		inLanes(t.Context(), checks, func(name string) {
			time.Sleep(time.Millisecond)
			mu.Lock()
			defer mu.Unlock()
			if installed[name] {
				t.Errorf("%s is installed twice", name)
			}
			installed[name] = true
		}, func(k check) {
			mu.Lock()
			for _, name := range k.needs {
				if !installed[name] {
					t.Errorf("%+v runs without %s", k, name)
				}
			}
			for _, other := range running {
				if slices.Contains(other.uses(), k.alone) || slices.Contains(k.uses(), other.alone) {
					t.Errorf("%+v runs beside %+v", k, other)
				}
			}
			running[k.name] = k
			ran, most = ran+1, max(most, len(running))
			mu.Unlock()
			time.Sleep(time.Millisecond)
			mu.Lock()
			defer mu.Unlock()
			delete(running, k.name)
		})
		if ran != len(checks) || most > atOnce {
			t.Errorf("%d of %d checks ran, %d at once", ran, len(checks), most)
		}
	}
	var both sync.WaitGroup
	both.Add(2)
	inLanes(t.Context(), []check{{name: "a"}, {name: "b"}}, nil, func(check) { both.Done(); both.Wait() })
}

// TestLanesKeepFree: what a check waits to have for itself is not given to those after it, but what they use else is.
func TestLanesKeepFree(t *testing.T) {
	t.Parallel()
	needs := []string{"c"}
	besideRan := make(chan struct{})
	var mu sync.Mutex
	var order []string
	inLanes(t.Context(), []check{{name: "long", needs: needs}, {name: "alone", needs: needs, alone: "c"}, {name: "after", needs: needs}, {name: "beside"}},
		func(string) {}, func(k check) {
			switch k.name {
			case "long":
				<-besideRan
			case "beside":
				close(besideRan)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			order = append(order, k.name)
		})
	if !slices.Equal(order, []string{"long", "alone", "after"}) {
		t.Errorf("ran %q", order)
	}
}

func TestChecksAreDistinctAndNeedKnownServers(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, k := range checks {
		if seen[k.name] || k.run == nil {
			t.Errorf("check %q is there twice or does nothing", k.name)
		}
		seen[k.name] = true
		for _, s := range k.needs {
			if _, ok := servers[s]; !ok {
				t.Errorf("check %q needs %s, which is not known", k.name, s)
			}
		}
	}
	if n := len(choose(checks, regexp.MustCompile("^many: "))); n != len(manyChecks) {
		t.Errorf("-run chooses %d checks, want %d", n, len(manyChecks))
	}
}
