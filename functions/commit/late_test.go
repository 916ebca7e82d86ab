package commit_test

import (
	"testing"

	"medlake/shared/lake"
	"medlake/shared/store"
)

// erase claims an erasure of an arrival's loads: those of epochs. With records another upload is to take its place.
func (d *depot) erase(t *testing.T, n int, records map[int][]int64, epochs ...int64) int64 {
	t.Helper()
	u := lake.Erased{Arrival: arrivalOf(n).ID(), At: arrivalOf(n).At, Drops: []string{table}, Records: records}
	for i, epoch := range epochs {
		if i == len(epochs)-1 {
			u.Replaces = loadOf(n, epoch)
		} else {
			u.Older = append(u.Older, loadOf(n, epoch))
		}
	}
	e := lake.Entry{Erase: &lake.Erasure{Customer: "acme", Uploads: []lake.Erased{u}}}
	if len(records) == 0 {
		e.Loads = []lake.Load{{Load: lake.Hash("gone", u.Arrival), Replaces: u.Replaces, Older: u.Older, Drops: u.Drops, Erased: true}}
	}
	return d.add(t, e)
}

// rewritten leaves what an erasure made of another arrival, in the place of load `was`.
func (d *depot) rewritten(t *testing.T, n int, epoch int64, was, word string) {
	t.Helper()
	p := lake.Pending{Arrival: arrivalOf(n), Epoch: epoch, Base: epoch, Replaces: was, Drops: []string{table}, Erased: true}
	p.Record = lake.Record{Format: lake.Format, Load: lake.Hash("refused", p.Arrival.ID()), Arrival: p.Arrival.ID(), Epoch: epoch, Status: lake.Quarantined, Reason: lake.Malformed}
	if word != "" {
		p.Record = d.derived(t, n, epoch, word)
	}
	d.leave(t, p)
}

func TestErasedRowsLeave(t *testing.T) {
	t.Parallel()
	d := open(t)
	for n, word := range []string{"whole", "part", "refused", "other"} {
		d.arrive(t, n, word, int64(n))
		d.round(t)
	}
	d.erase(t, 0, nil, 0)
	part := d.erase(t, 1, map[int][]int64{0: {1}}, 0)
	refused := d.erase(t, 2, map[int][]int64{0: {1}}, 0)
	want(t, d.round(t), "other", "part", "refused")
	d.replay(t) // later replays do not end erasures
	d.rewritten(t, 11, part, loadOf(1, 0), "rest")
	d.rewritten(t, 12, refused, loadOf(2, 0), "")
	want(t, d.round(t), "other", "rest")
	if got := d.rows(t, lake.OpsLoads, "status"); len(got) != 6 || got[5][0] != "quarantined" {
		t.Errorf("receipts %v", got)
	}
}

// TestErasedStaysErased: neither what a replay made of an upload before it was erased, nor a restore that leaves out what
// came in its place, brings its rows back.
func TestErasedStaysErased(t *testing.T) {
	t.Parallel()
	d := open(t)
	d.arrive(t, 1, "one", 0)
	d.round(t)
	k := d.replay(t)
	e := d.erase(t, 1, map[int][]int64{0: {1}}, 0)
	d.again(t, 1, k, 0, "ONE")
	want(t, d.round(t), "one")
	if n := d.count(t, store.PendingPrefix); n != 0 {
		t.Errorf("%d left pending", n)
	}
	d.rewritten(t, 11, e, loadOf(1, 0), "rest")
	want(t, d.round(t), "rest")
	s, err := d.warehouse.Snapshots(t.Context(), table)
	if err != nil {
		t.Fatal(err)
	}
	d.add(t, lake.Entry{Restore: &lake.Restore{Table: table, Snapshot: s[0].ID, Batch: s[0].Batch, Exclude: []string{loadOf(11, e)}}})
	if got := d.round(t); len(got) > 0 {
		t.Errorf("%v is back", got)
	}
}

// TestRestoreEndsWhatWasDerivedBefore: a replay's load goes by what the log said when it was derived. A restore since makes
// it void, and the replay looks again.
func TestRestoreEndsWhatWasDerivedBefore(t *testing.T) {
	t.Parallel()
	d := open(t)
	d.arrive(t, 1, "one", 0)
	d.round(t)
	d.arrive(t, 2, "two", 1)
	d.round(t)
	s, err := d.warehouse.Snapshots(t.Context(), table)
	if err != nil {
		t.Fatal(err)
	}
	k := d.replay(t)
	r := d.add(t, lake.Entry{Restore: &lake.Restore{Table: table, Snapshot: s[0].ID, Batch: s[0].Batch, Exclude: []string{loadOf(2, 0)}}})
	other := d.add(t, lake.Entry{Restore: &lake.Restore{Table: "lake.other", Snapshot: 1}})
	p := lake.Pending{Arrival: arrivalOf(2), Epoch: k, Base: k, Record: d.derived(t, 2, k, "TWO"), Replaces: loadOf(2, 0), Drops: []string{table}}
	for _, seen := range []int64{0, r - 1} {
		p.Seen = seen
		d.leave(t, p)
		want(t, d.round(t), "one")
		if n := d.count(t, store.PendingPrefix); n != 0 {
			t.Errorf("seen %d: %d left pending", seen, n)
		}
	}
	p.Seen = other - 1
	d.leave(t, p)
	want(t, d.round(t), "TWO", "one")
}
