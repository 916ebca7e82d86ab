// Command functions is all cloud functions in one binary: the first argument is the role. Each role answers CloudEvents
// over HTTP on PORT, ends at SIGTERM when running work is done, and is configured by the environment (see environment).
// Roles that look for work by themselves can also do it once and end: functions ROLE once. On one machine, command local
// runs the same packages in one process.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net"
	"os"
	"slices"
	"strings"

	"medlake/functions/sweep"
	"medlake/shared/faas"
	_ "medlake/shared/faas/garbage" // collected once there is much
	"medlake/shared/faas/telemetry"
)

// role is one function. Start reading at the package that has its name.
type role struct {
	run  func(ctx context.Context, e environment) error
	once bool // it can be asked to look for work once: functions ROLE once
}

var roles = map[string]role{
	"ingest":   {run: serveIngest},               // one arrival: data files, a record, pending
	"alone":    {run: runAlone},                  // ingest starts itself so for an arrival that killed it three times
	"commit":   {run: serveCommit, once: true},   // pending to the log, the log to the tables
	"merge":    {run: serveMerge, once: true},    // the logs of tables that change to the tables themselves
	"maintain": {run: serveMaintain, once: true}, // few files of many small ones, few snapshots, nothing left over
	"sweep":    {run: serveSweep, once: true},    // what was forgotten in landing is sent again
	"dead":     {run: serveDead},                 // what the broker gave up is counted
}

func main() {
	os.Exit(run(faas.Signals(), os.Args[1:], environment{getenv: os.Getenv, in: os.Stdin, listen: listen}, os.Stderr))
}

func listen(ctx context.Context, address string) (net.Listener, error) {
	return (&net.ListenConfig{}).Listen(ctx, "tcp", address)
}

// run is main without the process. Its exit codes: 0 ended as asked, 1 what was asked for once failed, 2 could not run.
func run(ctx context.Context, args []string, e environment, logs io.Writer) int {
	name, r, ok := parse(args, &e)
	if !ok {
		fmt.Fprint(logs, usage())
		return 2
	}
	e.log = telemetry.Log(logs, name)
	slog.SetDefault(e.log)
	err := e.told(ctx, name, r.run)
	var code exitCode
	switch {
	case errors.As(err, &code):
		return int(code)
	case err != nil:
		e.log.ErrorContext(ctx, "cannot run", "error", err)
		return 2
	}
	return 0
}

// parse reads ROLE, ROLE once, or ROLE once SUBJECT.
func parse(args []string, e *environment) (name string, r role, ok bool) {
	if len(args) == 0 {
		return "", r, false
	}
	r, ok = roles[args[0]]
	if len(args) == 1 || !ok {
		return args[0], r, ok
	}
	tick := faas.NewTick("once")
	if len(args) == 3 {
		tick.SetSubject(args[2])
	}
	e.once = &tick
	return args[0], r, r.once && args[1] == "once" && (len(args) == 2 || len(args) == 3 && args[2] == sweep.All)
}

func usage() string {
	var once []string
	for name, r := range roles {
		if r.once {
			once = append(once, name)
		}
	}
	slices.Sort(once)
	return fmt.Sprintf("usage: functions %s\n       functions %s once [%s]\n",
		strings.Join(slices.Sorted(maps.Keys(roles)), "|"), strings.Join(once, "|"), sweep.All)
}

// exitCode is how a role asks for another exit code.
type exitCode int

func (c exitCode) Error() string { return fmt.Sprintf("exit %d", int(c)) }
