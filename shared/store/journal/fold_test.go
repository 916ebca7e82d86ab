package journal_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"medlake/shared/lake"
	"medlake/shared/store"
	"medlake/shared/store/faulty"
	"medlake/shared/store/journal"
)

const entries = 25

// long fills a log.
func long(t *testing.T) *store.Bucket {
	t.Helper()
	b := bucket(t)
	j := journal.New(b)
	for n := int64(1); n <= entries; n++ {
		e := entry(n, fmt.Sprintf("a%d", n))
		e.Loads[0].Tables = []lake.TableFiles{{Table: "lake.x", Committed: n}}
		r := lake.Record{Format: lake.Format, Load: e.Loads[0].Load, Arrival: e.Receipts[0].ID, Base: n - 1, Tables: e.Loads[0].Tables}
		data, err := json.Marshal(r)
		if err == nil {
			err = b.Put(t.Context(), store.LoadKey(r.Load), data)
		}
		if err == nil {
			_, err = j.Claim(t.Context(), e)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return b
}

// folder folds groups of four and leaves the last three entries alone.
func folder(b *store.Bucket) *journal.Journal {
	j := journal.New(b)
	j.Group, j.Recent = 4, 3
	return j
}

// readable reads every entry as a new process does, and tells how many lie under their own keys.
func readable(t *testing.T, b *store.Bucket) (own int) {
	t.Helper()
	j := journal.New(b)
	for n := int64(1); n <= entries; n++ {
		e, err := j.Entry(t.Context(), n)
		if err != nil || e.N != n || !e.HasArrival(fmt.Sprintf("a%d", n), 0) || !e.HasLoad(fmt.Sprintf("load%d", n)) {
			t.Fatalf("entry %d: %+v, %v", n, e, err)
		}
		if r, err := journal.New(b).Receipts(t.Context(), n); err != nil || !slices.EqualFunc(r, e.Receipts, func(a, b lake.Receipt) bool { return a.ID == b.ID }) {
			t.Fatalf("receipts of entry %d: %+v, %v", n, r, err)
		}
		r, err := j.Record(t.Context(), e.Loads[0].Load)
		if err != nil || r.Arrival != e.Receipts[0].ID || r.Base != n-1 || len(r.Tables) != 1 || r.Tables[0].Committed != n {
			t.Fatalf("record of entry %d: %+v, %v", n, r, err)
		}
		data, err := b.Get(t.Context(), store.LogKey(n))
		if err != nil {
			t.Fatal(err)
		}
		if folded := r.Log > 0; folded != (r.Log == n) || !folded && !bytes.Contains(data, []byte("receipts")) {
			t.Fatalf("entry %d is folded and its record is not shortened", n)
		}
		if bytes.Contains(data, []byte("receipts")) {
			own++
		}
	}
	if n, err := j.Tail(t.Context()); n != entries || err != nil {
		t.Fatalf("tail %d, %v", n, err)
	}
	return own
}

func TestFoldCutsFullGroupsOfOldEntries(t *testing.T) {
	t.Parallel()
	b := long(t)
	for _, tt := range []struct{ upTo, want int64 }{{3, 0}, {10, 8}, {10, 8}, {13, 12}, {100, 20}} {
		got, err := folder(b).Fold(t.Context(), tt.upTo)
		if err != nil || got != tt.want {
			t.Errorf("up to %d: folded to %d, %v; want %d", tt.upTo, got, err, tt.want)
		}
		if own := readable(t, b); own != entries-int(tt.want) {
			t.Errorf("up to %d: %d entries lie under their own keys", tt.upTo, own)
		}
	}
	old, err := folder(b).Claim(t.Context(), entry(2, "late")) // who woke up late loses against a folded entry too
	if err != nil || !old.HasArrival("a2", 0) || old.HasArrival("late", 0) {
		t.Errorf("got %+v, %v", old, err)
	}
}

// TestFoldSurvivesFaults: whatever call fails, loses its reply or is the last, every entry is readable before that call and
// after, and folding again comes to the same.
func TestFoldSurvivesFaults(t *testing.T) {
	t.Parallel()
	calls := 0                    // of a run without faults
	for n := -1; n < calls; n++ { // the first time without a fault
		for _, fault := range faulty.Faults() {
			b := long(t)
			nth := faulty.Nth(n, fault)
			bad, driver := faulty.New(b, func(c faulty.Call) faulty.Fault {
				if c.N == n {
					readable(t, b)
				}
				return nth(c)
			})
			bad.Retry.Tries = 1
			_, err := folder(bad).Fold(t.Context(), 10)
			if n < 0 {
				calls = len(driver.Calls())
			}
			if n >= 0 && err == nil && fault == faulty.Before {
				t.Fatalf("call %d: no error", n)
			}
			readable(t, b)
			if got, err := folder(b).Fold(t.Context(), 100); got != 20 || err != nil {
				t.Fatalf("call %d, %s: folded to %d, %v", n, fault, got, err)
			}
			if own := readable(t, b); own != 5 {
				t.Fatalf("call %d, %s: %d entries lie under their own keys", n, fault, own)
			}
		}
	}
}

func TestFoldersAtOnce(t *testing.T) {
	t.Parallel()
	b := long(t)
	var all sync.WaitGroup
	for i := range 4 {
		all.Go(func() {
			j := folder(b)
			j.Group = 3 + i%2 // an older program cuts otherwise
			if _, err := j.Fold(t.Context(), 100); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	readable(t, b)
}

// TestLostGroupIsNoTail: an entry whose group is missing or damaged is an error, never the end of the log.
func TestLostGroupIsNoTail(t *testing.T) {
	t.Parallel()
	b := long(t)
	if _, err := folder(b).Fold(t.Context(), 100); err != nil {
		t.Fatal(err)
	}
	for _, damage := range []func() error{
		func() error { return b.Put(t.Context(), store.FoldedKey(1, 4), []byte("not gzip")) },
		func() error { return b.Delete(t.Context(), store.FoldedKey(1, 4)) },
	} {
		if err := damage(); err != nil {
			t.Fatal(err)
		}
		if _, err := journal.New(b).Entry(t.Context(), 2); err == nil || errors.Is(err, lake.ErrNotFound) {
			t.Errorf("got %v", err)
		}
	}
}

// TestFoldChecksWhatItFinds: a group that is there already and differs stops the folding before any entry is overwritten.
func TestFoldChecksWhatItFinds(t *testing.T) {
	t.Parallel()
	b, other := long(t), bucket(t)
	j := journal.New(other)
	for n := int64(1); n <= 8; n++ {
		if _, err := j.Claim(t.Context(), entry(n, "another")); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := folder(other).Fold(t.Context(), 4); err != nil {
		t.Fatal(err)
	}
	data, err := other.Get(t.Context(), store.FoldedKey(1, 4))
	if err == nil {
		err = b.Put(t.Context(), store.FoldedKey(1, 4), data)
	}
	if err != nil {
		t.Fatal(err)
	}
	if _, err := folder(b).Fold(t.Context(), 100); err == nil || !strings.Contains(err.Error(), "not the same") {
		t.Errorf("got %v", err)
	}
	if own := readable(t, b); own != entries {
		t.Errorf("%d entries overwritten", entries-own)
	}
}

func TestAddClaimsAnEntryOfItsOwn(t *testing.T) {
	t.Parallel()
	b := bucket(t)
	behind := journal.New(b)
	if _, err := behind.Claim(t.Context(), entry(1)); err != nil {
		t.Fatal(err)
	}
	plan := func(c faulty.Call) faulty.Fault {
		if c.Op == faulty.Put && c.Key == store.LogKey(2) { // somebody else is first
			if err := b.PutIfAbsent(t.Context(), c.Key, marshal(t, entry(2))); err != nil && !errors.Is(err, lake.ErrConflict) {
				t.Error(err)
			}
		}
		if c.Op == faulty.Put && c.Key == store.LogKey(3) {
			return faulty.After // its own reply is lost
		}
		return faulty.None
	}
	bad, _ := faulty.New(b, plan)
	e, err := journal.New(bad).Add(t.Context(), lake.Entry{ID: "mine", Replay: &lake.ReplayRequest{Reason: "why"}})
	if err != nil || e.N != 3 || e.Replay == nil {
		t.Errorf("got %+v, %v", e, err)
	}
}

func marshal(t *testing.T, e lake.Entry) []byte {
	t.Helper()
	e.Format = lake.Format
	data, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	return data
}
