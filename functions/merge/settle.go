package merge

import (
	"bytes"
	"math"
	"slices"

	"medlake/shared/datafile"
	"medlake/shared/lake"
	"medlake/shared/transform/column"
)

// settle folds a key's rows and leaves what they come to: new rows in the place of the visible ones, nothing if they are
// what is there, and a hidden row if the key is deleted.
func (s *share) settle(n int32, v *versions, hits []hit) error {
	k := &s.slots[n]
	if s.state.Reset(); !k.late && len(k.seen) == 1 && !s.fold.Sets() {
		s.state.Resume(s.old.ref(k.seen[0]))
	}
	for _, h := range hits {
		s.state.Step(v.ref(h))
	}
	if err := s.out.room(); err != nil {
		return err
	}
	out := s.out.batch
	before := out.Rows
	s.state.Append(out)
	gone := s.state.Deleted()
	if same := k.late && !gone && s.same(k); same || gone && k.there {
		out.Rows = before
		if out.Undo(); same {
			return nil
		}
	} else if gone { // a delete that came before what it deletes: it is the row that is hidden
		for row := before; row < out.Rows; row++ {
			s.hide = append(s.hide, datafile.Position{Path: s.out.path(), Row: s.out.written + int64(row)})
		}
	}
	for _, h := range k.seen {
		s.hide = append(s.hide, s.place[h.row])
	}
	return nil
}

// same reports whether a key's visible rows are what the state has just added to the new file. The latest row tells: it
// gives all columns that the fold does not see, and a set is all rows of its load.
func (s *share) same(k *slot) bool {
	if s.state.Rows() != len(k.seen) {
		return false
	}
	last := s.old.ref(k.seen[len(k.seen)-1])
	if s.fold.Compare(s.state.Latest(), last) != 0 {
		return false
	}
	if s.fold.Sets() {
		return true
	}
	for i, name := range s.fold.Columns() {
		at := slices.IndexFunc(s.out.batch.Columns, func(c column.Column) bool { return c.Name == name })
		have, place := s.old.rows.Value(i, last.Row)
		if !endsWith(&s.out.batch.Columns[at], have, place) {
			return false
		}
	}
	return true
}

// endsWith reports whether the last row of a column equals value i of another; negative is null.
func endsWith(c, o *column.Column, i int) bool {
	if c.Valid[len(c.Valid)-1] == 0 || i < 0 {
		return i < 0 && c.Valid[len(c.Valid)-1] == 0
	}
	switch c.Type.Kind {
	case lake.String:
		return bytes.Equal(c.Text(len(c.Ends)-1), o.Text(i))
	case lake.Double:
		return math.Float64bits(c.Floats[len(c.Floats)-1]) == math.Float64bits(o.Floats[i])
	case lake.Boolean:
		return c.Bools[len(c.Bools)-1] == o.Bools[i]
	}
	return c.Ints[len(c.Ints)-1] == o.Ints[i]
}

// take appends the given rows of a column, in rising order, to another of its type.
func take(to, from *column.Column, rows []int32) {
	value, at := 0, 0 // value is the number of the value at row `at`, or of the next one
	for _, row := range rows {
		if from.Nulls == 0 {
			value = int(row)
		} else {
			for _, ok := range from.Valid[at:row] {
				value += int(ok)
			}
			if at = int(row); from.Valid[row] == 0 {
				to.AppendNull()
				continue
			}
		}
		to.AppendFrom(from, value)
	}
}
