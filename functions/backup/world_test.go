package backup_test

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"testing"
	"time"

	"medlake/functions/backup"
	"medlake/functions/commit"
	"medlake/shared/datafile"
	"medlake/shared/datafile/datafiletest"
	"medlake/shared/lake"
	"medlake/shared/store"
	"medlake/shared/store/journal"
	"medlake/shared/transform/column"
	"medlake/shared/warehouse"
)

const table = "lake.words"

// depot is a lake without ingest, and a bucket for its copy.
type depot struct {
	bucket, target *store.Bucket
	warehouse      *warehouse.Warehouse
	schema         lake.Schema
	now            time.Time
}

func memory(t *testing.T) *store.Bucket {
	t.Helper()
	b, err := store.Open(t.Context(), "mem://")
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// on is the lake in a bucket, with a catalog that is empty.
func on(t *testing.T, b *store.Bucket) *depot {
	t.Helper()
	w, err := warehouse.OpenAt(t.Context(), b, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	})
	return &depot{bucket: b, target: memory(t), warehouse: w, now: time.Date(2026, 11, 25, 0, 0, 0, 0, time.UTC)}
}

// open is a lake with a table.
func open(t *testing.T) *depot {
	t.Helper()
	d := on(t, memory(t))
	d.round(t)
	return d
}

func (d *depot) round(t *testing.T) {
	t.Helper()
	c, err := commit.New(commit.Config{Bucket: d.bucket, Tables: d.warehouse, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	err = c.Ensure(t.Context(), lake.Schema{
		Format: lake.Format, Table: table, Partition: []string{"customer", "month(_arrived_at)"},
		Columns: append(lake.SystemColumns(), lake.Column{Name: "word", Type: lake.Type{Kind: lake.String}}),
	})
	if err == nil {
		_, err = c.Round(t.Context())
	}
	if err == nil {
		d.schema, err = warehouse.PublishedSchema(t.Context(), d.bucket, table)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// put stores an object under its key.
func (d *depot) put(t *testing.T, key string, data []byte) {
	t.Helper()
	if err := d.bucket.Put(t.Context(), key, data); err != nil {
		t.Fatal(err)
	}
}

// arrive leaves all that ingest leaves of an upload with some words.
func (d *depot) arrive(t *testing.T, n int, words ...string) lake.DataFile {
	t.Helper()
	at := time.Date(2026, 11, 24, 0, 0, n, 0, time.UTC)
	a := lake.Arrival{Bucket: "b", Key: fmt.Sprintf("landing/acme/2026-11-24/%d.zip@x", n), Version: "v", Size: 10, At: at}
	d.put(t, a.Key, []byte("zip"))
	load := lake.Hash("load", a.ID())
	f := d.file(t, load, words...)
	r := lake.Record{
		Format: lake.Format, Load: load, Arrival: a.ID(), Customer: "acme", Feed: "words", Metadata: "v1", Status: lake.Loaded, ArrivedAt: at,
		Tables: []lake.TableFiles{{Table: table, Schema: 1, Read: f.Rows, Committed: f.Rows, Files: []lake.DataFile{f}}},
	}
	p := lake.Pending{Format: lake.Format, Arrival: a, Record: r}
	for key, v := range map[string]any{store.LoadKey(load): r, store.PendingKey(a.ID(), 0): p} {
		data, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		d.put(t, key, data)
	}
	return f
}

// file writes a data file.
func (d *depot) file(t *testing.T, name string, words ...string) lake.DataFile {
	t.Helper()
	at := time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC)
	b := column.New(d.schema.Columns)
	for _, word := range words {
		for i, v := range []any{"acme", name, 0, 1, int(at.UnixMicro()), word} {
			if s, ok := v.(string); ok {
				b.Columns[i].AppendString(s)
			} else {
				b.Columns[i].AppendInt(int64(v.(int)))
			}
		}
		b.EndRow()
	}
	f, data := datafiletest.Encode(t, d.schema, b)
	key := store.TablePrefix(table) + "data/" + name + ".parquet"
	d.put(t, key, data)
	f.Path, f.Customer, f.Month = d.bucket.URL(key), "acme", datafile.Month(at)
	return f
}

// compact replaces all data files by one of those words, and deletes the old ones and all snapshots that named them.
func (d *depot) compact(t *testing.T, name string, words ...string) {
	t.Helper()
	h, err := d.warehouse.Batch(t.Context(), table)
	if err != nil {
		t.Fatal(err)
	}
	live, err := d.warehouse.Live(t.Context(), h, "")
	if err != nil {
		t.Fatal(err)
	}
	c := warehouse.Change{Add: []lake.DataFile{d.file(t, name, words...)}, Batch: h.Batch, Same: true}
	for _, f := range live {
		c.Remove = append(c.Remove, f.Path)
	}
	if err := d.warehouse.Apply(t.Context(), h, c); err != nil {
		t.Fatal(err)
	}
	for _, path := range c.Remove {
		key, err := d.bucket.Key(path)
		if err == nil {
			err = d.bucket.Delete(t.Context(), key)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// backup runs one into a target.
func (d *depot) backup(t *testing.T, target *store.Bucket, grace time.Duration) (backup.Done, error) {
	t.Helper()
	d.now = d.now.Add(time.Hour)
	b, err := backup.New(backup.Config{
		Source: d.bucket, Tables: d.warehouse, Target: target, Grace: grace,
		Now: func() time.Time { return d.now }, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.Run(t.Context())
}

// back brings the newest backup back to an empty bucket and rebuilds the catalog.
func (d *depot) back(t *testing.T) (*depot, backup.Contents) {
	t.Helper()
	return d.backTo(t, memory(t))
}

func (d *depot) backTo(t *testing.T, b *store.Bucket) (*depot, backup.Contents) {
	t.Helper()
	c, err := backup.Back(t.Context(), d.target, b, 4)
	if err != nil {
		t.Fatal(err)
	}
	n := on(t, b)
	tail, err := journal.New(b).Tail(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := n.warehouse.Rebuild(t.Context(), tail); err != nil {
		t.Fatal(err)
	}
	return n, c
}

// words reads the table.
func (d *depot) words(t *testing.T) []string {
	t.Helper()
	h, err := d.warehouse.Batch(t.Context(), table)
	if err != nil {
		t.Fatal(err)
	}
	live, err := d.warehouse.Live(t.Context(), h, "")
	if err != nil {
		t.Fatal(err)
	}
	var words []string
	for _, f := range live {
		key, err := d.bucket.Key(f.Path)
		if err != nil {
			t.Fatal(err)
		}
		r, err := datafile.OpenReader(d.bucket.ReaderAt(t.Context(), key, f.Bytes), f.Bytes, d.schema)
		if err != nil {
			t.Fatal(err)
		}
		b := column.New([]lake.Column{{Name: "word", Type: lake.Type{Kind: lake.String}}})
		for g := range r.Groups() {
			if err := r.Read(g, []string{"word"}, b); err != nil {
				t.Fatal(err)
			}
		}
		for i := range b.Rows {
			words = append(words, string(b.Columns[0].Text(i)))
		}
	}
	slices.Sort(words)
	return words
}

func (d *depot) count(t *testing.T, b *store.Bucket, prefix string) (n int) {
	t.Helper()
	for _, err := range b.List(t.Context(), prefix) {
		if err != nil {
			t.Fatal(err)
		}
		n++
	}
	return n
}
