package restore_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"testing"
	"time"

	"medlake/functions/commit"
	"medlake/functions/restore"
	"medlake/shared/datafile"
	"medlake/shared/datafile/datafiletest"
	"medlake/shared/lake"
	"medlake/shared/store"
	"medlake/shared/transform/column"
	"medlake/shared/warehouse"
)

// depot is a lake without ingest: the test leaves the pending objects.
type depot struct {
	bucket    *store.Bucket
	warehouse *warehouse.Warehouse
	names     []string
}

// open is a lake of some tables in memory.
func open(tb testing.TB, names ...string) *depot {
	tb.Helper()
	b, err := store.Open(tb.Context(), "mem://")
	if err != nil {
		tb.Fatal(err)
	}
	w, err := warehouse.OpenAt(tb.Context(), b, nil)
	if err != nil {
		tb.Fatal(err)
	}
	return on(tb, b, w, names...)
}

func on(tb testing.TB, b *store.Bucket, w *warehouse.Warehouse, names ...string) *depot {
	tb.Cleanup(func() {
		if err := w.Close(); err != nil {
			tb.Error(err)
		}
	})
	d := &depot{bucket: b, warehouse: w, names: names}
	d.round(tb)
	return d
}

func (d *depot) committer(tb testing.TB, tables commit.Tables) *commit.Committer {
	tb.Helper()
	c, err := commit.New(commit.Config{Bucket: d.bucket, Tables: tables, Log: slog.New(slog.DiscardHandler), Tries: 1})
	if err != nil {
		tb.Fatal(err)
	}
	var wanted []lake.Schema
	for _, name := range d.names {
		wanted = append(wanted, lake.Schema{
			Format: lake.Format, Table: name, Partition: []string{"customer", "month(_arrived_at)"},
			Columns: append(lake.SystemColumns(), lake.Column{Name: "word", Type: lake.Type{Kind: lake.String}}),
		})
	}
	if err := c.Ensure(tb.Context(), wanted...); err != nil {
		tb.Fatal(err)
	}
	return c
}

func (d *depot) round(tb testing.TB) {
	tb.Helper()
	if _, err := d.committer(tb, d.warehouse).Round(tb.Context()); err != nil {
		tb.Fatal(err)
	}
}

// arrive leaves a load of one word for each of some tables, and returns its id.
func (d *depot) arrive(tb testing.TB, word string, tables ...string) string {
	tb.Helper()
	at := time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC)
	a := lake.Arrival{Bucket: "b", Key: "landing/acme/2026-11-24/" + word + ".zip@x", Version: "v", Size: 10, At: at}
	load := lake.Hash("load", a.ID())
	r := lake.Record{
		Format: lake.Format, Load: load, Arrival: a.ID(), Customer: "acme", Feed: "words", Metadata: "v1", Status: lake.Loaded, ArrivedAt: at,
	}
	for _, table := range tables {
		f := d.file(tb, table, load, word, at)
		r.Tables = append(r.Tables, lake.TableFiles{Table: table, Schema: 1, Read: 1, Committed: 1, Files: []lake.DataFile{f}})
	}
	data, err := json.Marshal(lake.Pending{Format: lake.Format, Arrival: a, Record: r})
	if err == nil {
		err = d.bucket.Put(tb.Context(), store.PendingKey(a.ID(), 0), data)
	}
	if err != nil {
		tb.Fatal(err)
	}
	return load
}

func (d *depot) file(tb testing.TB, table, load, word string, at time.Time) lake.DataFile {
	tb.Helper()
	schema, err := warehouse.PublishedSchema(tb.Context(), d.bucket, table)
	if err != nil {
		tb.Fatal(err)
	}
	b := column.New(schema.Columns)
	for i, v := range []any{"acme", load, 0, 1, int(at.UnixMicro()), word} {
		if s, ok := v.(string); ok {
			b.Columns[i].AppendString(s)
		} else {
			b.Columns[i].AppendInt(int64(v.(int)))
		}
	}
	b.EndRow()
	f, data := datafiletest.Encode(tb, schema, b)
	key := fmt.Sprintf("%sdata/%s.parquet", store.TablePrefix(table), load)
	if err := d.bucket.Put(tb.Context(), key, data); err != nil {
		tb.Fatal(err)
	}
	f.Path, f.Customer, f.Month = d.bucket.URL(key), "acme", datafile.Month(at)
	return f
}

// loaded brings words into tables, each with an entry of its own, and returns their loads.
func (d *depot) loaded(tb testing.TB, tables []string, words ...string) (loads []string) {
	tb.Helper()
	for _, word := range words {
		loads = append(loads, d.arrive(tb, word, tables...))
		d.round(tb)
	}
	return loads
}

// at is the time of the nth snapshot of a table.
func (d *depot) at(tb testing.TB, table string, n int) time.Time {
	tb.Helper()
	all, err := d.warehouse.Snapshots(tb.Context(), table)
	if err != nil || len(all) < n {
		tb.Fatalf("%d snapshots, %v", len(all), err)
	}
	for time.Now().UnixMilli() <= all[len(all)-1].At.UnixMilli() { // the next one is to be later
		time.Sleep(time.Millisecond)
	}
	if n == 0 {
		return all[0].At.Add(-time.Second)
	}
	return all[n-1].At
}

func (d *depot) restorer(tb testing.TB, b *store.Bucket) *restore.Restorer {
	tb.Helper()
	r, err := restore.New(restore.Config{Bucket: b, Tables: d.warehouse})
	if err != nil {
		tb.Fatal(err)
	}
	return r
}

// back restores a table to a time and commits.
func (d *depot) back(tb testing.TB, table string, to time.Time, exclude ...string) restore.Plan {
	tb.Helper()
	r := d.restorer(tb, d.bucket)
	p, err := r.Plan(tb.Context(), table, to)
	if err == nil {
		_, err = r.Restore(tb.Context(), p, exclude, "test")
	}
	if err != nil {
		tb.Fatal(err)
	}
	d.round(tb)
	return p
}

// words reads a table.
func (d *depot) words(tb testing.TB, table string) []string {
	tb.Helper()
	ctx := context.WithoutCancel(tb.Context())
	p, err := d.warehouse.Plan(ctx, table, "")
	if err != nil {
		tb.Fatal(err)
	}
	words := []string{}
	for _, f := range p.Files {
		key, err := d.bucket.Key(f.Path)
		if err != nil {
			tb.Fatal(err)
		}
		r, err := datafile.OpenReader(d.bucket.ReaderAt(ctx, key, f.Bytes), f.Bytes, p.Schema)
		if err != nil {
			tb.Fatal(err)
		}
		b := column.New([]lake.Column{{Name: "word", Type: lake.Type{Kind: lake.String}}})
		if err := r.Read(0, []string{"word"}, b); err != nil {
			tb.Fatal(err)
		}
		words = append(words, string(b.Columns[0].Text(0)))
	}
	slices.Sort(words)
	return words
}
