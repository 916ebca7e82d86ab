package maintain

import (
	"bytes"
	"cmp"
	"slices"

	"medlake/shared/lake"
	"medlake/shared/transform/column"
)

// places gives the number of each row's value in a column, -1 for null, in memory that it is given.
func places(c *column.Column, memory []int32) []int32 {
	memory = slices.Grow(memory[:0], len(c.Valid))
	next := int32(0)
	for _, ok := range c.Valid {
		if ok == 0 {
			memory = append(memory, -1)
			continue
		}
		memory = append(memory, next)
		next++
	}
	return memory
}

// arrange sorts rows of a batch by columns, nulls first; equal ones by row.
func arrange(rows []int32, b *column.Batch, by []string) {
	var compare []func(a, b int32) int
	for _, name := range by {
		i := slices.IndexFunc(b.Columns, func(c column.Column) bool { return c.Name == name })
		compare = append(compare, comparer(&b.Columns[i]))
	}
	slices.SortFunc(rows, func(a, b int32) int {
		for _, f := range compare {
			if n := f(a, b); n != 0 {
				return n
			}
		}
		return cmp.Compare(a, b)
	})
}

// comparer compares two rows of a column.
func comparer(c *column.Column) func(a, b int32) int {
	var values func(i, j int32) int
	switch c.Type.Kind {
	case lake.String:
		values = func(i, j int32) int { return bytes.Compare(c.Text(int(i)), c.Text(int(j))) }
	case lake.Double:
		values = func(i, j int32) int { return cmp.Compare(c.Floats[i], c.Floats[j]) }
	case lake.Boolean:
		values = func(i, j int32) int { return cmp.Compare(c.Bools[i], c.Bools[j]) }
	default:
		values = func(i, j int32) int { return cmp.Compare(c.Ints[i], c.Ints[j]) }
	}
	if c.Nulls == 0 {
		return values
	}
	at := places(c, nil)
	return func(a, b int32) int {
		if i, j := at[a], at[b]; i < 0 || j < 0 {
			return cmp.Compare(min(i, 0), min(j, 0))
		} else {
			return values(i, j)
		}
	}
}

// gather appends rows of a column, in any order, to another of its type. It returns the memory it used.
func gather(to, from *column.Column, rows, memory []int32) []int32 {
	if from.Nulls > 0 {
		memory = places(from, memory)
	}
	for _, row := range rows {
		i := row
		if from.Nulls > 0 {
			if i = memory[row]; i < 0 {
				to.AppendNull()
				continue
			}
		}
		to.AppendFrom(from, int(i))
	}
	return memory
}

// size is the memory that the rows of a batch take, in bytes.
func size(b *column.Batch) (n int64) {
	for i := range b.Columns {
		c := &b.Columns[i]
		n += int64(len(c.Valid) + 8*len(c.Ints) + 8*len(c.Floats) + len(c.Bools) + len(c.Data) + 4*len(c.Ends))
	}
	return n
}
