package maintain_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"medlake/functions/maintain"
	"medlake/shared/lake"
	"medlake/shared/store"
	"medlake/shared/warehouse"
)

// late is a warehouse whose tables have changed so much later than they did.
type late struct {
	*warehouse.Warehouse
	by time.Duration
}

func (l late) Snapshots(ctx context.Context, name string) ([]warehouse.Snapshot, error) {
	kept, err := l.Warehouse.Snapshots(ctx, name)
	if len(kept) > 0 {
		kept[len(kept)-1].At = kept[len(kept)-1].At.Add(l.by)
	}
	return kept, err
}

// after is a maintainer to whom so much time has gone by, and in whose tables the last change was made so late.
func (d *depot) after(t *testing.T, by, changed time.Duration) *maintain.Maintainer {
	t.Helper()
	return d.maintainer(t, func(c *maintain.Config) {
		c.Tables = late{d.warehouse, changed}
		c.Now = func(context.Context) (time.Time, error) { return time.Now().Add(by), nil }
	})
}

// TestDeletion has one object of each kind and asks at several times which of them go.
func TestDeletion(t *testing.T) {
	t.Parallel()
	began := time.Now()
	d := open(t, noteSchema())
	named := map[string]string{} // by key
	note := func(kind string, urls ...string) {
		t.Helper()
		for _, url := range urls {
			key, err := d.bucket.Key(url)
			if err != nil {
				t.Fatal(err)
			}
			named[strings.TrimPrefix(key, store.TablePrefix(notes))] = kind
		}
	}
	commit := func(kind string) *load {
		l := d.notes("acme", start, 3)
		d.commit(t, notes, l)
		note(kind, l.files[0].Path)
		return l
	}
	compact := func() {
		if did := d.round(t, d.maintainer(t, nil), maintain.Order{})[notes]; did.Compacted != 1 {
			t.Fatalf("%d groups were compacted", did.Compacted)
		}
	}
	old := commit("old")
	for range 8 {
		commit("old")
	}
	compact()
	first := d.live(t, notes)[0].Path // stays named by snapshots
	for range 55 {
		d.apply(t, notes, warehouse.Change{}) // so that the first snapshots expire
	}
	note("loser", d.attempt(t, notes, old).Path)
	for range 9 {
		commit("recent") // no kept snapshot is without them, or a restore would need them
	}
	pending := d.notes("acme", start, 3)
	d.write(t, notes, pending)
	note("pending", pending.files[0].Path)
	logged := d.notes("acme", start, 3)
	d.write(t, notes, logged)
	note("logged", logged.files[0].Path)
	d.claim(t, notes, logged)
	note("no record", d.attempt(t, notes, &load{id: lake.Hash("lost"), customer: "acme", at: start, rows: old.rows}).Path)
	for _, key := range []string{"data/customer=acme/compact-x.parquet", "data/deletes-x.parquet", "metadata/x-m0.avro", "metadata/00000-x.metadata.json"} {
		d.put(t, store.TablePrefix(notes)+key, "left over")
		named[key] = "left over"
	}
	d.put(t, store.TablePrefix(notes)+"elsewhere/x", "not ours")
	named["elsewhere/x"] = "not ours"
	note("compacted", first)

	for _, tt := range []struct {
		name        string
		by, changed time.Duration
		gone        []string
	}{
		{name: "soon", by: time.Hour},
		{name: "after a while", by: 3 * time.Hour, gone: []string{"loser", "old"}},
		{name: "after days without a change", by: 80 * time.Hour, gone: []string{"old"}},
		{name: "after days", by: 80 * time.Hour, changed: 70 * time.Hour, gone: []string{"left over", "no record", "old"}},
	} {
		m := d.after(t, tt.by, tt.changed)
		before := d.objects(t, notes)
		counted := d.round(t, m, maintain.Order{Dry: true, Delete: true, Tables: []string{notes}})[notes].Deleted
		if got := d.objects(t, notes); !slices.Equal(got, before) {
			t.Fatal("a dry round deleted objects")
		}
		rows, _ := d.rows(t, notes)
		did := d.round(t, m, maintain.Order{Delete: true, Tables: []string{notes}})[notes].Deleted
		if counted.Files == 0 != (did.Files == 0) {
			t.Errorf("%s: %d files were deleted, and %d foretold", tt.name, did.Files, counted.Files)
		}
		after := d.objects(t, notes)
		for key, kind := range named {
			if gone := !slices.Contains(after, key); gone != slices.Contains(tt.gone, kind) && slices.Contains(before, key) {
				t.Errorf("%s: %s file: gone is %v", tt.name, kind, gone)
			}
		}
		if got, _ := d.rows(t, notes); !slices.Equal(got, rows) {
			t.Errorf("%s: the table shows %d rows, not %d", tt.name, len(got), len(rows))
		}
		d.whole(t, notes)
	}
	if began.Hour() != time.Now().Hour() && t.Failed() {
		t.Skip("an hour began meanwhile, whose snapshot is kept")
	}
}

// whole checks that all objects are there which a kept state names, and those that a restore to one would bring back.
func (d *depot) whole(t *testing.T, table string) {
	t.Helper()
	named, err := d.warehouse.Referenced(t.Context(), table)
	if err != nil {
		t.Fatal(err)
	}
	kept, err := d.warehouse.Snapshots(t.Context(), table)
	if err != nil {
		t.Fatal(err)
	}
	for n := kept[0].Batch + 1; ; n++ {
		e, err := d.journal.Entry(t.Context(), n)
		if err != nil {
			break
		}
		for _, l := range e.Loads {
			for _, f := range l.Tables[0].Files {
				key, err := d.bucket.Key(f.Path)
				if err != nil {
					t.Fatal(err)
				}
				named[key] = true
			}
		}
	}
	for _, key := range d.objects(t, table) {
		delete(named, store.TablePrefix(table)+key)
	}
	if len(named) > 0 {
		t.Errorf("%d objects are named and not there", len(named))
	}
}

// TestLogFilesWaitForMerge checks that the files of loads stay until the table that is made of them has their rows.
func TestLogFilesWaitForMerge(t *testing.T) {
	t.Parallel()
	table := changing(t)
	d := open(t)
	merger := d.merger(t, table)
	var loads []*load
	for i := range 9 {
		l := &load{customer: "acme", at: start, rows: []map[string]any{{"id": "a", "at": i, "event": "set"}}}
		d.commit(t, table.Log.Table, l)
		loads = append(loads, l)
		if i > 0 {
			continue
		}
		if _, err := merger.Round(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	d.round(t, d.maintainer(t, nil), maintain.Order{})
	for range 55 {
		d.apply(t, table.Log.Table, warehouse.Change{})
	}
	m := d.after(t, 3*time.Hour, 0)
	there := func() (n int) {
		for _, l := range loads {
			key, err := d.bucket.Key(l.files[0].Path)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := d.bucket.Head(t.Context(), key); err == nil {
				n++
			}
		}
		return n
	}
	d.round(t, m, maintain.Order{Delete: true})
	if there() != 8 {
		t.Fatalf("%d of 8 files are left before their merge", there())
	}
	if _, err := merger.Round(t.Context()); err != nil {
		t.Fatal(err)
	}
	d.round(t, m, maintain.Order{Delete: true})
	if there() != 0 {
		t.Errorf("%d of 9 files are left after all merges", there())
	}
	if visible, _ := d.rows(t, stays); len(visible) != 1 {
		t.Errorf("%d rows are visible", len(visible))
	}
}
