package commit

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"medlake/shared/store"
)

func TestWindowIsShortWhenIdleAndGrowsUnderLoad(t *testing.T) {
	t.Parallel()
	w := Window{}.withDefaults()
	var got []time.Duration
	for _, arrivals := range []int{1, 100, 100, 100, 100, 0, 1, 1, 1, 1, 1, 1} {
		w.adapt(arrivals, 80*time.Millisecond)
		got = append(got, w.wait()/time.Millisecond)
	}
	want := []time.Duration{20, 160, 240, 360, 540, 270, 135, 67, 33, 20, 20, 20}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	for range 20 {
		w.adapt(1000, 5*time.Second)
	}
	if w.wait() != time.Second {
		t.Errorf("window %s, want at most a second", w.wait())
	}
}

func TestGapsAreFactsAboutTheLog(t *testing.T) {
	t.Parallel()
	var g gaps
	g.add("a", 5, 9)  // (5, 9] holds nothing for a
	g.add("a", 5, 12) // nor does (9, 12]
	for batch, want := range map[int64]int64{
		4: 4, 5: 12, 8: 12, 12: 12, 13: 13, // 4: entry 5 may hold something
	} {
		if got := g.skip("a", batch); got != want {
			t.Errorf("table at %d: read after %d, want %d", batch, got, want)
		}
	}
	if got := g.skip("b", 5); got != 5 {
		t.Errorf("unknown table: read after %d", got)
	}
	g.add("a", 20, 20)
	if got := g.skip("a", 5); got != 5 {
		t.Errorf("a table that went back: read after %d, want 5", got)
	}
}

func TestGapsAreSavedOnceInAWhile(t *testing.T) {
	t.Parallel()
	b, err := store.Open(t.Context(), "mem://")
	if err != nil {
		t.Fatal(err)
	}
	var g gaps
	for to := int64(1); to <= saveGaps+10; to++ {
		g.add("a", 0, to)
		if err := g.save(t.Context(), b); err != nil {
			t.Fatal(err)
		}
	}
	var again gaps
	if err := again.read(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	if got := again.skip("a", 0); got != saveGaps {
		t.Errorf("read after %d, want %d: saved once", got, saveGaps)
	}
}
