package merge_test

import (
	"bytes"
	"context"
	"slices"
	"testing"

	"medlake/shared/datafile"
	"medlake/shared/datafile/datafiletest"
	"medlake/shared/transform/column"
	"medlake/shared/transform/fold"
	"medlake/shared/warehouse"
)

// rows reads what a table shows, as texts in order, and of which keys it has rows at all, visible or hidden.
func (d *depot) rows(t testing.TB, table string) (visible []string, keys map[string]bool) {
	t.Helper()
	ctx := t.Context()
	s, err := warehouse.PublishedSchema(ctx, d.bucket, table)
	if err != nil {
		t.Fatal(err)
	}
	h, err := d.warehouse.Batch(ctx, table)
	if err != nil {
		t.Fatal(err)
	}
	files, err := d.warehouse.Live(ctx, h, "")
	if err != nil {
		t.Fatal(err)
	}
	visible, keys = []string{}, map[string]bool{}
	for _, f := range files {
		hidden := map[int64]bool{}
		for _, del := range f.Deletes {
			data := d.object(ctx, t, del.Path)
			if err := datafile.ReadDeletes(bytes.NewReader(data), int64(len(data)), func(path []byte, row int64) {
				if string(path) == f.Path {
					hidden[row] = true
				}
			}); err != nil {
				t.Fatal(err)
			}
		}
		b := column.New(s.Columns)
		datafiletest.Read(t, s, d.object(ctx, t, f.Path), b)
		rows := d.table.Fold.Rows(b)
		for row, text := range datafiletest.Rows(b) {
			keys[string(d.table.Fold.Key(fold.Ref{Rows: rows, Row: row}, nil))] = true
			if !hidden[int64(row)] {
				visible = append(visible, text)
			}
		}
	}
	slices.Sort(visible)
	return visible, keys
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

// fold folds all rows of loads at once: what the table must show, and the keys it must have rows of.
func (d *depot) fold(loads []*load) (visible []string, keys map[string]bool) {
	f := d.table.Fold
	byKey := map[string][]fold.Ref{}
	for _, l := range loads {
		rows := f.Rows(d.batch(l))
		for row := range rows.Len() {
			for _, r := range f.Refs(rows, row, nil) {
				key := string(f.Key(r, nil))
				byKey[key] = append(byKey[key], r)
			}
		}
	}
	keys = map[string]bool{}
	out := column.New(d.log.Columns)
	state := f.State()
	for key, refs := range byKey {
		slices.SortFunc(refs, f.Compare)
		state.Reset()
		for _, r := range refs {
			state.Step(r)
		}
		if keys[key] = true; !state.Deleted() {
			state.Append(out)
		}
	}
	visible = datafiletest.Rows(out)
	slices.Sort(visible)
	return visible, keys
}
