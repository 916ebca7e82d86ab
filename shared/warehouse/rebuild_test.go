package warehouse

import (
	"flag"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"medlake/shared/lake"
	"medlake/shared/store/faulty"
)

// rebuilds is how many catalogs get lost.
var rebuilds = flag.Int("rebuilds", 24, "catalogs that are lost and rebuilt")

// Processes die at random calls while they append, compact, expire, tag and evolve; files that nothing names are deleted;
// the catalog gets lost and is rebuilt, and commits go on: each load is in the table once, every column that was
// published is there under its id, and all files exist.
func TestRebuiltLakesHoldWhatWasLoaded(t *testing.T) {
	t.Parallel()
	passed, others := 0, 0
	var r *ruin
	for run := range *rebuilds {
		if run%3 == 0 { // else the last one, with what it has left behind
			r = newRuin(t, uint64(run))
		}
		if err := r.arrive(t.Context(), 1+r.int(6)); err != nil {
			t.Fatal(err)
		}
		var wait sync.WaitGroup
		for range 2 {
			w, d := r.process()
			wait.Go(func() { r.live(t.Context(), w, d) })
		}
		wait.Wait()
		if err := r.clean(t.Context()); err != nil {
			t.Fatal(err)
		}
		newest, err := r.catalog.Metadata(t.Context(), r.schema.Table)
		if err != nil {
			t.Fatal(err)
		}
		r.lose(t)
		all, err := r.catalog.Rebuild(t.Context(), int64(len(r.log)))
		if err != nil || len(all) != 1 {
			t.Fatalf("run %d: %+v, %v", run, all, err)
		}
		passed += all[0].Passed
		if all[0].Metadata != newest {
			others++
		}
		r.check(t, run)
	}
	t.Logf("%d rebuilds: %d took the state of a lost commit, %d newer states were passed over", *rebuilds, others, passed)
}

func (r *ruin) check(t *testing.T, run int) {
	t.Helper()
	h, err := r.catalog.Batch(t.Context(), r.schema.Table)
	if err != nil {
		t.Fatal(err)
	}
	if n := int64(len(r.log)); h.Batch < n {
		if err := r.catalog.Append(t.Context(), h, r.log[h.Batch:], n); err != nil {
			t.Fatal(err)
		}
	}
	p := plan(t.Context(), t, r.catalog, r.schema.Table, "")
	var got, want []string
	for _, f := range p.Files {
		got = append(got, r.rows[f.Path]...)
		key, err := r.bucket.Key(f.Path)
		if err == nil {
			_, err = r.bucket.Head(t.Context(), key)
		}
		if err != nil {
			t.Errorf("run %d: %v", run, err)
		}
	}
	for i := range r.log {
		want = append(want, fmt.Sprint("L", i))
	}
	slices.Sort(got)
	slices.Sort(want)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("run %d (-log +table):\n%s", run, diff)
	}
	published, err := PublishedSchema(t.Context(), r.bucket, r.schema.Table)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range published.Columns {
		if !slices.ContainsFunc(p.Schema.Columns, func(have lake.Column) bool { return have.ID == c.ID && have.Name == c.Name }) {
			t.Errorf("run %d: the table lacks column %s with id %d", run, c.Name, c.ID)
		}
	}
}

// A process adds a column and dies before the catalog knows; another adds another column, under the same field id, and
// publishes it. Only the latter's state will do.
func TestRebuildKeepsPublishedColumns(t *testing.T) {
	t.Parallel()
	r := newRuin(t, 0)
	var want []lake.Schema
	for i := range 8 { // which of two states comes first in order is up to chance
		s := visits(t)
		s.Table = fmt.Sprint("lake.t", i)
		ensure(t, r.catalog, s, 0)
		bad, driver := faulty.New(r.bucket, func(c faulty.Call) faulty.Fault {
			if c.Op == faulty.Put && strings.HasSuffix(c.Key, ".metadata.json") {
				return faulty.CrashAfter
			}
			return faulty.None
		})
		more := s
		more.Columns = append(slices.Clone(s.Columns), lake.Column{Name: "lost", Type: lake.Type{Kind: lake.Long}})
		w := r.over(bad)
		if _, err := w.Ensure(t.Context(), more, 0); err == nil || !driver.Crashed() {
			t.Fatalf("the process has not died: %v", err)
		}
		more.Columns[len(s.Columns)].Name = "kept"
		want = append(want, ensure(t, r.catalog, more, 0))
	}
	r.lose(t)
	if all, err := r.catalog.Rebuild(t.Context(), 0); err != nil || len(all) != 9 {
		t.Fatalf("%d tables, %v", len(all), err)
	}
	for _, s := range want {
		got := plan(t.Context(), t, r.catalog, s.Table, "").Schema
		if last, kept := got.Columns[len(got.Columns)-1], s.Columns[len(s.Columns)-1]; last.Name != "kept" || last.ID != kept.ID {
			t.Errorf("table %s has column %s with id %d, want %s with id %d", s.Table, last.Name, last.ID, kept.Name, kept.ID)
		}
	}
	if all, err := r.catalog.Rebuild(t.Context(), 0); err != nil || len(all) != 0 {
		t.Errorf("again: %d tables, %v", len(all), err)
	}
}

func TestRebuildRefusesNumbersThatTheLogLacks(t *testing.T) {
	t.Parallel()
	r := newRuin(t, 0)
	for n := int64(1); n <= 3; n++ {
		if err := r.arrive(t.Context(), 1); err != nil {
			t.Fatal(err)
		}
		if err := r.catalog.Append(t.Context(), head(t, r.catalog, r.schema.Table), r.log[n-1:], n); err != nil {
			t.Fatal(err)
		}
	}
	r.lose(t)
	if all, err := r.catalog.Rebuild(t.Context(), 2); err != nil || len(all) != 1 || all[0].Batch != 2 || all[0].Passed != 1 {
		t.Errorf("%+v, %v: want the state of entry 2", all, err)
	}
}
