package commit_test

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"medlake/functions/commit"
	"medlake/shared/lake"
	"medlake/shared/store"
	"medlake/shared/store/faulty"
	"medlake/shared/store/journal"
	"medlake/shared/warehouse"
)

// round does one round and returns the words in the table, sorted.
func (d *depot) round(t *testing.T) []string {
	t.Helper()
	if _, err := d.committer(t).Round(t.Context()); err != nil {
		t.Fatal(err)
	}
	return d.words(t)
}

func (d *depot) words(t *testing.T) []string {
	t.Helper()
	words := []string{}
	for _, row := range d.rows(t, table, "word") {
		words = append(words, row[0])
	}
	slices.Sort(words)
	return words
}

// add claims an entry of its own.
func (d *depot) add(t *testing.T, e lake.Entry) int64 {
	t.Helper()
	e.ID = rand.Text()
	added, err := journal.New(d.bucket).Add(t.Context(), e)
	if err != nil {
		t.Fatal(err)
	}
	return added.N
}

func (d *depot) replay(t *testing.T) int64 {
	t.Helper()
	return d.add(t, lake.Entry{Replay: &lake.ReplayRequest{Reason: "test", Metadata: "v2"}})
}

// again leaves what an epoch made of an arrival, in place of what an earlier epoch made.
func (d *depot) again(t *testing.T, n int, epoch, was int64, word string) {
	t.Helper()
	d.leave(t, lake.Pending{
		Arrival: arrivalOf(n), Epoch: epoch, Base: epoch, Record: d.derived(t, n, epoch, word), Replaces: loadOf(n, was), Drops: []string{table},
	})
}

func want(t *testing.T, got []string, words ...string) {
	t.Helper()
	if d := cmp.Diff(words, got); d != "" {
		t.Error(d)
	}
}

func TestReplacedRowsLeaveWhenTheNewOnesCome(t *testing.T) {
	t.Parallel()
	d := open(t)
	d.arrive(t, 1, "one", 0)
	d.arrive(t, 2, "two", 0)
	want(t, d.round(t), "one", "two")

	k := d.replay(t)
	d.again(t, 1, k, 0, "ONE")
	want(t, d.round(t), "ONE", "two")
	d.again(t, 1, k, 0, "ONE") // the reply to its first put was lost
	want(t, d.round(t), "ONE", "two")

	got := d.rows(t, lake.OpsLoads, "arrival", "status", "epoch", "replaces", "read", "committed", "filtered", "rejected")
	if d := cmp.Diff([][]string{
		{arrivalOf(1).ID(), "loaded", "0", "", "4", "1", "1", "2"},
		{arrivalOf(2).ID(), "loaded", "0", "", "4", "1", "1", "2"},
		{arrivalOf(1).ID(), "loaded", "2", loadOf(1, 0), "4", "1", "1", "2"},
	}, got); d != "" {
		t.Error(d)
	}
}

// stuck is tables that cannot be changed.
type stuck struct{ *warehouse.Warehouse }

func (stuck) Apply(context.Context, warehouse.Head, warehouse.Change) error {
	return errors.New("stuck")
}

// TestReplacedBeforeItCame: a table that takes in a load and its successor at once never shows the former.
func TestReplacedBeforeItCame(t *testing.T) {
	t.Parallel()
	d := open(t)
	c, err := commit.New(commit.Config{Bucket: d.bucket, Tables: stuck{d.warehouse}, Log: slog.New(slog.DiscardHandler), Tries: 1})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Ensure(t.Context(), wanted()); err != nil {
		t.Fatal(err)
	}
	d.arrive(t, 1, "one", 0)
	if _, err := c.Round(t.Context()); err == nil {
		t.Fatal("the tables should fail")
	}
	for i, word := range []string{"ONE", "1"} {
		k := d.replay(t)
		d.again(t, 1, k, []int64{0, 2}[i], word)
		if _, err := c.Round(t.Context()); err == nil {
			t.Fatal("the tables should fail")
		}
	}
	want(t, d.round(t), "1")
}

// TestLaterReplayEndsTheEarlier: what an earlier replay left pending is dropped, and its arrival has no receipt for it.
func TestLaterReplayEndsTheEarlier(t *testing.T) {
	t.Parallel()
	d := open(t)
	d.arrive(t, 1, "one", 0)
	d.round(t)
	first := d.replay(t)
	second := d.replay(t)
	d.again(t, 1, first, 0, "first")
	want(t, d.round(t), "one")
	if n := d.count(t, store.PendingPrefix); n != 0 {
		t.Errorf("%d left pending", n)
	}
	d.again(t, 1, first, 0, "first")
	d.again(t, 1, second, 0, "second")
	want(t, d.round(t), "second")
	if got := d.rows(t, lake.OpsLoads, "epoch"); len(got) != 2 {
		t.Errorf("receipts of epochs %v", got)
	}
}

func TestRefusedReplayKeepsTheRows(t *testing.T) {
	t.Parallel()
	d := open(t)
	d.arrive(t, 1, "one", 0)
	d.round(t)
	k := d.replay(t)
	d.leave(t, lake.Pending{
		Arrival: arrivalOf(1), Epoch: k, Base: k, Replaces: loadOf(1, 0), Drops: []string{table},
		Record: lake.Record{Format: lake.Format, Load: "q", Arrival: arrivalOf(1).ID(), Epoch: k, Status: lake.Quarantined, Reason: lake.Malformed},
	})
	want(t, d.round(t), "one")
	if got := d.rows(t, lake.OpsLoads, "status"); len(got) != 2 || got[1][0] != "quarantined" {
		t.Errorf("receipts %v", got)
	}
}

func TestReplayOfAnUnknownEpochHoldsUpNobody(t *testing.T) {
	t.Parallel()
	d := open(t)
	d.again(t, 1, 99, 0, "from nowhere")
	d.arrive(t, 2, "two", 0)
	want(t, d.round(t), "two")
}

func TestRestoreBringsLaterLoadsBack(t *testing.T) {
	t.Parallel()
	d := open(t)
	for n, word := range []string{"one", "two", "three"} {
		d.arrive(t, n, word, int64(n))
		d.round(t)
	}
	snapshots, err := d.warehouse.Snapshots(t.Context(), table)
	if err != nil || len(snapshots) != 3 {
		t.Fatalf("%d snapshots, %v", len(snapshots), err)
	}
	k := d.replay(t)
	d.again(t, 0, k, 0, "ONE")
	want(t, d.round(t), "ONE", "three", "two")

	back := lake.Restore{Table: table, Snapshot: snapshots[0].ID, Batch: snapshots[0].Batch, Exclude: []string{loadOf(1, 0)}}
	d.add(t, lake.Entry{Restore: &back})
	want(t, d.round(t), "ONE", "three")

	all := back
	all.Exclude = []string{loadOf(1, 0), loadOf(0, k)} // without the replay what was there before is back
	d.add(t, lake.Entry{Restore: &all})
	d.arrive(t, 4, "four", 4) // comes in the same transaction
	want(t, d.round(t), "four", "one", "three")

	k = d.replay(t)
	d.leave(t, lake.Pending{
		Arrival: arrivalOf(0), Epoch: k, Base: k, Record: d.derived(t, 0, k, "1"),
		Replaces: loadOf(0, 4), Older: []string{loadOf(0, 0)}, Drops: []string{table},
	})
	d.leave(t, lake.Pending{
		Arrival: arrivalOf(1), Epoch: k, Base: k, Record: d.derived(t, 1, k, "2"),
		Replaces: loadOf(1, 0), Drops: []string{table}, Without: []string{table},
	})
	want(t, d.round(t), "1", "four", "three")

	gone := lake.Restore{Table: table, Snapshot: 1, Batch: 0}
	d.add(t, lake.Entry{Restore: &gone})
	d.arrive(t, 5, "five", 9)
	want(t, d.round(t), "1", "five", "four", "three") // the restore is passed over
}

// TestReplacementSurvivesFaults: whatever call of a round that replaces fails, loses its reply or is the last, the next
// round ends with the new rows alone, and no round before shows both or none.
func TestReplacementSurvivesFaults(t *testing.T) {
	t.Parallel()
	calls := 0
	for n := -1; n < calls; n++ { // the first time without a fault
		for i, fault := range faulty.Faults() {
			if (i+n)%2 == 0 { // neighbours share them out
				continue
			}
			d := openIn(t, "mem://")
			d.arrive(t, 1, "one", 0)
			d.round(t)
			d.again(t, 1, d.replay(t), 0, "ONE")
			bad, driver := faulty.New(d.bucket, faulty.Nth(n, fault))
			bad.Retry.Tries = 1
			c, err := commit.New(commit.Config{Bucket: bad, Tables: d.warehouse, Log: slog.New(slog.DiscardHandler), Tries: 1, Parallel: 1})
			if err != nil {
				t.Fatal(err)
			}
			_, first := c.Round(t.Context())
			calls = max(calls, len(driver.Calls()))
			if got := d.words(t); len(got) != 1 {
				t.Fatalf("call %d, %s: shows %v", n, fault, got)
			}
			if got := d.round(t); len(got) != 1 || got[0] != "ONE" {
				t.Fatalf("call %d, %s: %v after %v", n, fault, got, first)
			}
			if got := d.rows(t, lake.OpsLoads, "arrival"); len(got) != 2 {
				t.Fatalf("call %d, %s: %d receipts", n, fault, len(got))
			}
		}
	}
}
