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
	"sync/atomic"
	"syscall"
	"time"
)

// check is one thing that must hold.
type check struct {
	name  string
	needs []string // servers by name, running and ready when run is called; see servers
	// alone is what no other check may use meanwhile: a server that is made to crash, or machine where speed is measured.
	alone string
	run   func(ctx context.Context, c *cloud) error
}

// limit bounds one check, so that one that hangs fails.
const limit = 10 * time.Minute

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
	at, err := newSite(os.Stdout, servers)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	code := at.all(ctx, chosen)
	at.close(*keep)
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

// all runs the checks and returns the exit code: 0 if there was one and all held.
func (s *site) all(ctx context.Context, checks []check) int {
	start := time.Now()
	var failed atomic.Int64
	inLanes(ctx, checks, func(name string) { _ = s.install(ctx, name) }, func(k check) { // they see what could not be installed
		if !s.one(ctx, k) {
			failed.Add(1)
		}
	})
	took := time.Since(start).Round(time.Second)
	switch {
	case ctx.Err() != nil:
		s.say("stopped after %s", took)
	case len(checks) == 0:
		s.say("no check has such a name")
	case failed.Load() > 0:
		s.say("%d of %d checks FAILED in %s", failed.Load(), len(checks), took)
	default:
		s.say("all %d checks hold, in %s", len(checks), took)
		return 0
	}
	return 1
}

// one starts what a check needs and runs it. What cannot be started is a failure of the check.
func (s *site) one(ctx context.Context, k check) bool {
	var err error
	for _, name := range k.needs {
		if err == nil {
			err = s.need(ctx, name)
		}
	}
	c, start := s.cloud(k.needs), time.Now()
	if err == nil {
		limited, done := context.WithTimeout(ctx, limit)
		err = k.run(limited, c)
		done()
	}
	c.stop()
	if err != nil {
		c.say("FAIL %s: %v", k.name, err)
		c.tails()
	} else {
		c.say("ok   %-52s %6.1fs", k.name, time.Since(start).Seconds())
	}
	s.print(c.said.Bytes())
	return err == nil
}
