package journal_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"medlake/shared/lake"
	"medlake/shared/store"
	"medlake/shared/store/faulty"
	"medlake/shared/store/journal"
)

func bucket(t *testing.T) *store.Bucket {
	t.Helper()
	b, err := store.Open(t.Context(), "mem://")
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func entry(n int64, arrivals ...string) lake.Entry {
	e := lake.Entry{N: n, Loads: []lake.Load{{Load: fmt.Sprintf("load%d", n)}}}
	for _, id := range arrivals {
		e.Receipts = append(e.Receipts, lake.Receipt{ID: id})
	}
	return e
}

func TestFirstClaimWins(t *testing.T) {
	t.Parallel()
	b := bucket(t)
	one, other := journal.New(b), journal.New(b)
	for _, j := range []*journal.Journal{one, other} {
		if n, err := j.Tail(t.Context()); n != 0 || err != nil {
			t.Fatalf("tail of an empty log: %d, %v", n, err)
		}
	}
	won, err := one.Claim(t.Context(), entry(1, "a"))
	if err != nil || !won.HasArrival("a", 0) || won.HasArrival("b", 0) || !won.HasLoad("load1") || won.HasLoad("a") {
		t.Errorf("got %+v, %v", won, err)
	}
	lost, err := other.Claim(t.Context(), entry(1, "b"))
	if err != nil || !lost.HasArrival("a", 0) || lost.HasArrival("b", 0) {
		t.Errorf("got %+v, %v: want the winner's entry", lost, err)
	}
	if n, err := other.Tail(t.Context()); n != 1 || err != nil {
		t.Errorf("tail %d, %v", n, err)
	}
	if _, err := other.Entry(t.Context(), 2); !errors.Is(err, lake.ErrNotFound) {
		t.Errorf("past the tail: %v", err)
	}
}

func TestTailNeedsNoHintAndTrustsNoOldOne(t *testing.T) {
	t.Parallel()
	b := bucket(t)
	j := journal.New(b)
	for n := int64(1); n <= 5; n++ {
		if _, err := j.Claim(t.Context(), entry(n)); err != nil {
			t.Fatal(err)
		}
	}
	for _, hint := range []int64{0, 3, 5} {
		if hint > 0 {
			if err := j.Hint(t.Context(), hint); err != nil {
				t.Fatal(err)
			}
		}
		if n, err := journal.New(b).Tail(t.Context()); n != 5 || err != nil {
			t.Errorf("hint %d: tail %d, %v", hint, n, err)
		}
	}
}

// TestBaseIsReadOnceInAWhile: a base may be old, so it costs no request an arrival.
func TestBaseIsReadOnceInAWhile(t *testing.T) {
	t.Parallel()
	b, driver := faulty.New(bucket(t), nil)
	now := time.Unix(0, 0)
	j := journal.New(b)
	j.Now, j.Fresh = func() time.Time { return now }, time.Second
	base := func() int64 {
		n, err := j.Base(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	if n := base(); n != 0 {
		t.Errorf("base %d of an empty log", n)
	}
	if err := journal.New(b).Hint(t.Context(), 7); err != nil {
		t.Fatal(err)
	}
	calls := len(driver.Calls())
	if n := base(); n != 0 || len(driver.Calls()) != calls {
		t.Errorf("base %d after %d calls, want the old one and no call", n, len(driver.Calls())-calls)
	}
	now = now.Add(time.Second)
	if n := base(); n != 7 {
		t.Errorf("base %d, want 7", n)
	}
}

func TestCacheIsBounded(t *testing.T) {
	t.Parallel()
	b, driver := faulty.New(bucket(t), nil)
	j := journal.New(b)
	wide := strings.Repeat("x", 12<<20)
	for n := int64(1); n <= 4; n++ {
		if _, err := j.Claim(t.Context(), entry(n, wide)); err != nil {
			t.Fatal(err)
		}
	}
	calls := len(driver.Calls())
	for _, n := range []int64{4, 3, 1} {
		if _, err := j.Entry(t.Context(), n); err != nil {
			t.Fatal(err)
		}
	}
	if got := len(driver.Calls()) - calls; got != 1 {
		t.Errorf("%d entries read again, want the oldest alone", got)
	}
}

func TestEntryOfAnotherVersionIsNoHole(t *testing.T) {
	t.Parallel()
	b := bucket(t)
	for _, text := range []string{"{", `{"format":2,"n":1}`, `{"format":1,"n":2}`} {
		if err := b.Put(t.Context(), store.LogKey(1), []byte(text)); err != nil {
			t.Fatal(err)
		}
		if _, err := journal.New(b).Entry(t.Context(), 1); err == nil || errors.Is(err, lake.ErrNotFound) {
			t.Errorf("%s: got %v", text, err)
		}
	}
}
