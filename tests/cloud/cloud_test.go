package main

import (
	"bytes"
	"context"
	"errors"
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

func nothing(context.Context, *cloud) error { return nil }

// fakes are servers that are programs of any machine.
var fakes = map[string]spec{
	"none":   {install: func(context.Context, *cloud) error { return errors.New("the mirror is down") }},
	"dies":   {install: nothing, command: shell("echo out of memory; exit 3"), answers: func(int) error { return errors.New("refused") }},
	"serves": {install: nothing, command: shell("echo listening; sleep 600"), answers: func(int) error { return nil }},
}

func shell(script string) func(context.Context, *cloud, string, int) (*exec.Cmd, error) {
	return func(context.Context, *cloud, string, int) (*exec.Cmd, error) {
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
		want   string
	}{
		{"all hold", []check{{"a", []string{"serves"}, nothing}, {"b", []string{"serves"}, nothing}}, 0, "all 2 checks hold"},
		{"one fails", []check{{"a", nil, fails}, {"b", nil, nothing}}, 1, "FAIL a: 3 rows, want 4\nok   b"},
		{"a server cannot be installed", []check{{"a", []string{"none"}, nothing}}, 1, "FAIL a: install none: the mirror is down"},
		{"a server ends", []check{{"a", []string{"dies"}, nothing}}, 1, "dies: out of memory"},
		{"a server is not known", []check{{"a", []string{"oracle"}, nothing}}, 1, "FAIL a: there is no server oracle"},
		{"a failure shows what servers said", []check{{"a", []string{"serves"}, func(ctx context.Context, c *cloud) error {
			_, err := c.start("worker", nil, "sh", "-c", "echo worked; exit 1")
			p := c.processes[0]
			<-p.ended
			return errors.Join(err, errors.New("no rows"))
		}}}, 1, "worker: worked"},
		{"no check", nil, 1, "no check"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var out bytes.Buffer
			c, err := newCloud(&out, fakes)
			if err != nil {
				t.Fatal(err)
			}
			code := c.all(t.Context(), tt.checks)
			running := c.running
			c.close(false)
			if code != tt.code || !strings.Contains(out.String(), tt.want) {
				t.Errorf("exit %d, want %d with %q:\n%s", code, tt.code, tt.want, &out)
			}
			for name, p := range running {
				select {
				case <-p.ended:
				default:
					t.Errorf("%s still runs", name)
				}
			}
		})
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
