package merge_test

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cloudevents/sdk-go/v2/event"
	"github.com/google/go-cmp/cmp"

	"medlake/functions/merge"
	"medlake/shared/lake"
	"medlake/shared/store/faulty"
	"medlake/shared/warehouse"
)

// stay is a load of one row of table stays.
func stay(n int, id string, at int, event string) *load {
	return &load{
		id: fmt.Sprintf("load%02d", n), customer: "acme", at: time.Unix(int64(1_790_000_000+n), 0),
		rows: []map[string]any{{"site": 1, "id": id, "at": at, "event": event, "name": "x"}},
	}
}

func (d *depot) take(t *testing.T, loads ...*load) {
	t.Helper()
	for _, l := range loads {
		d.write(t, l)
	}
	d.commit(t, loads...)
}

// check merges and compares the table with the fold of loads.
func (d *depot) check(t *testing.T, m *merge.Merger, merged int, loads ...*load) {
	t.Helper()
	r, err := m.Round(t.Context())
	if err != nil || r.Merged != merged {
		t.Errorf("got %+v, %v, want %d tables merged", r, err, merged)
	}
	want, _ := d.fold(loads)
	got, _ := d.rows(t, d.table.Current.Table)
	if !slices.Equal(want, got) { // far quicker than a diff
		t.Errorf("(-fold +table):\n%s", cmp.Diff(want, got))
	}
}

// TestMergeThatChangesNothingCommitsNothing: neither entries without rows nor rows that come too late to count make a
// snapshot, and what they held is known the next time.
func TestMergeThatChangesNothingCommitsNothing(t *testing.T) {
	t.Parallel()
	d := open(t, "stays", tables["stays"])
	m := d.merger(t, d.bucket)
	d.check(t, m, 1) // the first merge, of nothing
	first, gone := stay(1, "a", 5, "in"), stay(2, "b", 5, "del")
	d.take(t, first, gone)
	d.check(t, m, 1, first, gone)
	before, err := d.warehouse.Batch(t.Context(), d.table.Current.Table)
	if err != nil {
		t.Fatal(err)
	}
	late, deleted := stay(3, "a", 4, "in"), stay(4, "b", 3, "in")
	d.take(t, late)
	d.commit(t)
	d.take(t, deleted)
	d.check(t, m, 0, first, gone, late, deleted)
	after, err := d.warehouse.Batch(t.Context(), d.table.Current.Table)
	if err != nil || after.Snapshot != before.Snapshot {
		t.Errorf("snapshot %d after %d, %v", after.Snapshot, before.Snapshot, err)
	}
	back := stay(5, "b", 9, "in")
	d.take(t, back)
	d.check(t, m, 1, first, gone, late, deleted, back)
}

// TestMergedAwayKeyStaysAwayWhenItsRowIsLate: what tells of the merge stands in a file of another key.
func TestMergedAwayKeyStaysAwayWhenItsRowIsLate(t *testing.T) {
	t.Parallel()
	d := open(t, "people", tables["people"])
	m := d.merger(t, d.bucket)
	join, late := stay(1, "p1", 5, "join"), stay(2, "p2", 3, "new")
	join.rows[0]["was"] = "p2"
	d.take(t, join)
	d.check(t, m, 1, join)
	d.take(t, late)
	d.check(t, m, 0, join, late)
}

// TestTableIsMadeAnewWhenItsFoldChanges: and a process with the old metadata leaves it alone for a while.
func TestTableIsMadeAnewWhenItsFoldChanges(t *testing.T) {
	t.Parallel()
	d := open(t, "stays", tables["stays"])
	old := d.merger(t, d.bucket)
	loads := []*load{stay(1, "a", 1, "in"), stay(2, "a", 2, "del"), stay(3, "b", 1, "in")}
	d.take(t, loads...)
	d.check(t, old, 1, loads...)
	d.table = changing(t, "stays", strings.Replace(tables["stays"], `event == "del"`, `event == "never"`, 1))
	d.check(t, d.merger(t, d.bucket), 1, loads...)
	loads = append(loads, stay(4, "b", 7, "out"))
	d.take(t, loads[3])
	if r, err := old.Round(t.Context()); err == nil || r.Merged != 0 || len(r.Behind) != 1 {
		t.Errorf("the old one: %+v, %v", r, err)
	}
	d.check(t, d.merger(t, d.bucket), 1, loads...)
}

// TestManyRows has several row groups in one new file, and hidden rows in all of them.
func TestManyRows(t *testing.T) {
	t.Parallel()
	d := open(t, "stays", tables["stays"])
	l := stay(1, "first", 1, "in")
	for i := range 70_000 {
		l.rows = append(l.rows, map[string]any{"site": 1, "id": fmt.Sprint(i), "at": 1, "event": []string{"in", "move", "del"}[i%3]})
	}
	d.take(t, l)
	m := d.merger(t, d.bucket)
	if _, err := m.Round(t.Context()); err != nil {
		t.Fatal(err)
	}
	again := stay(2, "first", 2, "del")
	for i := range 30 {
		again.rows = append(again.rows, map[string]any{"site": 1, "id": fmt.Sprint(i * 2300), "at": i % 3, "event": "in"})
	}
	d.take(t, again)
	d.check(t, m, 1, l, again)
}

// broken are tables one of which cannot be changed.
type broken struct {
	*warehouse.Warehouse
	table string
}

func (b broken) Apply(ctx context.Context, h warehouse.Head, c warehouse.Change) error {
	if h.Table == b.table {
		return lake.ErrDenied
	}
	return b.Warehouse.Apply(ctx, h, c)
}

func TestTableThatFailsHoldsUpNoOther(t *testing.T) {
	t.Parallel()
	d := open(t, "stays", tables["stays"])
	people := changing(t, "people", tables["people"])
	for _, parallel := range []int{1, 2} {
		m, err := merge.New(merge.Config{
			Bucket: d.bucket, Tables: broken{d.warehouse, people.Current.Table}, Parallel: parallel, Tries: 2, Log: slog.New(slog.DiscardHandler),
		})
		if err != nil {
			t.Fatal(err)
		}
		if err := m.Ensure(t.Context(), people, d.table); err != nil {
			t.Fatal(err)
		}
		l := stay(parallel, "a", parallel, "in")
		d.take(t, l)
		r, err := m.Round(t.Context())
		if err == nil || r.Merged != 1 || len(r.Behind) != 1 || r.Behind[0] != people.Current.Table {
			t.Errorf("got %+v, %v", r, err)
		}
	}
}

// TestEveryFaultOfAMerge injects each fault into each call to the bucket, and merges again.
func TestEveryFaultOfAMerge(t *testing.T) {
	t.Parallel()
	for _, fault := range faulty.Faults() {
		t.Run(fault.String(), func(t *testing.T) {
			t.Parallel()
			d := open(t, "stays", tables["stays"])
			m := d.merger(t, d.bucket)
			var loads []*load
			for n := 0; ; n++ {
				l := stay(n, fmt.Sprint("k", n%3), 5+n*(n%2), []string{"in", "move", "del"}[n%5%3])
				loads = append(loads, l)
				d.take(t, l)
				at := -1
				bad, driver := faulty.New(d.bucket, func(c faulty.Call) faulty.Fault {
					if c.N == at {
						return fault
					}
					return faulty.None
				})
				faulted, err := merge.New(merge.Config{Bucket: bad, Tables: d.warehouse, Tries: 1, Log: slog.New(slog.DiscardHandler)})
				if err != nil {
					t.Fatal(err)
				}
				if err := faulted.Ensure(t.Context(), d.table); err != nil {
					t.Fatal(err)
				}
				calls := len(driver.Calls())
				at = calls + n
				_, _ = faulted.Round(t.Context())
				if _, err = m.Round(t.Context()); err != nil {
					t.Fatal(err)
				}
				d.check(t, m, 0, loads...)
				if len(driver.Calls())-calls <= n {
					return
				}
			}
		})
	}
}

// told says when a change was made.
type told struct {
	*warehouse.Warehouse
	changed chan string
}

func (o told) Apply(ctx context.Context, h warehouse.Head, c warehouse.Change) error {
	defer func() { o.changed <- h.Table }()
	return o.Warehouse.Apply(ctx, h, c)
}

func TestRunMergesWhenWoken(t *testing.T) {
	t.Parallel()
	d := open(t, "stays", tables["stays"])
	tables := told{d.warehouse, make(chan string, 1)}
	m, err := merge.New(merge.Config{
		Bucket: d.bucket, Tables: tables, Window: time.Millisecond, Tick: time.Hour, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Ensure(t.Context(), d.table); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); m.Run(ctx) }()
	l := stay(1, "a", 1, "in")
	d.take(t, l)
	m.Wake()
	if got := <-tables.changed; got != d.table.Current.Table {
		t.Errorf("changed %s", got)
	}
	stop()
	<-done
	if err := m.Handle(t.Context(), event.New()); err != nil {
		t.Error(err)
	}
	d.check(t, m, 0, l)
}
