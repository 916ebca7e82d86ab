package ingest_test

import (
	"context"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"medlake/functions/ingest"
	"medlake/shared/archive/lock"
	"medlake/shared/lake"
	"medlake/shared/store"
)

// replayed reads what an arrival is pending with for an epoch.
func (d *depot) replayed(t *testing.T, a lake.Arrival, epoch int64) lake.Pending {
	t.Helper()
	var p lake.Pending
	data, err := d.bucket.Get(t.Context(), store.PendingKey(a.ID(), epoch))
	if err == nil {
		err = json.Unmarshal(data, &p)
	}
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestDeriveMakesALoadOfItsOwn(t *testing.T) {
	t.Parallel()
	d := open(t, "mem://")
	f := d.ingest(t, nil)
	a := d.upload(t, "acme/visits/1.zip", locked(t))
	first := d.process(t, f, a)
	p := lake.Pending{Arrival: a, Epoch: 7, Replaces: first.Load, Drops: []string{"lake.visits", "lake.beds"}, Without: []string{"lake.beds"}}
	p.Arrival.At = a.At.Add(-time.Hour) // the log's word for it counts, not what a copied bucket says
	var loads []string
	for range 2 {
		if err := f.Derive(t.Context(), p); err != nil {
			t.Fatal(err)
		}
		got := d.replayed(t, a, 7)
		r := got.Record
		loads = append(loads, r.Load)
		if r.Load == first.Load || r.Epoch != 7 || r.Arrival != a.ID() || !r.ArrivedAt.Equal(p.Arrival.At) || r.Status != lake.Loaded {
			t.Errorf("record %+v", r)
		}
		if diff := cmp.Diff([]string{"V1"}, d.values(t, r, "lake.visits", "visit_id")); diff != "" {
			t.Error(diff)
		}
		got.Format, got.Base, got.Record = 0, 0, lake.Record{}
		if diff := cmp.Diff(p, got); diff != "" {
			t.Error(diff)
		}
	}
	if loads[0] != loads[1] {
		t.Errorf("loads %v of one epoch", loads)
	}
	if n := d.attempts(t, a); n != 0 {
		t.Errorf("%d attempts counted", n)
	}
	p.Epoch = 9
	if err := f.Derive(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	if r := d.replayed(t, a, 9).Record; r.Load == loads[0] {
		t.Error("two epochs share a load")
	}
	if err := d.bucket.Delete(t.Context(), a.Key); err != nil {
		t.Fatal(err)
	}
	if err := f.Derive(t.Context(), p); !errors.Is(err, lake.ErrInvalid) {
		t.Errorf("an upload that is gone: %v", err)
	}
}

// TestRefusedArrivalWaitsForAReplay: after a fix an arrival that was refused is not loaded by an event that comes twice,
// for its receipt may be in the log. A replay loads it, under the id that other uploads of the same content meet.
func TestRefusedArrivalWaitsForAReplay(t *testing.T) {
	t.Parallel()
	d := open(t, "mem://")
	locked := zip(t, lock.AES256, "new password", map[string]string{"visits.csv": visits})
	a := d.upload(t, "acme/visits/1.zip", locked)
	if r := d.process(t, d.ingest(t, nil), a); r.Reason != lake.WrongPassword {
		t.Fatalf("got %+v", r)
	}
	f := d.ingest(t, func(c *ingest.Config) { c.Secrets = secrets{"zip/acme": {"new password"}} })
	if r := d.process(t, f, a); r.Status != lake.Quarantined {
		t.Errorf("an event that comes twice: %+v", r)
	}
	if err := f.Derive(t.Context(), lake.Pending{Arrival: a, Epoch: 3}); err != nil {
		t.Fatal(err)
	}
	got := d.replayed(t, a, 3)
	if got.Record.Status != lake.Loaded || got.Base < 3 {
		t.Errorf("pending %+v", got)
	}
	if err := d.bucket.Delete(t.Context(), store.PendingKey(a.ID(), 0)); err != nil { // the log has it
		t.Fatal(err)
	}
	if r := d.process(t, f, a); r.Status != lake.Quarantined {
		t.Errorf("the event once more: %+v", r)
	}
	if r := d.process(t, f, d.upload(t, "acme/visits/2.zip", locked)); r.Status != lake.Duplicate || r.Load != got.Record.Load {
		t.Errorf("the same content: %+v", r)
	}
}

// TestDeadlyReplayIsTriedAlone: a replay counts its own deaths, and what it cannot open is refused for this replay only.
func TestDeadlyReplayIsTriedAlone(t *testing.T) {
	t.Parallel()
	d := open(t, "mem://")
	a := d.upload(t, "acme/visits/1.zip", locked(t))
	first := d.process(t, d.ingest(t, nil), a)
	var alone []lake.Pending
	f := d.ingest(t, func(c *ingest.Config) {
		c.Engine = &deadly{c.Engine, true}
		c.Alone = func(_ context.Context, p lake.Pending) error { alone = append(alone, p); return ingest.ErrDied }
	})
	p := lake.Pending{Arrival: a, Epoch: 7, Replaces: first.Load, Drops: []string{"lake.visits"}}
	for range 3 {
		if err := f.Derive(t.Context(), p); err == nil {
			t.Fatal("a panic is no success")
		}
	}
	if err := f.Derive(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]lake.Pending{p}, alone); diff != "" {
		t.Error(diff)
	}
	if r := d.replayed(t, a, 7).Record; r.Status != lake.Quarantined || r.Reason != lake.Crashed {
		t.Errorf("record %+v", r)
	}
	if err := d.ingest(t, nil).Derive(t.Context(), lake.Pending{Arrival: a, Epoch: 9, Replaces: first.Load}); err != nil {
		t.Fatal(err)
	}
	if r := d.replayed(t, a, 9).Record; r.Status != lake.Loaded {
		t.Errorf("the next replay: %+v", r)
	}
}

// TestCorrectedNameIsANewLoad: the same members count as another upload if one of them is wanted now and was not before,
// and only then.
func TestCorrectedNameIsANewLoad(t *testing.T) {
	t.Parallel()
	d := open(t, "mem://")
	f := d.ingest(t, nil)
	send := func(name, beds string) ingest.Result {
		z := zip(t, lock.None, "", map[string]string{"visits.csv": visits, beds: "bed\nB1\n"})
		return d.process(t, f, d.upload(t, "acme/visits/"+name, z))
	}
	wrong, other, right := send("1.zip", "bedz.csv"), send("2.zip", "list.csv"), send("3.zip", "beds.csv")
	if other.Status != lake.Duplicate {
		t.Errorf("another wrong name: %+v", other)
	}
	if right.Status != lake.Loaded || right.Load == wrong.Load || right.Rows["lake.beds"] != 1 {
		t.Errorf("the right name: %+v", right)
	}
}
