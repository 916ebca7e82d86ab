package replay_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"medlake/functions/replay"
	"medlake/shared/lake"
	"medlake/shared/store"
	"medlake/shared/store/faulty"
	"medlake/shared/store/journal"
)

var (
	before = engine{"v1", "new"}
	after  = engine{"v2", "old"}
)

// filled is a world in which every kind of arrival stands in the log.
func filled(t *testing.T) *world {
	t.Helper()
	w := open(t)
	for i, u := range [][2]string{
		{"acme/1.a", "one"},
		{"acme/2.a", "two"},
		{"acme/again.a", "one"},
		{"acme/old.a", "old"},
		{"acme/new.a", "new"},
		{"acme/new2.a", "new"},
		{"acme/1.b", "one"},
		{"birch/1.a", "one"},
	} {
		if w.arrive(before, u[0], u[1]); i%3 == 1 {
			w.commit()
		}
	}
	return w
}

// check compares the receipts since the world was filled and what the table shows with what they should be.
func (w *world) check(want map[string][]string) {
	w.t.Helper()
	in := map[string]int{}
	for name, h := range w.read() {
		if d := cmp.Diff(want[name], h.receipts); d != "" {
			w.t.Errorf("%s: %s", name, d)
		}
		if h.load != "" {
			in[h.load] = 1
		}
	}
	if d := cmp.Diff(in, w.tables.loads(words)); d != "" {
		w.t.Errorf("loads in the table: %s", d)
	}
}

func TestReplayReplacesWhatIsInScope(t *testing.T) {
	t.Parallel()
	w := filled(t)
	r := w.replayer(w.bucket, after)
	if _, err := r.Resume(t.Context()); !errors.Is(err, lake.ErrNotFound) {
		t.Errorf("before any request: %v", err)
	}
	k, err := r.Request(t.Context(), lake.ReplayRequest{Feed: "a", Customer: "acme", Reason: "beds were read as rooms"})
	if err != nil || k != 4 {
		t.Fatalf("epoch %d, %v", k, err)
	}
	w.arrive(before, "acme/3.a", "three") // after the request
	w.commit()
	got, err := r.Resume(t.Context())
	if d := cmp.Diff(replay.Report{Epoch: 4, Arrivals: 5, Derived: 5}, got); d != "" || err != nil {
		t.Error(d, err)
	}
	w.commit()
	want := map[string][]string{
		"acme/1.a":     {"0 loaded", "4 loaded"},
		"acme/2.a":     {"0 loaded", "4 loaded"},
		"acme/again.a": {"0 duplicate"},
		"acme/old.a":   {"0 loaded", "4 quarantined"},
		"acme/new.a":   {"0 quarantined", "4 loaded"},
		"acme/new2.a":  {"0 quarantined", "4 duplicate"},
		"acme/1.b":     {"0 loaded"},
		"birch/1.a":    {"0 loaded"},
		"acme/3.a":     {"0 loaded"},
	}
	w.check(want)
	got, err = r.Resume(t.Context())
	if d := cmp.Diff(replay.Report{Epoch: 4, Arrivals: 5, Done: 5}, got); d != "" || err != nil {
		t.Error(d, err)
	}
	if _, err := w.replayer(w.bucket, before).Resume(t.Context()); !errors.Is(err, lake.ErrConflict) {
		t.Errorf("with other metadata: %v", err)
	}

	// A later one about all: what was a duplicate of another upload stays one, what was refused stays as it was.
	if _, err := r.Request(t.Context(), lake.ReplayRequest{Reason: "again"}); err != nil {
		t.Fatal(err)
	}
	got, err = r.Resume(t.Context())
	if d := cmp.Diff(replay.Report{Epoch: 7, Arrivals: 7, Derived: 7}, got); d != "" || err != nil {
		t.Error(d, err)
	}
	w.commit()
	for name, status := range map[string]string{"acme/old.a": "quarantined", "acme/1.a": "", "acme/2.a": "", "acme/new.a": "", "acme/1.b": "", "birch/1.a": "", "acme/3.a": ""} {
		if status == "" {
			status = "loaded"
		}
		want[name] = append(want[name], "7 "+status)
	}
	w.check(want)
	if err := w.bucket.Delete(t.Context(), w.lives["acme/1.a"].Key); err != nil { // erased
		t.Fatal(err)
	}
	if _, err := r.Request(t.Context(), lake.ReplayRequest{Feed: "a", Customer: "acme", Reason: "again", Until: w.lives["acme/2.a"].At}); err != nil {
		t.Fatal(err)
	}
	got, err = r.Resume(t.Context())
	if d := cmp.Diff(replay.Report{Epoch: 9, Arrivals: 1, Gone: 1}, got); d != "" || err != nil {
		t.Error(d, err)
	}
}

// TestReplaySurvivesFaults: whatever call of a replay or of the commit after it fails, loses its reply or is the last,
// asking and resuming again ends with one live load for each arrival and one receipt for each replay.
func TestReplaySurvivesFaults(t *testing.T) {
	t.Parallel()
	calls := 0
	for n := -1; n < calls; n++ { // the first time without a fault
		for i, fault := range faulty.Faults() {
			if (i+n)%2 == 0 { // neighbours share them out: a world costs 20 ms
				continue
			}
			w := filled(t)
			bad, driver := faulty.New(w.bucket, faulty.Nth(n, fault))
			bad.Retry.Tries = 1
			r := w.replayer(bad, after)
			_, err := r.Request(t.Context(), lake.ReplayRequest{Feed: "a", Customer: "acme", Reason: "why"})
			if err == nil {
				_, err = r.Resume(t.Context())
			}
			if err == nil {
				_ = w.round(bad)
			}
			calls = max(calls, len(driver.Calls()))
			w.commit()
			w.settled(fmt.Sprintf("call %d, %s", n, fault), false)

			r = w.replayer(w.bucket, after)
			got, err := r.Resume(t.Context())
			if errors.Is(err, lake.ErrNotFound) {
				if _, err = r.Request(t.Context(), lake.ReplayRequest{Feed: "a", Customer: "acme", Reason: "why"}); err == nil {
					got, err = r.Resume(t.Context())
				}
			}
			if err != nil || got.Done+got.Derived != 5 {
				t.Fatalf("call %d, %s: %+v, %v", n, fault, got, err)
			}
			w.commit()
			w.settled(fmt.Sprintf("call %d, %s", n, fault), true)
			if t.Failed() {
				return
			}
		}
	}
	t.Logf("%d calls", calls)
}

// settled checks that each arrival stands in the log once for each epoch and that the table shows the last load of each;
// if all, that the replay is done.
func (w *world) settled(at string, all bool) {
	w.t.Helper()
	in := map[string]int{}
	for name, h := range w.read() {
		receipts := h.receipts
		if n := len(receipts); n > 2 || n == 2 && receipts[0] == receipts[1] {
			w.t.Errorf("%s: %s has receipts %v", at, name, receipts)
		}
		if h.load != "" {
			in[h.load] = 1
		}
		replayed := !slices.Contains([]string{"acme/again.a", "acme/1.b", "birch/1.a"}, name)
		if all && (len(receipts) == 2) != replayed {
			w.t.Errorf("%s: %s has receipts %v", at, name, receipts)
		}
	}
	if d := cmp.Diff(in, w.tables.loads(words)); d != "" {
		w.t.Errorf("%s: loads in the table: %s", at, d)
	}
	for o, err := range w.bucket.List(w.t.Context(), store.PendingPrefix) {
		w.t.Errorf("%s: left pending: %s, %v", at, o.Key, err)
	}
}

// TestReplayAfterRestores: what a restore left out of a table stays out of it, and what it brought back is replaced.
func TestReplayAfterRestores(t *testing.T) {
	t.Parallel()
	w := open(t)
	w.two()
	two := w.load("acme/2.a")
	back := func(exclude ...string) {
		t.Helper()
		_, err := journal.New(w.bucket).Add(t.Context(), lake.Entry{
			ID: fmt.Sprint(exclude), Restore: &lake.Restore{Table: words, Snapshot: 1, Batch: 1, Exclude: exclude},
		})
		if err != nil {
			t.Fatal(err)
		}
		w.commit()
	}
	again := func(want replay.Report) {
		t.Helper()
		r := w.replayer(w.bucket, after)
		if _, err := r.Request(t.Context(), lake.ReplayRequest{Reason: "why", Since: time.Unix(0, 0)}); err != nil {
			t.Fatal(err)
		}
		got, err := r.Resume(t.Context())
		got.Epoch = 0
		if d := cmp.Diff(want, got); d != "" || err != nil {
			t.Fatal(d, err)
		}
		w.commit()
	}
	shows := func(loads ...string) {
		t.Helper()
		want := map[string]int{}
		for _, l := range loads {
			want[l] = 1
		}
		if d := cmp.Diff(want, w.tables.loads(words)); d != "" {
			t.Error(d)
		}
	}
	first := w.load("acme/1.a")
	back(two)
	shows(first)
	again(replay.Report{Arrivals: 2, Derived: 1, Excluded: 1})
	second := w.load("acme/1.a")
	shows(second)
	back(two, second) // the replay is undone
	shows(first)
	again(replay.Report{Arrivals: 2, Derived: 1, Excluded: 1})
	third := w.load("acme/1.a")
	shows(third)
	back(third) // and what was left out comes back: the choice is made anew
	shows(second, two)
	again(replay.Report{Arrivals: 2, Derived: 2})
	shows(w.load("acme/1.a"), w.load("acme/2.a"))
}
