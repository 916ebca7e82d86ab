package restore_test

import (
	"flag"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"medlake/functions/commit"
	"medlake/shared/lake"
	"medlake/shared/store"
	"medlake/shared/store/faulty"
	"medlake/shared/store/journal"
	"medlake/shared/warehouse"
)

var rebuilds = flag.Int("rebuilds", 8, "catalogs that are lost and rebuilt")

// Committers die at random calls, tables are restored, the catalog is deleted and rebuilt from the bucket, and committers go
// on: the table then holds every load that was not excluded, once.
func TestLostCatalogsAreRebuiltRight(t *testing.T) {
	t.Parallel()
	others := 0
	for run := range *rebuilds {
		random := rand.New(rand.NewPCG(uint64(run), 7))
		b, err := store.Open(t.Context(), "mem://")
		if err != nil {
			t.Fatal(err)
		}
		dir := t.TempDir()
		catalog := func(n int) string { return "sqlite://" + filepath.Join(dir, fmt.Sprint(n)+".db") }
		d := on(t, b, reopen(t, catalog(0), b), table)
		words := map[string]string{d.loaded(t, []string{table}, "first")[0]: "first"} // by load
		for i := range 1 + random.IntN(4) {
			word := fmt.Sprint("w", i)
			words[d.arrive(t, word, table)] = word
			if random.IntN(2) == 0 {
				die(t, d, catalog(0), random)
			}
		}
		if random.IntN(3) == 0 {
			r := d.restorer(t, b)
			p, err := r.Plan(t.Context(), table, d.at(t, table, 1))
			if err != nil {
				t.Fatal(err)
			}
			var exclude []string
			if known := p.Loads(); len(known) > 0 {
				exclude = known[:1]
				delete(words, known[0])
			}
			if _, err := r.Restore(t.Context(), p, exclude, ""); err != nil {
				t.Fatal(err)
			}
		}
		for range 2 {
			die(t, d, catalog(0), random)
		}
		was, err := d.warehouse.Metadata(t.Context(), table)
		if err != nil {
			t.Fatal(err)
		}
		d.warehouse = reopen(t, catalog(1), b)
		t.Cleanup(func() { _ = d.warehouse.Close() })
		tail, err := journal.New(b).Tail(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		all, err := d.warehouse.Rebuild(t.Context(), tail)
		if err != nil || len(all) != 3 {
			t.Fatalf("run %d: %+v, %v", run, all, err)
		}
		if !slices.ContainsFunc(all, func(r warehouse.Rebuilt) bool { return r.Metadata == was }) {
			others++
		}
		d.round(t)
		want := slices.Sorted(maps.Values(words))
		if got := d.words(t, table); !slices.Equal(got, want) {
			t.Errorf("run %d: got %v, want %v", run, got, want)
		}
		if n, err := d.warehouse.Batch(t.Context(), lake.OpsLoads); err != nil || n.Batch > tail+1 {
			t.Errorf("run %d: %+v, %v", run, n, err)
		}
	}
	t.Logf("%d rebuilds, %d took the state of a lost commit", *rebuilds, others)
}

func reopen(t *testing.T, catalog string, b *store.Bucket) *warehouse.Warehouse {
	t.Helper()
	w, err := warehouse.Open(t.Context(), catalog, b)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// die is the life of one committer.
func die(t *testing.T, d *depot, catalog string, random *rand.Rand) {
	t.Helper()
	left, states := random.IntN(60), random.IntN(2) == 0
	if states { // between a table's metadata file and the catalog
		left = random.IntN(3)
	}
	bad, _ := faulty.New(d.bucket, func(c faulty.Call) faulty.Fault {
		if states && !strings.HasSuffix(c.Key, ".metadata.json") || states && c.Op != faulty.Put {
			return faulty.None
		}
		if left--; left >= 0 {
			return faulty.None
		}
		return faulty.CrashAfter
	})
	w, err := warehouse.Open(t.Context(), catalog, bad)
	if err != nil {
		t.Fatal(err) // it reads only the catalog
	}
	c, err := commit.New(commit.Config{Bucket: bad, Tables: w, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Ensure(t.Context()); err == nil {
		for range 2 {
			_, _ = c.Round(t.Context()) // it dies
		}
	}
	if err := w.Close(); err != nil {
		t.Error(err)
	}
}
