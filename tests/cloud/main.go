// Command cloud checks what the lake promises away from one machine's disk: on object stores, catalogs and mock clouds
// that it installs by exact version and starts on loopback, and with many processes at once. It prints a line a check and
// ends with exit code 0 only if all of them hold. It needs Go, Node, Python, Java with Maven and, unless PostgreSQL and
// Prometheus are there, apt; nothing outside this machine but package mirrors is asked.
//
//	go run ./tests/cloud [-run REGEXP] [-list] [-keep] [-whole]
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"regexp"
	"strings"
	"syscall"
	"time"
)

// check is one thing that must hold.
type check struct {
	name  string
	needs []string // servers by name, running and ready when run is called; see servers
	run   func(ctx context.Context, c *cloud) error
}

// limit bounds one check, so that one that hangs fails.
const limit = 8 * time.Minute

func main() {
	pattern := flag.String("run", "", "run only the checks whose name matches this expression")
	list := flag.Bool("list", false, "print the names of the checks and what they need")
	keep := flag.Bool("keep", false, "keep the folder of the run, with all logs")
	flag.Parse()
	wanted, err := regexp.Compile(*pattern)
	if err != nil || flag.NArg() > 0 {
		flag.Usage()
		os.Exit(2)
	}
	chosen := choose(checks, wanted)
	if *list {
		for _, k := range chosen {
			fmt.Printf("%-40s %s\n", k.name, strings.Join(k.needs, " "))
		}
		return
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	c, err := newCloud(os.Stdout, servers)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	code := c.all(ctx, chosen)
	c.close(*keep)
	stop()
	os.Exit(code)
}

func choose(all []check, wanted *regexp.Regexp) (chosen []check) {
	for _, k := range all {
		if wanted.MatchString(k.name) {
			chosen = append(chosen, k)
		}
	}
	return chosen
}

// all runs the checks one after the other and returns the exit code: 0 if there was one and all held.
func (c *cloud) all(ctx context.Context, checks []check) int {
	start, failed := time.Now(), 0
	for _, k := range checks {
		if ctx.Err() != nil {
			break
		}
		if !c.one(ctx, k) {
			failed++
		}
	}
	took := time.Since(start).Round(time.Second)
	switch {
	case ctx.Err() != nil:
		c.say("stopped after %s", took)
	case len(checks) == 0:
		c.say("no check has such a name")
	case failed > 0:
		c.say("%d of %d checks FAILED in %s", failed, len(checks), took)
	default:
		c.say("all %d checks hold, in %s", len(checks), took)
		return 0
	}
	return 1
}

// one starts what a check needs and runs it. What cannot be started is a failure of the check.
func (c *cloud) one(ctx context.Context, k check) bool {
	c.mark()
	var err error
	for _, name := range k.needs {
		if err == nil {
			err = c.need(ctx, name)
		}
	}
	start := time.Now()
	if err == nil {
		limited, done := context.WithTimeout(ctx, limit)
		err = k.run(limited, c)
		done()
	}
	c.stopProcesses()
	took := time.Since(start)
	if err != nil {
		c.say("FAIL %s: %v", k.name, err)
		c.tails()
		return false
	}
	c.say("ok   %-44s %6.1fs", k.name, took.Seconds())
	return true
}

// say prints one line.
func (c *cloud) say(format string, args ...any) { fmt.Fprintf(c.out, format+"\n", args...) }
