package merge

import (
	"bytes"
	"encoding/binary"
	"slices"

	"medlake/shared/lake"
	"medlake/shared/transform/column"
)

// span is the values of one key column that are looked for, in order: whole numbers or texts.
type span struct {
	name  string
	merge string // the column of the log that may hold the value too; empty: none
	ints  []int64
	texts [][]byte
}

// spans tell by their bounds which files may hold the keys that are looked for. Columns of other kinds tell nothing, and
// without spans every file may hold them.
type spans []span

// spans takes the key values of new rows.
func (s *share) spans(hits []hit) spans {
	rows := make([]int32, len(hits))
	for i, h := range hits {
		rows[i] = h.row
	}
	slices.Sort(rows)
	rows = slices.Compact(rows)
	var all spans
columns:
	for i, name := range s.table.keys {
		if name == lake.ColCustomer {
			continue // all that is looked at is one customer's
		}
		sources := []string{name}
		x := span{name: name}
		if from := s.fold.From(); from != "" && i == len(s.table.keys)-1 {
			sources, x.merge = append(sources, from), from
		}
		for _, source := range sources {
			at := slices.IndexFunc(s.fresh.batch.Columns, func(c column.Column) bool { return c.Name == source })
			c := &s.fresh.batch.Columns[at]
			values := column.Column{Type: c.Type}
			take(&values, c, rows)
			if values.Nulls > 0 && source == name { // a file's bounds say nothing of nulls
				continue columns
			}
			x.ints = append(x.ints, values.Ints...)
			for i := range values.Ends {
				x.texts = append(x.texts, values.Text(i))
			}
		}
		slices.Sort(x.ints)
		slices.SortFunc(x.texts, bytes.Compare)
		if len(x.ints)+len(x.texts) > 0 {
			all = append(all, x)
		}
	}
	return all
}

// meet reports whether the bounds of a table's columns leave room for a value of each span. Bounds are spelled as in
// lake.DataFile; nil is unknown.
func (all spans) meet(t *side, bounds func(*lake.Column) (lower, upper []byte)) bool {
	room := func(x *span, name string) bool {
		at := slices.IndexFunc(t.schema.Columns, func(c lake.Column) bool { return c.Name == name })
		c := &t.schema.Columns[at]
		lower, upper := bounds(c)
		return lower == nil || upper == nil || x.meets(c.Type, lower, upper)
	}
	for i := range all {
		x := &all[i]
		if !room(x, x.name) && !(t.isLog && x.merge != "" && room(x, x.merge)) {
			return false
		}
	}
	return true
}

func (s *span) meets(t lake.Type, lower, upper []byte) bool {
	if t.Kind == lake.String {
		i, _ := slices.BinarySearchFunc(s.texts, lower, bytes.Compare)
		return i < len(s.texts) && bytes.Compare(s.texts[i], upper) <= 0
	}
	lo, ok := whole(t, lower)
	hi, too := whole(t, upper)
	if !ok || !too {
		return true
	}
	i, _ := slices.BinarySearch(s.ints, lo)
	return i < len(s.ints) && s.ints[i] <= hi
}

// whole reads a bound of a whole number: little-endian, or for a decimal big-endian and as short as may be.
func whole(t lake.Type, b []byte) (int64, bool) {
	switch {
	case t.Kind == lake.Decimal && len(b) > 0 && len(b) <= 8:
		v := int64(int8(b[0])) >> 7
		for _, d := range b {
			v = v<<8 | int64(d)
		}
		return v, true
	case t.Kind != lake.Decimal && len(b) == 8:
		return int64(binary.LittleEndian.Uint64(b)), true
	case t.Kind != lake.Decimal && len(b) == 4:
		return int64(int32(binary.LittleEndian.Uint32(b))), true
	}
	return 0, false
}
