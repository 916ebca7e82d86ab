package commit_test

import (
	"context"
	"log/slog"
	"reflect"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"medlake/functions/commit"
	"medlake/shared/lake"
	"medlake/shared/store"
	"medlake/shared/store/journal"
)

func TestRoundTakesPendingIntoLogAndTables(t *testing.T) {
	t.Parallel()
	d := open(t)
	c := d.committer(t)
	r := d.loaded(t, 1)
	d.pend(t, arrivalOf(2), r, 0) // the same bytes: listed first, but the rows stand on the maker's receipt
	d.pend(t, arrivalOf(1), r, 0)
	d.pend(t, arrivalOf(3), lake.Record{
		Format: lake.Format, Load: "q", Arrival: arrivalOf(3).ID(), Customer: "acme", Status: lake.Quarantined,
		Reason: lake.Malformed, Where: lake.Where{Entry: 2, Line: 7}, Metadata: "v1",
	}, 0)
	round, err := c.Round(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(commit.Round{Entry: 1, Arrivals: 3, Tables: 2}, round); d != "" {
		t.Error(d)
	}
	if n := d.count(t, store.PendingPrefix); n != 0 {
		t.Errorf("%d left pending", n)
	}
	got := d.rows(t, lake.OpsLoads, "arrival", "status", "reason", "entry", "line", "feed", "read", "committed", "filtered", "rejected", "log")
	want := [][]string{
		{arrivalOf(2).ID(), "duplicate", "", "", "", "words", "0", "0", "0", "0", "1"},
		{arrivalOf(1).ID(), "loaded", "", "", "", "words", "4", "1", "1", "2", "1"},
		{arrivalOf(3).ID(), "quarantined", "malformed", "2", "7", "", "0", "0", "0", "0", "1"},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if got := d.rows(t, table, "word", lake.ColLoad); len(got) != 1 || got[0][1] != r.Load {
		t.Errorf("rows %v", got)
	}

	d.pend(t, arrivalOf(1), r, 0) // the reply to its first put was lost
	d.pend(t, arrivalOf(4), r, 1) // the same bytes once more
	if round, err = c.Round(t.Context()); err != nil || round.Arrivals != 1 {
		t.Errorf("round %+v, %v: want the new arrival alone", round, err)
	}
	if round, err = c.Round(t.Context()); err != nil || !reflect.DeepEqual(round, commit.Round{Entry: 2}) {
		t.Errorf("idle round %+v, %v", round, err)
	}
	if got := d.rows(t, table, "word"); len(got) != 1 {
		t.Errorf("%d rows, want 1", len(got))
	}
	if got := d.rows(t, lake.OpsLoads, "arrival"); len(got) != 4 {
		t.Errorf("%d receipts, want 4", len(got))
	}
}

func TestManyCommittersAtOnce(t *testing.T) {
	t.Parallel()
	d := open(t)
	const arrivals = 60
	var group sync.WaitGroup
	stop := make(chan struct{})
	for range 3 {
		c := d.committer(t)
		group.Go(func() {
			for {
				if _, err := c.Round(t.Context()); err != nil {
					t.Log(err) // lost a race more often than it tries in a round
				}
				select {
				case <-stop:
					return
				default:
				}
			}
		})
	}
	for n := range arrivals {
		r := d.loaded(t, n)
		d.pend(t, arrivalOf(n), r, 0)
		if n%3 == 0 {
			d.pend(t, arrivalOf(1000+n), r, 0)
		}
	}
	close(stop)
	group.Wait()
	for d.count(t, store.PendingPrefix) > 0 {
		if _, err := d.committer(t).Round(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := d.committer(t).Round(t.Context()); err != nil { // whoever came last may have lost a table
		t.Fatal(err)
	}
	seen := map[string]int{}
	for _, row := range d.rows(t, lake.OpsLoads, "arrival") {
		seen[row[0]]++
	}
	if want := arrivals + arrivals/3; len(seen) != want {
		t.Errorf("%d arrivals, want %d", len(seen), want)
	}
	for id, n := range seen {
		if n != 1 {
			t.Errorf("arrival %s has %d rows", id, n)
		}
	}
	if got := d.rows(t, table, "word"); len(got) != arrivals {
		t.Errorf("%d rows, want %d", len(got), arrivals)
	}
}

// TestEntryIsBounded: a backlog becomes several entries of a thousand arrivals, in one round and one commit.
func TestEntryIsBounded(t *testing.T) {
	t.Parallel()
	d := open(t)
	for n := range 1100 {
		a := arrivalOf(n)
		d.pend(t, a, lake.Record{Format: lake.Format, Load: a.ID(), Arrival: a.ID(), Status: lake.Quarantined, Reason: lake.Corrupt}, 0)
	}
	r, err := d.committer(t).Round(t.Context())
	if err != nil || r.Arrivals != 1100 || r.Entry != 2 {
		t.Errorf("round %+v, %v", r, err)
	}
	e, err := journal.New(d.bucket).Entry(t.Context(), 1)
	if err != nil || len(e.Receipts) != 1000 {
		t.Errorf("first entry: %v, error %v", len(e.Receipts), err)
	}
	p, err := d.warehouse.Plan(t.Context(), lake.OpsLoads, "")
	if err != nil || len(p.Files) != 2 || p.Rows() != 1100 {
		t.Errorf("%d files, %d rows, %v; want a commit an entry", len(p.Files), p.Rows(), err)
	}
}

func TestUnreadablePendingHoldsUpNobody(t *testing.T) {
	t.Parallel()
	d := openIn(t, "mem://")
	for n := range 1001 { // more than one entry takes
		if err := d.bucket.Put(t.Context(), store.PendingKey(arrivalOf(5+n).ID(), 0), []byte("{")); err != nil {
			t.Fatal(err)
		}
	}
	d.pend(t, arrivalOf(1), d.loaded(t, 1), 0)
	c := d.committer(t)
	r, err := c.Round(t.Context())
	if err != nil || r.Arrivals != 1 {
		t.Errorf("round %+v, %v", r, err)
	}
	d.pend(t, arrivalOf(5), d.loaded(t, 5), 1) // written again, whole
	if r, err = c.Round(t.Context()); err != nil || r.Arrivals != 1 {
		t.Errorf("round %+v, %v", r, err)
	}
}

// TestRunCommitsALoneArrivalAtOnce wakes a committer that would look by itself only after an hour.
func TestRunCommitsALoneArrivalAtOnce(t *testing.T) {
	t.Parallel()
	d := open(t)
	rounds := make(chan commit.Round, 10)
	c, err := commit.New(commit.Config{
		Bucket: d.bucket, Tables: d.warehouse, Log: slog.New(slog.DiscardHandler), Tick: time.Hour,
		Done: func(_ context.Context, r commit.Round) { rounds <- r },
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Ensure(t.Context(), wanted()); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); c.Run(ctx) }()
	d.pend(t, arrivalOf(1), d.loaded(t, 1), 0)
	c.Wake()
	if r := <-rounds; r.Arrivals != 1 || r.Tables == 0 {
		t.Errorf("round %+v", r)
	}
	stop()
	<-ended
}
