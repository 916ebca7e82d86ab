package maintain_test

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"medlake/shared/datafile"
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
	return texts(b)
}

// texts spells the rows of a batch.
func texts(b *column.Batch) []string {
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
