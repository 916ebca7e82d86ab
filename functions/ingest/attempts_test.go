package ingest_test

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"

	"medlake/functions/ingest"
	"medlake/shared/archive/lock"
	"medlake/shared/lake"
	"medlake/shared/store"
)

// deadly is an engine that panics with a patient's name for as long as it is deadly.
type deadly struct {
	ingest.Engine
	is bool
}

func (d *deadly) Match(name string) (ingest.Plan, error) {
	if d.is {
		panic("SMITH, JOHN")
	}
	return d.Engine.Match(name)
}

func (d *depot) attempts(t *testing.T, a lake.Arrival) (n int) {
	t.Helper()
	for _, err := range d.bucket.List(t.Context(), store.AttemptPrefix(a.ID())) {
		if err != nil {
			t.Fatal(err)
		}
		n++
	}
	return n
}

func TestDeadlyArrivalIsTriedAloneAfterThreeDeaths(t *testing.T) {
	t.Parallel()
	d := open(t, "mem://")
	alone := 0
	f := d.ingest(t, func(c *ingest.Config) {
		c.Engine = &deadly{c.Engine, true}
		c.Alone = func(context.Context, lake.Pending) error { alone++; return ingest.ErrDied }
	})
	a := d.upload(t, "acme/visits/1.zip", locked(t))
	if _, err := f.Process(t.Context(), a, false); err == nil {
		t.Fatal("a panic is no success")
	}
	for n := 1; n <= 3; n++ {
		if _, err := f.Process(t.Context(), a, true); err == nil || alone > 0 {
			t.Fatalf("try %d: error %v, alone %d times", n, err, alone)
		}
		if got := d.attempts(t, a); got != n {
			t.Errorf("%d attempts after %d tries", got, n)
		}
	}
	r, err := f.Process(t.Context(), a, true)
	if err != nil || alone != 1 || r.Reason != lake.Crashed {
		t.Errorf("got %+v, %v, alone %d times", r, err, alone)
	}
	if p := d.pending(t, a); p.Record.Reason != lake.Crashed {
		t.Errorf("pending %+v", p.Record)
	}
	if r, err := f.Process(t.Context(), a, true); err != nil || alone != 1 || r.Reason != lake.Crashed {
		t.Errorf("the verdict is not final: %+v, %v", r, err)
	}
	if strings.Contains(d.logs.String(), "SMITH") {
		t.Errorf("the log tells what the panic said: %s", d.logs)
	}
}

// TestFailuresThatComeBackDoNotCount: only deaths are counted, so an outage condemns nobody.
func TestFailuresThatComeBackDoNotCount(t *testing.T) {
	t.Parallel()
	d := open(t, "mem://")
	down := true
	f := d.ingest(t, func(c *ingest.Config) {
		read := c.Bucket
		c.Schemas = func(ctx context.Context, table string) (lake.Schema, error) {
			if down {
				return lake.Schema{}, errors.New("store is down")
			}
			var s lake.Schema
			data, err := read.Get(ctx, store.SchemaKey(table, 1))
			if err == nil {
				err = json.Unmarshal(data, &s)
			}
			return s, err
		}
		c.Alone = func(context.Context, lake.Pending) error { t.Error("tried alone"); return nil }
	})
	a := d.upload(t, "acme/visits/1.zip", locked(t))
	for range 5 {
		if _, err := f.Process(t.Context(), a, true); err == nil {
			t.Fatal("want an error")
		}
	}
	if n := d.attempts(t, a); n != 0 {
		t.Errorf("%d attempts counted", n)
	}
	down = false
	if r, err := f.Process(t.Context(), a, true); err != nil || r.Status != lake.Loaded {
		t.Errorf("got %+v, %v", r, err)
	}
}

// childEnv makes this test binary the child of TestChild.
const childEnv = "MEDLAKE_TEST_CHILD"

func TestMain(m *testing.M) {
	switch os.Getenv(childEnv) {
	case "":
		os.Exit(m.Run())
	case "dies":
		panic("as told")
	case "fails":
		os.Exit(ingest.ChildFailed)
	case "lives":
		os.Exit(0)
	default: // a folder to work in
		os.Exit(child(os.Getenv(childEnv)))
	}
}

func TestChildTellsDeathsFromFailures(t *testing.T) {
	for mode, want := range map[string]func(error) bool{
		"lives": func(err error) bool { return err == nil },
		"fails": func(err error) bool { return err != nil && !errors.Is(err, ingest.ErrDied) },
		"dies":  func(err error) bool { return errors.Is(err, ingest.ErrDied) },
	} {
		t.Setenv(childEnv, mode)
		if err := ingest.Child()(t.Context(), lake.Pending{}); !want(err) {
			t.Errorf("%s: got %v", mode, err)
		}
	}
}

// TestAloneDoesAllThatIsToBeDone runs a real child, under its limits, in the lake's folder.
func TestAloneDoesAllThatIsToBeDone(t *testing.T) {
	dir := t.TempDir()
	d := open(t, store.FileURL(dir))
	z := zip(t, lock.None, "", map[string]string{"visits.csv": visits})
	a := d.upload(t, "acme/visits/1.zip", z)
	engine := &deadly{ingest.Metadata(d.library), true} // deadly for this process alone
	f := d.ingest(t, func(c *ingest.Config) { c.Engine, c.Alone = engine, ingest.Child() })
	for range 3 {
		if _, err := f.Process(t.Context(), a, true); err == nil {
			t.Fatal("want a death")
		}
	}
	t.Setenv(childEnv, dir)
	r, err := f.Process(t.Context(), a, true)
	if err != nil || r.Status != lake.Loaded || r.Rows["lake.visits"] != 1 {
		t.Errorf("got %+v, %v", r, err)
	}
	if p := d.pending(t, a); p.Record.Load != r.Load {
		t.Errorf("pending load %s, want %s", p.Record.Load, r.Load)
	}
}
