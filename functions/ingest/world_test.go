package ingest_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/parquet-go/parquet-go"

	"medlake/functions/ingest"
	"medlake/shared/archive/lock"
	"medlake/shared/lake"
	"medlake/shared/metadata"
	"medlake/shared/store"
	"medlake/shared/transform"
	"medlake/shared/warehouse"
)

// depot is a lake without commit.
type depot struct {
	bucket  *store.Bucket
	library *transform.Library
	logs    *bytes.Buffer
}

type secrets map[string][]string

func (s secrets) Lines(_ context.Context, name string) ([]string, error) {
	if lines, ok := s[name]; ok {
		return lines, nil
	}
	return nil, lake.ErrNotFound
}

func compile(t testing.TB) *transform.Library {
	t.Helper()
	set, faults := metadata.Load(os.DirFS("testdata/metadata"))
	for _, f := range faults {
		t.Fatal(f)
	}
	l, faults := transform.Compile(set)
	for _, f := range faults {
		t.Fatal(f)
	}
	return l
}

// open makes a depot in a folder or, if url says so, in memory, whose tables are published.
func open(t testing.TB, url string) *depot {
	t.Helper()
	b, err := store.Open(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	d := &depot{bucket: b, library: compile(t), logs: &bytes.Buffer{}}
	w, err := warehouse.Open(t.Context(), "sqlite://"+filepath.Join(t.TempDir(), "catalog.db"), b)
	if err != nil {
		t.Fatal(err)
	}
	schemas := []lake.Schema{lake.RejectsSchema()}
	for _, table := range d.library.Set().Tables {
		schemas = append(schemas, table.Schema())
	}
	for _, s := range schemas {
		if _, err := w.Ensure(t.Context(), s, 0); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return d
}

func (d *depot) ingest(t *testing.T, change func(*ingest.Config)) *ingest.Ingest {
	t.Helper()
	cfg := ingest.Config{
		Bucket: d.bucket, Engine: ingest.Metadata(d.library),
		Secrets: secrets{"zip/acme": {"open sesame", "old one"}},
		Log:     slog.New(slog.NewJSONHandler(d.logs, nil)),
		TempDir: t.TempDir(),
	}
	if change != nil {
		change(&cfg)
	}
	f, err := ingest.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func (d *depot) upload(t testing.TB, path string, data []byte) lake.Arrival {
	t.Helper()
	customer, name, _ := strings.Cut(path, "/")
	key := store.LandingKey(customer, time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC), name, strings.ToLower(rand.Text()))
	o, err := d.bucket.Upload(t.Context(), key, bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	return d.bucket.Arrival(o)
}

func (d *depot) process(t *testing.T, f *ingest.Ingest, a lake.Arrival) ingest.Result {
	t.Helper()
	r, err := f.Process(t.Context(), a, false)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func (d *depot) pending(t *testing.T, a lake.Arrival) lake.Pending {
	t.Helper()
	data, err := d.bucket.Get(t.Context(), store.PendingKey(a.ID(), 0))
	if err != nil {
		t.Fatal(err)
	}
	var p lake.Pending
	if err := json.Unmarshal(data, &p); err != nil {
		t.Fatal(err)
	}
	return p
}

// values reads one text column of a load's rows in a table.
func (d *depot) values(t *testing.T, r lake.Record, table, column string) []string {
	t.Helper()
	var got []string
	for _, tf := range r.Tables {
		if tf.Table != table {
			continue
		}
		for _, file := range tf.Files {
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
			leaf, ok := f.Schema().Lookup(column)
			if !ok {
				t.Fatalf("no column %s", column)
			}
			rows := make([]parquet.Row, f.NumRows())
			n, _ := parquet.NewReader(f).ReadRows(rows) //nolint:staticcheck // reads what it was written as
			for _, row := range rows[:n] {
				got = append(got, row[leaf.ColumnIndex].String())
			}
		}
	}
	return got
}

const visits = "visit_id,event,beds\nV1,A01,3\nV2,TEST,1\nV3,A01,many\n"

func zip(t *testing.T, cipher lock.Cipher, password string, members map[string]string) []byte {
	t.Helper()
	var files []lock.File
	for _, name := range slices.Sorted(maps.Keys(members)) {
		files = append(files, lock.File{Name: name, Data: []byte(members[name])})
	}
	z, err := lock.Zip(files, lock.Options{Cipher: cipher, Password: password, Random: rand.Reader})
	if err != nil {
		t.Fatal(err)
	}
	return z
}

func locked(t *testing.T) []byte {
	t.Helper()
	return zip(t, lock.AES256, "open sesame", map[string]string{
		"SMITH_visits.csv": visits, "beds.csv": "bed\nB1\nB2\n", "readme.txt": "hello",
	})
}
