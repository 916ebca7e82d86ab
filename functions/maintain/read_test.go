package maintain_test

import (
	"bytes"
	"context"
	"slices"
	"strings"
	"testing"

	"medlake/shared/datafile"
	"medlake/shared/datafile/datafiletest"
	"medlake/shared/lake"
	"medlake/shared/store"
	"medlake/shared/transform/column"
	"medlake/shared/warehouse"
)

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
			data := d.object(t.Context(), t, del.Path)
			if err := datafile.ReadDeletes(bytes.NewReader(data), int64(len(data)), func(path []byte, row int64) {
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
	b := column.New(s.Columns)
	datafiletest.Read(t, s, d.object(t.Context(), t, url), b)
	return datafiletest.Rows(b)
}

func (d *depot) object(ctx context.Context, t testing.TB, url string) []byte {
	t.Helper()
	key, err := d.bucket.Key(url)
	if err != nil {
		t.Fatal(err)
	}
	data, err := d.bucket.Get(ctx, key)
	if err != nil {
		t.Fatal(err)
	}
	return data
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
