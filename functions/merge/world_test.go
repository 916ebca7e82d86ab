package merge_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"path/filepath"
	"testing"
	"testing/fstest"
	"time"

	"medlake/functions/merge"
	"medlake/shared/datafile"
	"medlake/shared/lake"
	"medlake/shared/store"
	"medlake/shared/store/journal"
	"medlake/shared/transform"
	"medlake/shared/transform/column"
	"medlake/shared/warehouse"
)

// tables are the ways a table may change.
var tables = map[string]string{
	"stays": `
table: stays
columns: { site: long!, id: string!, at: timestamp, event: string!, name: string phi(name), bed: string, cost: "decimal(9,2)" }
key: [customer, site, id]
change: { order: [at], delete: event == "del", only: { bed: event == "move" }, keep: [name] }
`,
	"people": `
table: people
columns: { id: string!, at: timestamp, was: string, event: string!, name: string }
key: [id]
change: { order: [at], delete: event == "del", keep: [name], merge_on: { when: event == "join", from: was } }
`,
	"stock": `
table: stock
columns: { period: long, item: string, count: long }
change: { replace: [period] }
`,
}

// depot is a lake without ingest and commit: the test makes the entries of the log and what they add to the log table.
type depot struct {
	bucket    *store.Bucket
	warehouse *warehouse.Warehouse
	journal   *journal.Journal
	table     merge.Table
	log       lake.Schema
	encoder   *datafile.Encoder
}

func open(t testing.TB, name, yaml string) *depot {
	t.Helper()
	b, err := store.Open(t.Context(), "mem://")
	if err != nil {
		t.Fatal(err)
	}
	return openOn(t, b, name, yaml)
}

func openOn(t testing.TB, b *store.Bucket, name, yaml string) *depot {
	t.Helper()
	w, err := warehouse.Open(t.Context(), "sqlite://"+filepath.Join(t.TempDir(), "catalog.db"), b)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	})
	d := &depot{bucket: b, warehouse: w, journal: journal.New(b), table: changing(t, name, yaml)}
	d.merger(t, b)
	if d.log, err = warehouse.PublishedSchema(t.Context(), b, d.table.Log.Table); err != nil {
		t.Fatal(err)
	}
	if d.encoder, err = datafile.NewEncoder(d.log); err != nil {
		t.Fatal(err)
	}
	return d
}

func changing(t testing.TB, name, yaml string) merge.Table {
	t.Helper()
	l, faults := transform.Load(fstest.MapFS{"tables/" + name + ".yaml": {Data: []byte(yaml)}})
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	table := l.Set().Tables[0]
	return merge.Changing(table, l.Fold(table))
}

// merger is one with a journal of its own, as another process would have.
func (d *depot) merger(t testing.TB, b *store.Bucket) *merge.Merger {
	t.Helper()
	return d.mergerWith(t, merge.Config{Bucket: b})
}

func (d *depot) mergerWith(t testing.TB, c merge.Config) *merge.Merger {
	t.Helper()
	c.Tables, c.Tries, c.Log = d.warehouse, 20, slog.New(slog.DiscardHandler)
	m, err := merge.New(c)
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Ensure(t.Context(), d.table); err != nil {
		t.Fatal(err)
	}
	return m
}

// load is one load of the log table: values by own column, nil for null.
type load struct {
	id       string
	customer string
	at       time.Time
	replaces *load
	rows     []map[string]any
	files    []lake.DataFile
}

// batch makes the rows of a load.
func (d *depot) batch(l *load) *column.Batch {
	b := column.New(d.log.Columns)
	for i, row := range l.rows {
		system := map[string]any{
			lake.ColCustomer: l.customer, lake.ColLoad: l.id, lake.ColEntry: i / 3, lake.ColRow: i%3 + 1, lake.ColArrivedAt: int(l.at.UnixMicro()),
		}
		for i := range b.Columns {
			v, ok := system[b.Columns[i].Name]
			if !ok {
				v = row[b.Columns[i].Name]
			}
			switch v := v.(type) {
			case string:
				b.Columns[i].AppendString(v)
			case int:
				b.Columns[i].AppendInt(int64(v))
			default:
				b.Columns[i].AppendNull()
			}
		}
		b.EndRow()
	}
	return b
}

// write stores the data file of a load.
func (d *depot) write(t testing.TB, l *load) {
	t.Helper()
	l.files = []lake.DataFile{d.writeTo(t, d.log.Table, l)}
}

func (d *depot) writeTo(t testing.TB, table string, l *load) lake.DataFile {
	t.Helper()
	var out bytes.Buffer
	d.encoder.Begin(&out)
	if err := d.encoder.Append(d.batch(l)); err != nil {
		t.Fatal(err)
	}
	f, err := d.encoder.Finish()
	if err != nil {
		t.Fatal(err)
	}
	key := fmt.Sprintf("%sdata/customer=%s/%s.parquet", store.TablePrefix(table), l.customer, l.id)
	if err := d.bucket.Put(t.Context(), key, out.Bytes()); err != nil {
		t.Fatal(err)
	}
	f.Path, f.Customer, f.Month = d.bucket.URL(key), l.customer, datafile.Month(l.at)
	return f
}

// commit takes loads into the next entry of the log, and their files into the log table.
func (d *depot) commit(t testing.TB, loads ...*load) {
	t.Helper()
	tail, err := d.journal.Tail(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	e := lake.Entry{N: tail + 1}
	c := warehouse.Change{Batch: e.N}
	h, err := d.warehouse.Batch(t.Context(), d.log.Table)
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range loads {
		entry := lake.Load{Load: l.id, Tables: []lake.TableFiles{{Table: "lake.other"}, {Table: d.log.Table, Files: l.files}}}
		if l.replaces != nil {
			entry.Replaces, entry.Drops = l.replaces.id, []string{d.log.Table}
			remove, deletes, err := d.warehouse.RowsOf(t.Context(), h, []string{l.replaces.id})
			if err != nil {
				t.Fatal(err)
			}
			c.Remove, c.Deletes = append(c.Remove, remove...), append(c.Deletes, deletes...)
		}
		e.Loads = append(e.Loads, entry)
		e.Receipts = append(e.Receipts, lake.Receipt{
			ID: "of " + l.id, Load: l.id, Status: lake.Loaded, Arrival: lake.Arrival{Key: "landing/" + l.customer + "/2026-11-25/x@" + l.id},
		})
		c.Add = append(c.Add, l.files...)
	}
	if _, err := d.journal.Claim(t.Context(), e); err != nil {
		t.Fatal(err)
	}
	if len(c.Add)+len(c.Remove)+len(c.Deletes) == 0 {
		return // as commit does
	}
	if err := d.warehouse.Apply(t.Context(), h, c); err != nil {
		t.Fatal(err)
	}
}
