package merge_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"medlake/functions/merge"
	"medlake/shared/store/faulty"
	"medlake/shared/warehouse"
)

// arrivals makes loads of few keys, so that rows are late, tied, deleted before they come and come again.
func arrivals(r *rand.Rand, table string) []*load {
	pick := func(list ...any) any { return list[r.IntN(len(list))] }
	var loads []*load
	for i := range 3 + r.IntN(10) {
		l := &load{id: fmt.Sprintf("load%02d", i), customer: fmt.Sprint("c", r.IntN(2)), at: time.Unix(int64(1_790_000_000+r.IntN(5)), 0)}
		for range []int{r.IntN(3), r.IntN(12)}[i%2] { // few: bounds tell something
			at := pick(nil, 1_000_000, 2_000_000, 3_000_000, 4_000_000)
			l.rows = append(l.rows, map[string]map[string]any{
				"stays": {
					"site": r.IntN(2), "id": pick("", "a", "b", "b\x00c"), "at": at, "event": pick("in", "move", "out", "del"),
					"name": pick(nil, "x", "y"), "bed": pick(nil, "1", "2"), "cost": pick(nil, 1, 2),
				},
				"people": {"id": pick("a", "b", "c", "d"), "at": at, "was": pick(nil, "a", "b", "c", "e"), "event": pick("new", "new", "join", "del"), "name": pick(nil, "x", "y")},
				"stock":  {"period": pick(nil, 1, 2, 3), "item": pick(nil, "a", "b"), "count": r.IntN(3)},
			}[table])
		}
		loads = append(loads, l)
	}
	return loads
}

// TestSameArrivalsMakeTheSameTable is the promise of this package. The loads are committed in a random order, several at
// a time, some of them in the place of earlier ones; several mergers work in between, at once, and some lose calls or die.
func TestSameArrivalsMakeTheSameTable(t *testing.T) {
	t.Parallel()
	for name, yaml := range tables {
		for seed := range uint64(12) {
			t.Run(fmt.Sprint(name, seed), func(t *testing.T) {
				t.Parallel()
				r := rand.New(rand.NewPCG(seed, 11))
				d := open(t, name, yaml)
				loads := arrivals(r, name)
				mergers := []*merge.Merger{d.merger(t, d.bucket), d.mergerWith(t, merge.Config{Bucket: d.bucket, Cells: 40})} // the other has little memory
				var live []*load                                                                                              // as of now
				todo := slices.Clone(loads)
				r.Shuffle(len(todo), func(i, j int) { todo[i], todo[j] = todo[j], todo[i] })
				for len(todo) > 0 {
					n := 1 + r.IntN(min(3, len(todo)))
					for _, l := range todo[:n] {
						if len(l.rows) > 0 {
							d.write(t, l)
						}
						live = append(live, l)
					}
					if i := r.IntN(2 * len(live)); n == 1 && i < len(live)-1 && live[i].customer == todo[0].customer {
						todo[0].replaces = live[i]
						live = slices.Delete(live, i, i+1)
					}
					d.commit(t, todo[:n]...)
					todo = todo[n:]
					d.disturb(t, r, mergers)
				}
				m := d.merger(t, d.bucket)
				if got, err := m.Round(t.Context()); err != nil || len(got.Behind) > 0 {
					t.Fatal(got, err)
				}
				if got, err := m.Round(t.Context()); err != nil || got.Merged > 0 {
					t.Fatalf("a second round: %+v, %v", got, err)
				}
				want, keys := d.fold(live)
				got, have := d.rows(t, d.table.Current.Table)
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("(-fold +table):\n%s", diff)
				}
				for k := range keys {
					if !have[k] {
						t.Errorf("the table has no row, visible or hidden, of key %q", k)
					}
				}
			})
		}
	}
}

// disturb lets some mergers work.
func (d *depot) disturb(t *testing.T, r *rand.Rand, mergers []*merge.Merger) {
	t.Helper()
	switch r.IntN(6) {
	case 0:
		return
	case 3: // the catalog refuses, or does what it is asked and does not say so
		m, err := merge.New(merge.Config{Bucket: d.bucket, Tables: shaky{d.warehouse, r}, Tries: 3, Log: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		if err := m.Ensure(t.Context(), d.table); err != nil {
			t.Fatal(err)
		}
		_, _ = m.Round(t.Context())
	case 1:
		if _, err := mergers[r.IntN(2)].Round(t.Context()); err != nil {
			t.Fatal(err)
		}
	case 2: // a race: one of them wins, and the other sees it
		var both sync.WaitGroup
		for _, m := range mergers {
			both.Go(func() {
				if _, err := m.Round(t.Context()); err != nil {
					t.Error(err)
				}
			})
		}
		both.Wait()
	default: // a merger to whom something happens
		at, f := 5+r.IntN(12), faulty.Faults()[r.IntN(4)]
		b, _ := faulty.New(d.bucket, func(c faulty.Call) faulty.Fault {
			if c.N == at {
				return f
			}
			return faulty.None
		})
		m, err := merge.New(merge.Config{Bucket: b, Tables: d.warehouse, Tries: 2, Log: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		if err := m.Ensure(t.Context(), d.table); err == nil {
			_, _ = m.Round(t.Context())
		}
	}
}

// shaky are tables whose changes may fail, or only their replies be lost.
type shaky struct {
	*warehouse.Warehouse
	r *rand.Rand
}

func (s shaky) Apply(ctx context.Context, h warehouse.Head, c warehouse.Change) error {
	fault := errors.New("injected: catalog")
	switch s.r.IntN(3) {
	case 0:
		return fault
	case 1:
		return errors.Join(s.Warehouse.Apply(ctx, h, c), fault)
	}
	return s.Warehouse.Apply(ctx, h, c)
}
