package query

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"medlake/shared/lake"
)

// A scripted engine does what its statement says. It stands in for one that misbehaves in ways a real one must not.
type scripted struct{}

type script struct{ s Statement }

func (scripted) Prepare(_ context.Context, s Statement) (Prepared, error) {
	switch s.SQL {
	case "refuse":
		return nil, refuse(lake.ErrDenied, "not this")
	case "exit early":
		os.Exit(7)
	}
	return &script{s}, nil
}

func (p *script) Reads() Names { return Names{Tables: []string{"lake.t"}} }
func (p *script) Close() error { return nil }

func (p *script) Run(ctx context.Context, c Catalog) (*Result, error) {
	switch p.s.SQL {
	case "memory":
		var hold [][]byte
		for range 64 {
			b := make([]byte, 64<<20)
			for i := range b {
				b[i] = 1
			}
			hold = append(hold, b)
		}
		runtime.KeepAlive(hold)
	case "spin": // and do not listen
		for i := 0; ; i++ {
			if i < 0 {
				break
			}
		}
	case "wait":
		<-ctx.Done()
		return nil, refuse(ErrLimit, "stopped")
	case "exit":
		os.Exit(7)
	case "fail":
		return nil, errors.New("disk is gone")
	case "environment":
		return resultOf([]Column{{Name: "e", Kind: Text}}, []string{strings.Join(os.Environ(), " ")}), nil
	case "wide":
		return resultOf([]Column{{Name: "w", Kind: Text}}, []string{strings.Repeat("x", maxFrame+1)}), nil
	}
	cols := []Column{{Name: "n", Type: "BIGINT", Kind: Number}, {Name: "customer", Kind: Text}}
	return &Result{Columns: cols, Rows: func(yield func([]Cell, error) bool) {
		for i := range 100_000 {
			if !yield([]Cell{{Text: fmt.Sprint(i)}, {Text: c.Customer, Null: i == 1}}, nil) {
				return
			}
		}
		if p.s.SQL == "fail late" {
			yield(nil, refuse(lake.ErrInvalid, "cannot divide"))
		}
	}}, nil
}

const childCommand = "answer-one-statement"

func TestMain(m *testing.M) {
	if len(os.Args) == 2 && os.Args[1] == childCommand {
		if err := Serve(context.Background(), scripted{}, os.Stdin, os.Stdout); err != nil {
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func child() *Child { return &Child{Command: []string{os.Args[0], childCommand}} }

// runChild runs a script in a process and counts its rows.
func runChild(t *testing.T, c *Child, sql string, l Limits) (rows int, err error) {
	t.Helper()
	p, err := c.Prepare(t.Context(), Statement{SQL: sql, Customer: "acme", Limits: l})
	if err != nil {
		return 0, err
	}
	defer func() {
		if err := p.Close(); err != nil {
			t.Errorf("%s: close: %v", sql, err)
		}
	}()
	res, err := p.Run(t.Context(), Catalog{Customer: "acme"})
	if err != nil {
		return 0, err
	}
	for cells, err := range res.Rows {
		if err != nil {
			return rows, err
		}
		if rows == 1 && !cells[1].Null || rows != 1 && cells[1].Text != "acme" || cells[0].Text != fmt.Sprint(rows) {
			t.Fatalf("%s: row %d is %v", sql, rows, cells)
		}
		rows++
	}
	return rows, nil
}

func TestChildAnswers(t *testing.T) {
	t.Parallel()
	if rows, err := runChild(t, child(), "rows", Limits{}); err != nil || rows != 100_000 {
		t.Errorf("got %d rows, %v", rows, err)
	}
	if rows, err := runChild(t, child(), "fail late", Limits{}); !errors.Is(err, lake.ErrInvalid) || rows != 100_000 {
		t.Errorf("an error after the rows: got %d rows, %v", rows, err)
	}
	if _, err := runChild(t, child(), "refuse", Limits{}); !errors.Is(err, lake.ErrDenied) || err.Error() != "not this" {
		t.Errorf("a refusal: got %v", err)
	}
	var e *Error
	if _, err := runChild(t, child(), "fail", Limits{}); err == nil || errors.As(err, &e) {
		t.Errorf("a trouble of the engine: got %v", err)
	}
}

func TestChildIsLimited(t *testing.T) {
	t.Parallel()
	l := Limits{Memory: 256 << 20, Time: 30 * time.Second, CPU: time.Second}
	for _, sql := range []string{"memory", "spin", "exit", "wide"} {
		if _, err := runChild(t, child(), sql, l); !errors.Is(err, ErrLimit) {
			t.Errorf("%s: got %v, want it stopped", sql, err)
		}
	}
	l.Time = 300 * time.Millisecond
	if _, err := runChild(t, child(), "wait", l); !errors.Is(err, ErrLimit) {
		t.Errorf("wait: got %v, want it stopped", err)
	}
}

func TestChildThatIsNoChild(t *testing.T) {
	t.Parallel()
	for _, c := range []*Child{{Command: []string{"/nowhere/medlake"}}, {Command: []string{"/bin/true"}}, {Command: []string{"/bin/cat"}}} {
		if _, err := runChild(t, c, "rows", Limits{Time: 5 * time.Second}); err == nil || errors.Is(err, ErrLimit) {
			t.Errorf("%v: got %v, want a trouble of ours", c.Command, err)
		}
	}
	if _, err := runChild(t, child(), "exit early", Limits{}); err == nil || errors.Is(err, ErrLimit) {
		t.Errorf("exit early: got %v, want a trouble of ours", err)
	}
}

func TestChildGetsNoSecrets(t *testing.T) {
	t.Setenv("MEDLAKE_TEST_SECRET", "s3cret")
	p, err := child().Prepare(t.Context(), Statement{SQL: "environment", Customer: "acme"})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = p.Close() }()
	res, err := p.Run(t.Context(), Catalog{Customer: "acme"})
	if err != nil {
		t.Fatal(err)
	}
	for cells, err := range res.Rows {
		if err != nil || strings.Contains(cells[0].Text, "s3cret") {
			t.Errorf("got %v %v", cells, err)
		}
	}
}

func TestChildEndsWithItsReader(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	p, err := child().Prepare(ctx, Statement{SQL: "rows", Customer: "acme"})
	if err != nil {
		t.Fatal(err)
	}
	res, err := p.Run(ctx, Catalog{Customer: "acme"})
	if err != nil {
		t.Fatal(err)
	}
	rows := 0
	for _, err := range res.Rows {
		if rows++; rows == 10 {
			cancel()
		}
		if err != nil {
			break
		}
	}
	if err := p.Close(); err != nil {
		t.Error(err)
	}
	if err := p.Close(); err != nil {
		t.Errorf("closed twice: %v", err)
	}
}
