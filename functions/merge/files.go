package merge

import (
	"context"
	"fmt"
	"slices"

	"medlake/shared/datafile"
	"medlake/shared/lake"
	"medlake/shared/store"
	"medlake/shared/transform/column"
	"medlake/shared/transform/fold"
	"medlake/shared/warehouse"
)

// side is one of the two tables of a merge, as its files are read.
type side struct {
	bucket *store.Bucket
	schema lake.Schema
	fold   *fold.Fold
	isLog  bool          // a row may touch two keys
	keys   []string      // the columns that a row's keys are made of
	batch  *column.Batch // of them, used again for each row group
	one    column.Batch  // a column of a row group
}

func newSide(b *store.Bucket, s lake.Schema, f *fold.Fold, keys []string, isLog bool) (*side, error) {
	t := &side{bucket: b, schema: s, fold: f, isLog: isLog, keys: keys}
	if isLog && f.From() != "" {
		t.keys = f.Columns() // which keys are touched is for the fold's conditions to say
	}
	columns, err := pick(s, t.keys)
	if err != nil {
		return nil, err
	}
	t.batch, t.one.Columns = column.New(columns), make([]column.Column, 1)
	return t, nil
}

// pick returns the columns of a schema by name.
func pick(s lake.Schema, names []string) ([]lake.Column, error) {
	var out []lake.Column
	for _, name := range names {
		i := slices.IndexFunc(s.Columns, func(c lake.Column) bool { return c.Name == name })
		if i < 0 {
			return nil, fmt.Errorf("table %s has no column %s: %w", s.Table, name, lake.ErrInvalid)
		}
		out = append(out, s.Columns[i])
	}
	return out, nil
}

// open opens a data file.
func (t *side) open(ctx context.Context, f *lake.DataFile) (*datafile.Reader, error) {
	key, err := t.bucket.Key(f.Path)
	if err != nil {
		return nil, err
	}
	return datafile.OpenReader(t.bucket.ReaderAt(ctx, key, f.Bytes), f.Bytes, t.schema)
}

// hit is a wanted key in a row.
type hit struct {
	slot   int32 // of the key
	row    int32 // in its row group
	merged bool  // see fold.Ref
	hidden bool  // a position delete hides the row
}

// scan looks through the rows of a file for the keys that want knows: it returns the key's slot, or less than 0. visit gets
// the hits of each row group that has some, in the order of rows, and the number of the group's first row. Files and row
// groups whose bounds hold none of the spans are not read.
func (t *side) scan(ctx context.Context, f *warehouse.LiveFile, hide *hidden, s spans, want func(key []byte) int32, visit func(r *datafile.Reader, group int, first int64, hits []hit) error) error {
	if !s.meet(t, func(c *lake.Column) ([]byte, []byte) { return f.Lower[c.ID], f.Upper[c.ID] }) {
		return nil
	}
	r, err := t.open(ctx, &f.DataFile)
	if err != nil {
		return err
	}
	var hits []hit
	next := int64(0)
	for g := range r.Groups() {
		first := next
		next += r.GroupRows(g)
		if !s.meet(t, func(c *lake.Column) ([]byte, []byte) { return r.Bounds(g, c.Name) }) {
			continue
		}
		t.batch.Reset()
		if err := r.Read(g, t.keys, t.batch); err != nil {
			return err
		}
		if hits = t.hits(want, hits[:0]); len(hits) == 0 {
			continue
		}
		gone, err := hide.rows(ctx, f)
		if err != nil {
			return err
		}
		for i := range hits {
			_, hits[i].hidden = slices.BinarySearch(gone, first+int64(hits[i].row))
		}
		if err := visit(r, g, first, hits); err != nil {
			return err
		}
	}
	return nil
}

// hits finds the wanted keys in the row group at hand.
func (t *side) hits(want func(key []byte) int32, hits []hit) []hit {
	rows := t.fold.Rows(t.batch)
	refs := make([]fold.Ref, 0, 2)
	var key []byte
	for row := range t.batch.Rows {
		if refs = refs[:0]; t.isLog {
			refs = t.fold.Refs(rows, row, refs)
		} else {
			refs = append(refs, fold.Ref{Rows: rows, Row: row})
		}
		for _, r := range refs {
			key = t.fold.Key(r, key[:0])
			if slot := want(key); slot >= 0 {
				hits = append(hits, hit{slot: slot, row: int32(row), merged: r.Merged})
			}
		}
	}
	return hits
}

// gather appends rows of a row group to a batch, one column at a time, so that a group is never whole in memory. Columns
// that the table lacks become null.
func (t *side) gather(r *datafile.Reader, group int, rows []int32, into *column.Batch) error {
	if len(rows) == 0 {
		return nil
	}
	for i := range into.Columns {
		to := &into.Columns[i]
		if !slices.ContainsFunc(t.schema.Columns, func(c lake.Column) bool { return c.Name == to.Name }) {
			for range rows {
				to.AppendNull()
			}
			continue
		}
		t.one.Reset()
		from := &t.one.Columns[0]
		from.Name, from.Type = to.Name, to.Type
		if err := r.Read(group, []string{to.Name}, &t.one); err != nil {
			return err
		}
		take(to, from, rows)
	}
	into.Rows += len(rows)
	return nil
}
