package maintain_test

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"medlake/functions/maintain"
	"medlake/shared/datafile"
	"medlake/shared/datafile/datafiletest"
	"medlake/shared/lake"
	"medlake/shared/store"
	"medlake/shared/store/journal"
	"medlake/shared/warehouse"
)

const notes = "lake.notes"

var start = time.Date(2026, 11, 24, 8, 0, 0, 0, time.UTC)

func noteSchema() lake.Schema {
	return lake.Schema{
		Format: lake.Format, Table: notes, Partition: []string{"customer", "month(_arrived_at)"}, Sort: []string{"at"},
		Columns: append(lake.SystemColumns(),
			lake.Column{Name: "at", Type: lake.Type{Kind: lake.Long}, Bounds: true},
			lake.Column{Name: "word", Type: lake.Type{Kind: lake.String}},
			lake.Column{Name: "cost", Type: lake.Type{Kind: lake.Double}},
			lake.Column{Name: "done", Type: lake.Type{Kind: lake.Boolean}}),
	}
}

// depot is a lake without ingest and commit: the test makes loads, and commits them.
type depot struct {
	catalog   string
	bucket    *store.Bucket
	warehouse *warehouse.Warehouse
	journal   *journal.Journal
	loads     int
}

func open(t testing.TB, schemas ...lake.Schema) *depot {
	t.Helper()
	b, err := store.Open(t.Context(), "mem://")
	if err != nil {
		t.Fatal(err)
	}
	d := &depot{catalog: "sqlite://" + filepath.Join(t.TempDir(), "catalog.db"), bucket: b, journal: journal.New(b)}
	d.warehouse = d.open(t, b)
	for _, s := range schemas {
		if _, err := d.warehouse.Ensure(t.Context(), s, 0); err != nil {
			t.Fatal(err)
		}
	}
	return d
}

func (d *depot) open(t testing.TB, b *store.Bucket) *warehouse.Warehouse {
	t.Helper()
	w, err := warehouse.Open(t.Context(), d.catalog, b)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	})
	return w
}

// maintainer is one with small files; change may alter what it works with.
func (d *depot) maintainer(t testing.TB, change func(*maintain.Config)) *maintain.Maintainer {
	t.Helper()
	cfg := maintain.Config{Bucket: d.bucket, Tables: d.warehouse, Target: 1 << 20, Parallel: 1, Log: slog.New(slog.DiscardHandler)}
	if change != nil {
		change(&cfg)
	}
	m, err := maintain.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Ensure(t.Context()); err != nil {
		t.Fatal(err)
	}
	return m
}

func (d *depot) round(t testing.TB, m *maintain.Maintainer, o maintain.Order) map[string]maintain.Table {
	t.Helper()
	r, err := m.Round(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	tables := map[string]maintain.Table{}
	for _, t := range r.Tables {
		tables[t.Table] = t
	}
	return tables
}

// load is rows that come together: values by column, nil for null.
type load struct {
	id       string
	customer string
	at       time.Time
	rows     []map[string]any
	files    []lake.DataFile
}

// notes makes a load of n rows.
func (d *depot) notes(customer string, at time.Time, n int) *load {
	l := &load{customer: customer, at: at}
	for i := range n {
		row := map[string]any{"at": (i * 7919) % 101, "word": fmt.Sprint("word ", d.loads, " ", i), "done": i%2 == 0}
		if i%3 > 0 {
			row["cost"] = float64(i) / 4
		}
		if i%5 == 4 {
			row["at"] = nil
		}
		l.rows = append(l.rows, row)
	}
	return l
}

// write stores the data file of a load, and its record.
func (d *depot) write(t testing.TB, table string, l *load) {
	t.Helper()
	d.loads++
	if l.id == "" {
		l.id = lake.Hash("load", fmt.Sprint(d.loads))
	}
	f := d.attempt(t, table, l)
	l.files = []lake.DataFile{f}
	base, err := d.journal.Tail(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	d.put(t, store.LoadKey(l.id), lake.Record{
		Format: lake.Format, Load: l.id, Status: lake.Loaded, Base: base, Tables: []lake.TableFiles{{Table: table, Files: l.files}},
	})
}

// attempt stores a data file of a load.
func (d *depot) attempt(t testing.TB, table string, l *load) lake.DataFile {
	t.Helper()
	s, err := warehouse.PublishedSchema(t.Context(), d.bucket, table)
	if err != nil {
		t.Fatal(err)
	}
	f, data := datafiletest.Encode(t, s, batch(s, l))
	month := ""
	if len(s.Partition) > 1 {
		f.Month, month = datafile.Month(l.at), "month="+l.at.Format("2006-01")+"/"
	}
	d.loads++
	key := fmt.Sprintf("%sdata/customer=%s/%s%s-ATTEMPT%d-0.parquet", store.TablePrefix(table), l.customer, month, l.id, d.loads)
	if err := d.bucket.Put(t.Context(), key, data); err != nil {
		t.Fatal(err)
	}
	f.Path, f.Customer = d.bucket.URL(key), l.customer
	return f
}

func (d *depot) put(t testing.TB, key string, v any) {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	if err := d.bucket.Put(t.Context(), key, data); err != nil {
		t.Fatal(err)
	}
}

// claim takes loads into the log.
func (d *depot) claim(t testing.TB, table string, loads ...*load) *journal.Entry {
	t.Helper()
	tail, err := d.journal.Tail(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	e := lake.Entry{N: tail + 1}
	for _, l := range loads {
		e.Loads = append(e.Loads, lake.Load{Load: l.id, Tables: []lake.TableFiles{{Table: table, Files: l.files}}})
		e.Receipts = append(e.Receipts, lake.Receipt{
			ID: "of " + l.id, Load: l.id, Status: lake.Loaded, Arrival: lake.Arrival{Key: "landing/" + l.customer + "/2026-11-25/x@" + l.id},
		})
	}
	claimed, err := d.journal.Claim(t.Context(), e)
	if err != nil {
		t.Fatal(err)
	}
	return claimed
}

// commit writes loads and takes them into the log and the table.
func (d *depot) commit(t testing.TB, table string, loads ...*load) {
	t.Helper()
	c := warehouse.Change{}
	for _, l := range loads {
		if l.files == nil {
			d.write(t, table, l)
		}
		c.Add = append(c.Add, l.files...)
	}
	c.Batch = d.claim(t, table, loads...).N
	d.apply(t, table, c)
}

// restore puts a table back to the state before the last.
func (d *depot) restore(t testing.TB, table string) {
	t.Helper()
	kept, err := d.warehouse.Snapshots(t.Context(), table)
	if err != nil {
		t.Fatal(err)
	}
	h, err := d.warehouse.Batch(t.Context(), table)
	if err == nil {
		err = d.warehouse.Restore(t.Context(), h, kept[len(kept)-2].ID, warehouse.Change{Batch: h.Batch})
	}
	if err != nil {
		t.Fatal(err)
	}
}

func (d *depot) apply(t testing.TB, table string, c warehouse.Change) {
	t.Helper()
	for range 100 {
		h, err := d.warehouse.Batch(t.Context(), table)
		if err != nil {
			t.Fatal(err)
		}
		c.Batch = max(c.Batch, h.Batch)
		if err = d.warehouse.Apply(t.Context(), h, c); err == nil {
			return
		}
	}
	t.Fatal("the table kept changing")
}

// drop hides or removes the rows of loads.
func (d *depot) drop(t testing.TB, table string, loads ...*load) {
	t.Helper()
	var ids []string
	for _, l := range loads {
		ids = append(ids, l.id)
	}
	for range 100 {
		h, err := d.warehouse.Batch(t.Context(), table)
		if err != nil {
			t.Fatal(err)
		}
		remove, deletes, err := d.warehouse.RowsOf(t.Context(), h, ids)
		if err != nil {
			continue // the files were compacted and deleted meanwhile
		}
		if err = d.warehouse.Apply(t.Context(), h, warehouse.Change{Remove: remove, Deletes: deletes, Batch: h.Batch}); err == nil {
			return
		}
	}
	t.Fatal("the table kept changing")
}
