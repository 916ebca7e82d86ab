package maintain_test

import (
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/fstest"
	"time"

	"medlake/functions/maintain"
	"medlake/functions/merge"
	"medlake/shared/transform"
)

const stays = "lake.stays"

// changing is a table of which keys are changed and deleted.
func changing(t testing.TB) merge.Table {
	t.Helper()
	l, faults := transform.Load(fstest.MapFS{"tables/stays.yaml": {Data: []byte(`
table: stays
columns: { id: string!, at: timestamp, event: string!, name: string phi(name), bed: string }
key: [customer, id]
change: { order: [at], delete: event == "del", keep: [name] }
`)}})
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	table := l.Set().Tables[0]
	return merge.Changing(table, l.Fold(table))
}

func (d *depot) merger(t testing.TB, table merge.Table) *merge.Merger {
	t.Helper()
	m, err := merge.New(merge.Config{Bucket: d.bucket, Tables: d.warehouse, Tries: 20, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Ensure(t.Context(), table); err != nil {
		t.Fatal(err)
	}
	return m
}

// TestCompactionChangesNoFold checks that merge makes the same table whether or not the table and its log are compacted
// on the way, and changed meanwhile: rows come late, keys are deleted before they come, and their rows are all hidden.
func TestCompactionChangesNoFold(t *testing.T) {
	t.Parallel()
	for seed := range uint64(2) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			rng := rand.New(rand.NewPCG(seed, 1))
			table := changing(t)
			plain, kept := open(t), open(t)
			lakes := []*depot{plain, kept}
			var mergers []*merge.Merger
			for _, d := range lakes {
				mergers = append(mergers, d.merger(t, table))
			}
			tables := &meddling{Warehouse: kept.warehouse, table: stays}
			m := kept.maintainer(t, func(c *maintain.Config) { c.Memory, c.Tables = 1<<10, tables })
			number := 0
			put := func(merged bool) {
				t.Helper()
				number++
				rows := make([]map[string]any, 1+rng.IntN(4))
				for i := range rows {
					rows[i] = map[string]any{
						"id": fmt.Sprint("k", rng.IntN(12)), "at": rng.IntN(1000), "event": []string{"set", "set", "del"}[rng.IntN(3)],
						"bed": fmt.Sprint("b", rng.IntN(100)),
					}
					if rng.IntN(2) == 0 {
						rows[i]["name"] = fmt.Sprint("n", rng.IntN(100))
					}
				}
				for k, d := range lakes {
					d.commit(t, table.Log.Table, &load{
						id: fmt.Sprintf("load%022d", number), customer: "acme", at: start.Add(time.Duration(number) * time.Minute), rows: rows,
					})
					if !merged {
						continue
					}
					if _, err := mergers[k].Round(t.Context()); err != nil {
						t.Fatal(err)
					}
				}
			}
			ghosts, compacted, gaveUp := 0, 0, 0
			for i := range 36 {
				put(i%2 == 1)
				if i%6 != 5 {
					continue
				}
				tables.before = func() { put(true) }
				for _, done := range kept.round(t, m, maintain.Order{Tables: []string{stays, table.Log.Table}}) {
					compacted += done.Compacted
					gaveUp += done.GaveUp
				}
				_, hidden := kept.rows(t, stays)
				ghosts += hidden
			}
			want, _ := plain.rows(t, stays)
			got, _ := kept.rows(t, stays)
			if !slices.Equal(got, want) {
				t.Errorf("got %d rows, want %d:\n%q\n%q", len(got), len(want), got, want)
			}
			if ghosts == 0 || compacted == 0 {
				t.Errorf("%d groups were compacted and %d rows hidden: nothing was tried", compacted, ghosts)
			}
			if gaveUp > 0 {
				t.Errorf("%d groups were given up without a reason", gaveUp)
			}
		})
	}
}

// TestDeletedKeyStays checks that of a key that is deleted one row stays, hidden, and no more than one.
func TestDeletedKeyStays(t *testing.T) {
	t.Parallel()
	table := changing(t)
	d := open(t)
	merger := d.merger(t, table)
	m := d.maintainer(t, nil)
	put := func(at int, event string, ids ...string) {
		t.Helper()
		l := &load{customer: "acme", at: start.Add(time.Duration(at) * time.Second)}
		for _, id := range ids {
			l.rows = append(l.rows, map[string]any{"id": id, "at": at, "event": event})
		}
		d.commit(t, table.Log.Table, l)
		if _, err := merger.Round(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 10 {
		put(10+i, "set", "a", "b", "c")
	}
	put(30, "del", "a", "b")
	for range 3 {
		d.round(t, m, maintain.Order{})
		if visible, hidden := d.rows(t, stays); len(visible) != 1 || hidden != 2 || len(d.live(t, stays)) != 1 {
			t.Fatalf("%d rows are visible and %d hidden, in %d files", len(visible), hidden, len(d.live(t, stays)))
		}
	}
	put(25, "set", "a") // late: it was deleted since
	if visible, _ := d.rows(t, stays); len(visible) != 1 {
		t.Errorf("%d rows are visible: a late row has brought a deleted key back", len(visible))
	}
	put(40, "set", "a")
	if visible, _ := d.rows(t, stays); len(visible) != 2 {
		t.Errorf("%d rows are visible", len(visible))
	}
}
