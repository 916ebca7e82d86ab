package duckdb

import (
	"context"
	"os"
	"testing"

	"medlake/shared/query"
	"medlake/shared/query/querytest"
)

const childCommand = "answer-one-statement"

// The test binary is its own child process, as medlake is.
func TestMain(m *testing.M) {
	if len(os.Args) == 2 && os.Args[1] == childCommand {
		if err := query.Serve(context.Background(), Engine{}, os.Stdin, os.Stdout); err != nil {
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func TestEngine(t *testing.T) {
	t.Parallel()
	querytest.Run(t, querytest.Harness{Engine: Engine{}, Sandbox: &query.Child{Command: []string{os.Args[0], childCommand}}})
}
