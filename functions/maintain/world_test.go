package maintain_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"medlake/functions/maintain"
	"medlake/shared/datafile"
	"medlake/shared/lake"
	"medlake/shared/store"
	"medlake/shared/store/journal"
	"medlake/shared/transform/column"
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

func batch(s lake.Schema, l *load) *column.Batch {
	b := column.New(s.Columns)
	for i, row := range l.rows {
		system := map[string]any{
			lake.ColCustomer: l.customer, lake.ColLoad: l.id, lake.ColEntry: 0, lake.ColRow: i + 1, lake.ColArrivedAt: int(l.at.UnixMicro()),
		}
		for i := range b.Columns {
			c := &b.Columns[i]
			v, ok := system[c.Name]
			if !ok {
				v = row[c.Name]
			}
			switch v := v.(type) {
			case string:
				c.AppendString(v)
			case int:
				c.AppendInt(int64(v))
			case float64:
				c.AppendFloat(v)
			case bool:
				c.AppendBool(v)
			default:
				c.AppendNull()
			}
		}
		b.EndRow()
	}
	return b
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
	f := d.encode(t, s, batch(s, l))
	month := ""
	if len(s.Partition) > 1 {
		f.Month, month = datafile.Month(l.at), "month="+l.at.Format("2006-01")+"/"
	}
	d.loads++
	key := fmt.Sprintf("%sdata/customer=%s/%s%s-ATTEMPT%d-0.parquet", store.TablePrefix(table), l.customer, month, l.id, d.loads)
	if err := d.bucket.Put(t.Context(), key, f.data); err != nil {
		t.Fatal(err)
	}
	f.Path, f.Customer = d.bucket.URL(key), l.customer
	return f.DataFile
}

type encoded struct {
	lake.DataFile
	data []byte
}

func (d *depot) encode(t testing.TB, s lake.Schema, b *column.Batch) encoded {
	t.Helper()
	e, err := datafile.NewEncoder(s)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	e.Begin(&out)
	if err := e.Append(b); err != nil {
		t.Fatal(err)
	}
	f, err := e.Finish()
	if err != nil {
		t.Fatal(err)
	}
	return encoded{f, out.Bytes()}
}

func names(s lake.Schema) (out []string) {
	for _, c := range s.Columns {
		out = append(out, c.Name)
	}
	return out
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

// commitTogether puts loads into one file, as a compaction does.
func (d *depot) commitTogether(t testing.TB, table string, loads ...*load) {
	t.Helper()
	s, err := warehouse.PublishedSchema(t.Context(), d.bucket, table)
	if err != nil {
		t.Fatal(err)
	}
	all := column.New(s.Columns)
	for _, l := range loads {
		d.write(t, table, l)
		f, n := d.object(t.Context(), t, l.files[0].Path)
		r, err := datafile.OpenReader(f, n, s)
		if err == nil {
			err = r.Read(0, names(s), all)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	f := d.encode(t, s, all)
	f.Path, f.Customer, f.Month = strings.Replace(loads[0].files[0].Path, ".parquet", "-all.parquet", 1), loads[0].customer, loads[0].files[0].Month
	key, err := d.bucket.Key(f.Path)
	if err == nil {
		err = d.bucket.Put(t.Context(), key, f.data)
	}
	if err != nil {
		t.Fatal(err)
	}
	d.apply(t, table, warehouse.Change{Add: []lake.DataFile{f.DataFile}, Batch: d.claim(t, table, loads...).N})
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
	h, err := d.warehouse.Batch(t.Context(), table)
	if err != nil {
		t.Fatal(err)
	}
	remove, deletes, err := d.warehouse.RowsOf(t.Context(), h, ids)
	if err != nil {
		t.Fatal(err)
	}
	if err := d.warehouse.Apply(t.Context(), h, warehouse.Change{Remove: remove, Deletes: deletes, Batch: h.Batch}); err != nil {
		t.Fatal(err)
	}
}

// live lists a table's files.
func (d *depot) live(t testing.TB, table string) []warehouse.LiveFile {
	t.Helper()
	h, err := d.warehouse.Batch(t.Context(), table)
	if err != nil {
		t.Fatal(err)
	}
	files, err := d.warehouse.Live(t.Context(), h, "")
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// rows reads what a table shows, as texts in order, and how many hidden rows it has.
func (d *depot) rows(t testing.TB, table string) (visible []string, hidden int) {
	t.Helper()
	s, err := warehouse.PublishedSchema(t.Context(), d.bucket, table)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range d.live(t, table) {
		gone := map[int64]bool{}
		for _, del := range f.Deletes {
			r, n := d.object(t.Context(), t, del.Path)
			if err := datafile.ReadDeletes(r, n, func(path []byte, row int64) {
				if string(path) == f.Path {
					gone[row] = true
				}
			}); err != nil {
				t.Fatal(err)
			}
		}
		hidden += len(gone)
		for row, text := range d.texts(t, s, f.Path) {
			if !gone[int64(row)] {
				visible = append(visible, text)
			}
		}
	}
	slices.Sort(visible)
	return visible, hidden
}

// texts spells the rows of a file.
func (d *depot) texts(t testing.TB, s lake.Schema, url string) []string {
	t.Helper()
	r, n := d.object(t.Context(), t, url)
	file, err := datafile.OpenReader(r, n, s)
	if err != nil {
		t.Fatal(err)
	}
	b := column.New(s.Columns)
	for g := range file.Groups() {
		if err := file.Read(g, names(s), b); err != nil {
			t.Fatal(err)
		}
	}
	out := make([]string, b.Rows)
	for i := range b.Columns {
		c, k := &b.Columns[i], 0
		for row, ok := range c.Valid {
			switch {
			case ok == 0:
				out[row] += "null "
				continue
			case c.Type.Kind == lake.String:
				out[row] += fmt.Sprintf("%q ", c.Text(k))
			case c.Type.Kind == lake.Double:
				out[row] += fmt.Sprintf("%g ", c.Floats[k])
			case c.Type.Kind == lake.Boolean:
				out[row] += fmt.Sprintf("%d ", c.Bools[k])
			default:
				out[row] += fmt.Sprintf("%d ", c.Ints[k])
			}
			k++
		}
	}
	return out
}

func (d *depot) object(ctx context.Context, t testing.TB, url string) (*bytes.Reader, int64) {
	t.Helper()
	key, err := d.bucket.Key(url)
	if err != nil {
		t.Fatal(err)
	}
	data, err := d.bucket.Get(ctx, key)
	if err != nil {
		t.Fatal(err)
	}
	return bytes.NewReader(data), int64(len(data))
}

// objects lists the keys of a table's data.
func (d *depot) objects(t testing.TB, table string) (keys []string) {
	t.Helper()
	for o, err := range d.bucket.List(t.Context(), store.TablePrefix(table)) {
		if err != nil {
			t.Fatal(err)
		}
		keys = append(keys, strings.TrimPrefix(o.Key, store.TablePrefix(table)))
	}
	return keys
}
