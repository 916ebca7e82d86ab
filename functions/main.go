// Command functions is all cloud functions in one binary: the first argument is the role. Each role answers CloudEvents
// over HTTP on PORT, ends at SIGTERM when running work is done, and is configured by the environment (see environment).
// On one machine, command local runs the same packages in one process.
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

	"medlake/shared/faas"
)

// roles are the functions there are. Start reading at the package that has a role's name.
var roles = map[string]func(ctx context.Context, e environment) error{
	"ingest":   serveIngest,   // one arrival: data files, a record, pending
	"alone":    runAlone,      // ingest starts itself so for an arrival that killed it three times
	"commit":   serveCommit,   // pending to the log, the log to the tables
	"merge":    serveMerge,    // the logs of tables that change to the tables themselves
	"maintain": serveMaintain, // few files of many small ones, few snapshots, nothing left over
	"sweep":    serveSweep,    // what was forgotten in landing is sent again
}

func main() {
	os.Exit(run(faas.Signals(), os.Args[1:], environment{getenv: os.Getenv, in: os.Stdin, listen: listen}, os.Stderr))
}

func listen(ctx context.Context, address string) (net.Listener, error) {
	return (&net.ListenConfig{}).Listen(ctx, "tcp", address)
}

// run is main without the process. Its exit codes: 0 ended as asked, 2 could not run.
func run(ctx context.Context, args []string, e environment, logs io.Writer) int {
	var role func(context.Context, environment) error
	if len(args) == 1 {
		role = roles[args[0]]
	}
	if role == nil {
		fmt.Fprintf(logs, "usage: functions %s\n", strings.Join(slices.Sorted(maps.Keys(roles)), "|"))
		return 2
	}
	e.log = slog.New(slog.NewJSONHandler(logs, nil)).With("role", args[0])
	err := role(ctx, e)
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

// exitCode is how a role asks for another exit code.
type exitCode int

func (c exitCode) Error() string { return fmt.Sprintf("exit %d", int(c)) }
