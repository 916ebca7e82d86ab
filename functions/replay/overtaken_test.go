package replay_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"medlake/shared/lake"
	"medlake/shared/store/journal"
)

// TestRestoreBetweenARequestAndItsLoads: a restore that undoes an earlier replay, claimed after the next replay was asked
// for and before its loads are in the log, does not leave the rows of before beside the new ones, and what it left out
// stays out.
func TestRestoreBetweenARequestAndItsLoads(t *testing.T) {
	t.Parallel()
	w := open(t)
	w.two()
	r := w.replayer(w.bucket, after)
	request := func() {
		t.Helper()
		if _, err := r.Request(t.Context(), lake.ReplayRequest{Reason: "why", Since: time.Unix(0, 0)}); err != nil {
			t.Fatal(err)
		}
	}
	resume := func() {
		t.Helper()
		if _, err := r.Resume(t.Context()); err != nil {
			t.Fatal(err)
		}
		w.commit()
	}
	first := w.load("acme/2.a")
	request()
	resume()
	second := w.load("acme/1.a")
	request()
	_, err := journal.New(w.bucket).Add(t.Context(), lake.Entry{
		ID: "back", Restore: &lake.Restore{Table: words, Snapshot: 1, Batch: 1, Exclude: []string{second, w.load("acme/2.a"), first}},
	})
	if err != nil {
		t.Fatal(err)
	}
	w.commit()
	resume()
	if d := cmp.Diff(map[string]int{w.load("acme/1.a"): 1}, w.tables.loads(words)); d != "" {
		t.Error(d)
	}
}

// TestRestoreOfWhatIsOnItsWay: a restore that comes between what a replay has derived and commit stops it, and the replay,
// gone on with, goes by the restore.
func TestRestoreOfWhatIsOnItsWay(t *testing.T) {
	t.Parallel()
	w := open(t)
	w.two()
	r := w.replayer(w.bucket, after)
	if _, err := r.Request(t.Context(), lake.ReplayRequest{Reason: "why"}); err != nil {
		t.Fatal(err)
	}
	resume := func(derived int) {
		t.Helper()
		report, err := r.Resume(t.Context())
		if err != nil || report.Derived != derived {
			t.Fatalf("%+v, %v, want %d derived", report, err, derived)
		}
	}
	resume(2)
	out := w.load("acme/2.a")
	_, err := journal.New(w.bucket).Add(t.Context(), lake.Entry{
		ID: "back", Restore: &lake.Restore{Table: words, Snapshot: 1, Batch: 1, Exclude: []string{out}},
	})
	if err != nil {
		t.Fatal(err)
	}
	w.commit()
	if d := cmp.Diff(map[string]int{w.load("acme/1.a"): 1}, w.tables.loads(words)); d != "" {
		t.Error(d)
	}
	first := w.load("acme/1.a")
	resume(1)
	w.commit()
	resume(0)
	if now := w.load("acme/1.a"); now == first {
		t.Error("the replay was not gone on with")
	}
	if d := cmp.Diff(map[string]int{w.load("acme/1.a"): 1}, w.tables.loads(words)); d != "" {
		t.Error(d)
	}
}
