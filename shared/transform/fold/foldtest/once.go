package foldtest

import (
	"fmt"
	"slices"
	"strconv"

	"medlake/shared/lake"
	"medlake/shared/metadata"
	"medlake/shared/transform/column"
	"medlake/shared/transform/fold"
)

// Batch makes a batch of rows as text by column.
func Batch(t *metadata.Table, rows ...map[string]string) (*column.Batch, error) {
	b := column.New(t.Schema().Columns)
	for _, r := range rows {
		for i := range b.Columns {
			c := &b.Columns[i]
			if v, ok := r[c.Name]; !ok {
				c.AppendNull()
			} else if !c.Append([]byte(v)) {
				return nil, fmt.Errorf("column %s does not take its value", c.Name)
			}
		}
		b.EndRow()
	}
	return b, nil
}

// Refs lists the keys that the rows of a batch touch.
func Refs(f *fold.Fold, b *column.Batch) []fold.Ref {
	rows := f.Rows(b)
	var out []fold.Ref
	for i := range rows.Len() {
		out = f.Refs(rows, i, out)
	}
	return out
}

// ByKey sorts refs apart by key, each key's in the total order.
func ByKey(f *fold.Fold, refs []fold.Ref) map[string][]fold.Ref {
	out := map[string][]fold.Ref{}
	for _, r := range refs {
		k := string(f.Key(r, nil))
		out[k] = append(out[k], r)
	}
	for _, key := range out {
		slices.SortFunc(key, f.Compare)
	}
	return out
}

// Once folds a whole log at once: the rows that the table shows, and its history, with _valid_from and _valid_to. A table
// with replace has no history here.
func Once(f *fold.Fold, t *metadata.Table, b *column.Batch) (shown, history []string) {
	out := column.New(t.Schema().Columns)
	s := f.State()
	times := cells(b, append(slices.Clone(t.Change.Order), lake.ColArrivedAt)[0])
	for _, refs := range ByKey(f, Refs(f, b)) {
		s.Reset()
		for i, r := range refs {
			s.Step(r)
			if s.Deleted() || s.Rows() != 1 || len(t.Change.Replace) > 0 {
				continue
			}
			from, to := times[r.Row], "NULL"
			if i+1 < len(refs) {
				if to = times[refs[i+1].Row]; to == from {
					continue
				}
			}
			out.Reset()
			s.Append(out)
			history = append(history, Texts(out)[0]+"|"+from+"|"+to)
		}
		if !s.Deleted() {
			out.Reset()
			s.Append(out)
			shown = append(shown, Texts(out)...)
		}
	}
	slices.Sort(shown)
	slices.Sort(history)
	return shown, history
}

// Texts spells the rows of a batch: cells with a | between.
func Texts(b *column.Batch) []string {
	out := make([]string, b.Rows)
	for i, c := range b.Columns {
		for row, v := range cells(b, c.Name) {
			if i > 0 {
				v = "|" + v
			}
			out[row] += v
		}
	}
	return out
}

// cells spells the values of a column.
func cells(b *column.Batch, name string) []string {
	c := &b.Columns[slices.IndexFunc(b.Columns, func(c column.Column) bool { return c.Name == name })]
	out := make([]string, 0, b.Rows)
	n := 0
	for _, ok := range c.Valid {
		if ok == 0 {
			out = append(out, "NULL")
			continue
		}
		out = append(out, spelled(c, n))
		n++
	}
	return out
}

// spelled is value i of a column.
func spelled(c *column.Column, i int) string {
	switch c.Type.Kind {
	case lake.String:
		return string(c.Text(i))
	case lake.Double:
		return strconv.FormatFloat(c.Floats[i], 'f', -1, 64)
	case lake.Boolean:
		return strconv.FormatBool(c.Bools[i] == 1)
	case lake.Decimal:
		return string(column.AppendDecimal(nil, c.Ints[i], c.Type.Scale))
	case lake.Date:
		return string(column.AppendDate(nil, c.Ints[i]))
	case lake.Timestamp:
		return string(column.AppendTimestamp(nil, c.Ints[i]))
	}
	return strconv.FormatInt(c.Ints[i], 10)
}
