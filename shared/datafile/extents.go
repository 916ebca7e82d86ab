package datafile

import (
	"bytes"
	"encoding/binary"
	"math"
	"slices"

	"medlake/shared/lake"
	"medlake/shared/transform/column"
)

// extents are the smallest and largest value of a column in one row group, in Parquet's plain encoding without a length;
// nil if there is none or it is not to be told.
type extents struct{ lo, hi []byte }

// arena holds many small values in one piece of memory.
type arena []byte

// put keeps a copy of v. What was put before stays where it is.
func (a *arena) put(v []byte) []byte {
	n := len(*a)
	*a = append(*a, v...)
	return (*a)[n:len(*a):len(*a)]
}

func (a *arena) pair(lo, hi []byte) extents { return extents{a.put(lo), a.put(hi)} }

// extentsOf finds a column's extents and keeps them in a.
func (a *arena) extentsOf(c *column.Column) extents {
	var lo, hi [8]byte
	switch c.Type.Kind {
	case lake.String:
		if len(c.Ends) == 0 {
			return extents{}
		}
		return a.pair(textExtents(c))
	case lake.Double:
		l, h := doubleExtents(c.Floats)
		if l > h {
			return extents{} // none, or NaN alone
		}
		binary.LittleEndian.PutUint64(lo[:], math.Float64bits(l))
		binary.LittleEndian.PutUint64(hi[:], math.Float64bits(h))
		return a.pair(lo[:], hi[:])
	case lake.Boolean:
		if len(c.Bools) == 0 {
			return extents{}
		}
		return a.pair([]byte{slices.Min(c.Bools)}, []byte{slices.Max(c.Bools)})
	}
	if len(c.Ints) == 0 {
		return extents{}
	}
	l, h := c.Ints[0], c.Ints[0]
	for _, v := range c.Ints {
		l, h = min(l, v), max(h, v)
	}
	binary.LittleEndian.PutUint64(lo[:], uint64(l))
	binary.LittleEndian.PutUint64(hi[:], uint64(h))
	if small(c.Type) {
		return a.pair(lo[:4], hi[:4])
	}
	return a.pair(lo[:], hi[:])
}

// doubleExtents leaves NaN out, as Iceberg and Parquet want, and takes zero as -0 below and +0 above. Without a number lo is
// above hi.
func doubleExtents(values []float64) (lo, hi float64) {
	lo, hi = math.Inf(1), math.Inf(-1)
	for _, v := range values {
		if v <= lo {
			lo = v
		}
		if v >= hi {
			hi = v
		}
	}
	if lo == 0 {
		lo = math.Copysign(0, -1)
	}
	if hi == 0 {
		hi = 0
	}
	return lo, hi
}

// textExtents compares by the first eight bytes and looks at the rest only where they are equal.
func textExtents(c *column.Column) (lo, hi []byte) {
	data := c.Data
	lo = data[:c.Ends[0]]
	hi = lo
	low := lead(data, 0, c.Ends[0])
	high := low
	start := c.Ends[0]
	for _, end := range c.Ends[1:] {
		k := lead(data, start, end)
		if k <= low && (k < low || bytes.Compare(data[start:end], lo) < 0) {
			lo, low = data[start:end], k
		}
		if k >= high && (k > high || bytes.Compare(data[start:end], hi) > 0) {
			hi, high = data[start:end], k
		}
		start = end
	}
	return lo, hi
}

// lead is the first eight bytes of data[start:end] as a number that sorts as they do: missing ones count as zero.
func lead(data []byte, start, end uint32) uint64 {
	n := end - start
	if int(start)+8 <= len(data) {
		k := binary.BigEndian.Uint64(data[start:])
		if n < 8 {
			k &^= math.MaxUint64 >> (8 * n) // what follows belongs to the next value
		}
		return k
	}
	var k uint64
	for i, c := range data[start:end] {
		if i == 8 {
			break
		}
		k |= uint64(c) << (56 - 8*i)
	}
	return k
}
