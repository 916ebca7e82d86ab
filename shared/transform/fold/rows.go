package fold

import (
	"bytes"
	"cmp"

	"medlake/shared/lake"
	"medlake/shared/transform/column"
)

// Rows are the rows of a batch, in any order. They are not safe for concurrent use.
type Rows struct {
	batch  *column.Batch
	need   []int     // place in the batch of each of the fold's columns; -1: none
	places [][]int32 // by column of the batch: the value of each row, for columns with nulls; made when wanted

	out     *column.Batch // the batch last appended to
	sources []int         // by its columns: the place in this batch; -1: none
}

// Len is the number of rows.
func (r *Rows) Len() int { return r.batch.Rows }

// Value finds the value of one of the fold's columns in a row: the column and the place among its values, negative if it
// is null or the batch has no such column.
func (r *Rows) Value(col, row int) (*column.Column, int) { return r.value(r.need[col], row) }

func (r *Rows) value(at, row int) (*column.Column, int) {
	if at < 0 {
		return nil, -1
	}
	c := &r.batch.Columns[at]
	if c.Nulls == 0 {
		return c, row
	}
	if c.Valid[row] == 0 {
		return c, -1
	}
	if r.places[at] == nil {
		r.places[at] = places(c)
	}
	return c, int(r.places[at][row])
}

// places numbers the values of a column.
func places(c *column.Column) []int32 {
	out := make([]int32, len(c.Valid))
	n := int32(0)
	for i, ok := range c.Valid {
		out[i] = n
		n += int32(ok)
	}
	return out
}

// compare orders two values of the fold's columns; null is smallest.
func (r *Rows) compare(col, row int, s *Rows, scol, srow int) int {
	a, i := r.Value(col, row)
	b, j := s.Value(scol, srow)
	switch {
	case i < 0 || j < 0:
		return cmp.Compare(min(i, 0), min(j, 0))
	case a.Type.Kind == lake.String:
		return bytes.Compare(a.Text(i), b.Text(j))
	case a.Type.Kind == lake.Double:
		return cmp.Compare(a.Floats[i], b.Floats[j])
	case a.Type.Kind == lake.Boolean:
		return cmp.Compare(a.Bools[i], b.Bools[j])
	}
	return cmp.Compare(a.Ints[i], b.Ints[j])
}

// into finds the columns of a batch in this one.
func (r *Rows) into(out *column.Batch) []int {
	if r.out == out {
		return r.sources
	}
	r.out, r.sources = out, r.sources[:0]
	for i := range out.Columns {
		at := -1
		for j := range r.batch.Columns {
			if r.batch.Columns[j].Name == out.Columns[i].Name {
				at = j
			}
		}
		r.sources = append(r.sources, at)
	}
	return r.sources
}

// copyTo appends the value of a column of the batch to another column of its type.
func (r *Rows) copyTo(to *column.Column, at, row int) {
	c, i := r.value(at, row)
	if i < 0 {
		to.AppendNull()
		return
	}
	to.AppendFrom(c, i)
}
