package commit_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/parquet-go/parquet-go"

	"medlake/functions/commit"
	"medlake/shared/datafile"
	"medlake/shared/datafile/datafiletest"
	"medlake/shared/lake"
	"medlake/shared/store"
	"medlake/shared/transform/column"
	"medlake/shared/warehouse"
)

const table = "lake.words"

// depot is a lake without ingest: the test leaves the pending objects.
type depot struct {
	bucket    *store.Bucket
	warehouse *warehouse.Warehouse
	schema    lake.Schema
}

func wanted() lake.Schema {
	return lake.Schema{
		Format: lake.Format, Table: table, Partition: []string{"customer", "month(_arrived_at)"},
		Columns: append(lake.SystemColumns(), lake.Column{Name: "word", Type: lake.Type{Kind: lake.String}}),
	}
}

func open(t *testing.T) *depot {
	t.Helper()
	return openIn(t, store.FileURL(filepath.Join(t.TempDir(), "bucket")))
}

func openIn(t *testing.T, url string) *depot {
	t.Helper()
	dir := t.TempDir()
	b, err := store.Open(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	w, err := warehouse.Open(t.Context(), "sqlite://"+filepath.Join(dir, "catalog.db"), b)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	})
	d := &depot{bucket: b, warehouse: w}
	d.committer(t)
	if d.schema, err = warehouse.PublishedSchema(t.Context(), b, table); err != nil {
		t.Fatal(err)
	}
	return d
}

// committer is one with a journal of its own, as another process would have.
func (d *depot) committer(t *testing.T) *commit.Committer {
	t.Helper()
	c, err := commit.New(commit.Config{
		Bucket: d.bucket, Tables: d.warehouse, Log: slog.New(slog.DiscardHandler), Tries: 20,
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Ensure(t.Context(), wanted()); err != nil {
		t.Fatal(err)
	}
	return c
}

func arrivalOf(n int) lake.Arrival {
	return lake.Arrival{
		Bucket: "b", Key: fmt.Sprintf("landing/acme/2026-11-24/%d.zip@x", n), Version: "v", Size: 10,
		At: time.Date(2026, 11, 24, 0, 0, n, 0, time.UTC),
	}
}

// loaded is the record of an arrival that brought one word, whose file is stored.
func (d *depot) loaded(t *testing.T, n int) lake.Record {
	t.Helper()
	return d.derived(t, n, 0, "hello")
}

// derived is what an epoch makes of an arrival.
func (d *depot) derived(t *testing.T, n int, epoch int64, word string) lake.Record {
	t.Helper()
	a := arrivalOf(n)
	load := loadOf(n, epoch)
	b := column.New(d.schema.Columns)
	for i, v := range []any{"acme", load, 0, 1, int(a.At.UnixMicro()), word} {
		if s, ok := v.(string); ok {
			b.Columns[i].AppendText([]byte(s))
		} else {
			b.Columns[i].AppendInt(int64(v.(int)))
		}
	}
	b.EndRow()
	f, data := datafiletest.Encode(t, d.schema, b)
	key := store.TablePrefix(table) + "data/" + load + ".parquet"
	if err := d.bucket.Put(t.Context(), key, data); err != nil {
		t.Fatal(err)
	}
	f.Path, f.Customer, f.Month = d.bucket.URL(key), "acme", datafile.Month(a.At)
	return lake.Record{
		Format: lake.Format, Load: load, Arrival: a.ID(), Epoch: epoch, Customer: "acme", Feed: "words", Metadata: "v1", Status: lake.Loaded, ArrivedAt: a.At,
		Tables: []lake.TableFiles{
			{Table: table, Schema: 1, Read: 4, Committed: 1, Filtered: 1, Rejected: 2, Files: []lake.DataFile{f}},
			{Table: lake.OpsRejects, Read: 2, Committed: 2},
		},
	}
}

func loadOf(n int, epoch int64) string {
	return lake.Hash("load", fmt.Sprint(epoch), arrivalOf(n).ID())
}

// arrive leaves upload n of one row to be taken in.
func (d *depot) arrive(t *testing.T, n int, word string, base int64) {
	t.Helper()
	d.pend(t, arrivalOf(n), d.derived(t, n, 0, word), base)
}

func (d *depot) pend(t *testing.T, a lake.Arrival, r lake.Record, base int64) {
	t.Helper()
	d.leave(t, lake.Pending{Arrival: a, Base: base, Record: r})
}

// leave leaves a pending object.
func (d *depot) leave(t *testing.T, p lake.Pending) {
	t.Helper()
	p.Format = lake.Format
	data, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	if err := d.bucket.Put(t.Context(), store.PendingKey(p.Arrival.ID(), p.Epoch), data); err != nil {
		t.Fatal(err)
	}
}

func (d *depot) count(t *testing.T, prefix string) (n int) {
	t.Helper()
	for _, err := range d.bucket.List(t.Context(), prefix) {
		if err != nil {
			t.Fatal(err)
		}
		n++
	}
	return n
}

// rows reads columns of a table as text, "" for null.
func (d *depot) rows(t *testing.T, table string, columns ...string) [][]string {
	t.Helper()
	p, err := d.warehouse.Plan(t.Context(), table, "")
	if err != nil {
		t.Fatal(err)
	}
	var all [][]string
	for _, file := range p.Files {
		key, err := d.bucket.Key(file.Path)
		if err != nil {
			t.Fatal(err)
		}
		data, err := d.bucket.Get(t.Context(), key)
		if err != nil {
			t.Fatal(err)
		}
		f, err := parquet.OpenFile(bytes.NewReader(data), int64(len(data)))
		if err != nil {
			t.Fatal(err)
		}
		rows := make([]parquet.Row, f.NumRows())
		n, _ := f.RowGroups()[0].Rows().ReadRows(rows)
		for _, row := range rows[:n] {
			var texts []string
			for _, c := range columns {
				leaf, ok := f.Schema().Lookup(c)
				if !ok {
					t.Fatalf("no column %s", c)
				}
				v := row[leaf.ColumnIndex]
				if v.IsNull() {
					texts = append(texts, "")
				} else {
					texts = append(texts, v.String())
				}
			}
			all = append(all, texts)
		}
	}
	return all
}
