package datafile

import (
	"fmt"
	"slices"

	"github.com/parquet-go/parquet-go"

	"medlake/shared/lake"
	"medlake/shared/transform/column"
)

// chunk is how many rows of a column are handed to its writer at once: the values fit the processor's cache.
const chunk = 4096

// fill writes one column of a batch.
func (e *Encoder) fill(i int, c *column.Column, rows int) error {
	e.values = slices.Grow(e.values[:0], min(chunk, rows))[:min(chunk, rows)]
	var r reader
	if err := r.init(c, rows); err != nil {
		return fmt.Errorf("column %s: %w", c.Name, err)
	}
	for row := 0; row < rows; row += chunk {
		vs := e.values[:min(chunk, rows-row)]
		if e.leaves[i].Required {
			r.required(vs)
		} else {
			r.optional(vs, c.Valid[row:row+len(vs)])
		}
		if _, err := e.columns[i].WriteRowValues(vs); err != nil {
			return fmt.Errorf("column %s: %w", c.Name, err)
		}
	}
	return nil
}

// reader hands out a column's packed values in order.
type reader struct {
	c     *column.Column
	k     int    // next value
	start uint32 // its first byte, for strings
	small bool   // an int32 in the file
}

func (r *reader) init(c *column.Column, rows int) error {
	*r = reader{c: c, small: small(c.Type)}
	n := len(c.Ints)
	switch c.Type.Kind {
	case lake.String:
		n = len(c.Ends)
	case lake.Double:
		n = len(c.Floats)
	case lake.Boolean:
		n = len(c.Bools)
	}
	if n != rows-c.Nulls {
		return fmt.Errorf("%d values and %d nulls in %d rows", n, c.Nulls, rows)
	}
	return nil
}

// small reports whether values of a type are an int32 in the file.
func small(t lake.Type) bool {
	return t.Kind == lake.Date || t.Kind == lake.Decimal && t.Precision <= 9
}

// required fills vs with the next values. Their levels are zero.
func (r *reader) required(vs []parquet.Value) {
	c, k := r.c, r.k
	switch {
	case c.Type.Kind == lake.String:
		s := r.start
		for j, e := range c.Ends[k : k+len(vs)] {
			vs[j] = parquet.ByteArrayValue(c.Data[s:e])
			s = e
		}
		r.start = s
	case c.Type.Kind == lake.Double:
		for j, v := range c.Floats[k : k+len(vs)] {
			vs[j] = parquet.DoubleValue(v)
		}
	case c.Type.Kind == lake.Boolean:
		for j, v := range c.Bools[k : k+len(vs)] {
			vs[j] = parquet.BooleanValue(v != 0)
		}
	case r.small:
		for j, v := range c.Ints[k : k+len(vs)] {
			vs[j] = parquet.Int32Value(int32(v))
		}
	default:
		for j, v := range c.Ints[k : k+len(vs)] {
			vs[j] = parquet.Int64Value(v)
		}
	}
	r.k += len(vs)
}

// optional fills vs with the next rows: a value has definition level 1, a null 0. Each kind has its own loop, since this
// runs for every value of the lake.
func (r *reader) optional(vs []parquet.Value, valid []byte) {
	c, k := r.c, r.k
	valid = valid[:len(vs)]
	switch {
	case c.Nulls == len(c.Valid):
		clear(vs)
	case c.Type.Kind == lake.String:
		s := r.start
		for j, ok := range valid {
			if ok == 0 {
				vs[j] = parquet.Value{}
				continue
			}
			e := c.Ends[k]
			vs[j] = parquet.ByteArrayValue(c.Data[s:e])
			vs[j].SetDefinitionLevel(1)
			s = e
			k++
		}
		r.start = s
	case c.Type.Kind == lake.Double:
		for j, ok := range valid {
			if ok == 0 {
				vs[j] = parquet.Value{}
				continue
			}
			vs[j] = parquet.DoubleValue(c.Floats[k])
			vs[j].SetDefinitionLevel(1)
			k++
		}
	case c.Type.Kind == lake.Boolean:
		for j, ok := range valid {
			if ok == 0 {
				vs[j] = parquet.Value{}
				continue
			}
			vs[j] = parquet.BooleanValue(c.Bools[k] != 0)
			vs[j].SetDefinitionLevel(1)
			k++
		}
	case r.small:
		for j, ok := range valid {
			if ok == 0 {
				vs[j] = parquet.Value{}
				continue
			}
			vs[j] = parquet.Int32Value(int32(c.Ints[k]))
			vs[j].SetDefinitionLevel(1)
			k++
		}
	default:
		for j, ok := range valid {
			if ok == 0 {
				vs[j] = parquet.Value{}
				continue
			}
			vs[j] = parquet.Int64Value(c.Ints[k])
			vs[j].SetDefinitionLevel(1)
			k++
		}
	}
	r.k = k
}
