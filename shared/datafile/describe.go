package datafile

import (
	"encoding/binary"
	"math/bits"
	"unicode/utf8"

	"github.com/parquet-go/parquet-go/format"

	"medlake/shared/lake"
)

// describe makes the lake.DataFile of the file that was just written.
func (e *Encoder) describe(md *format.FileMetaData) lake.DataFile {
	n := len(e.leaves)
	f := lake.DataFile{
		Rows: md.NumRows, Bytes: e.out.n,
		ColumnBytes: make(map[int]int64, n), Values: make(map[int]int64, n), Nulls: make(map[int]int64, n),
		Lower: make(map[int][]byte, n), Upper: make(map[int][]byte, n),
		SplitOffsets: make([]int64, 0, len(md.RowGroups)),
	}
	bounds := make(arena, 0, 40*n) // the file's own: the encoder's is used again
	for g := range md.RowGroups {
		f.SplitOffsets = append(f.SplitOffsets, md.RowGroups[g].FileOffset)
	}
	for i := range e.leaves {
		l := &e.leaves[i]
		var x extents
		known := l.Bounds
		for g := range md.RowGroups {
			m := &md.RowGroups[g].Columns[i].MetaData
			f.ColumnBytes[l.ID] += m.TotalCompressedSize
			f.Values[l.ID] += m.NumValues
			f.Nulls[l.ID] += m.Statistics.NullCount
			y := e.extents[g*n+i]
			switch {
			case m.NumValues == m.Statistics.NullCount: // nulls only
			case y.lo == nil:
				known = false // unknown for some rows, so unknown for all
			case x.lo == nil:
				x = y
			default:
				if l.less(y.lo, x.lo) {
					x.lo = y.lo
				}
				if l.less(x.hi, y.hi) {
					x.hi = y.hi
				}
			}
		}
		if !known || x.lo == nil {
			continue
		}
		if v, ok := bounds.lower(l.Type, x.lo); ok {
			f.Lower[l.ID] = v
		}
		if v, ok := bounds.upper(l.Type, x.hi); ok {
			f.Upper[l.ID] = v
		}
	}
	return f
}

// less compares two values as the footer spells them.
func (l *leaf) less(a, b []byte) bool {
	t := l.node.Type()
	return t.Compare(t.Kind().Value(a), t.Kind().Value(b)) < 0
}

// boundRunes is Iceberg's default length of a string bound, in code points.
const boundRunes = 16

// lower keeps a lower bound in Iceberg's single-value serialisation.
func (a *arena) lower(t lake.Type, v []byte) ([]byte, bool) {
	if t.Kind != lake.String {
		return a.fixed(t, v), true
	}
	if !utf8.Valid(v) {
		return nil, false
	}
	return a.put(v[:prefix(v)]), true
}

// upper keeps an upper bound in Iceberg's single-value serialisation. A string longer than the bound is cut and its last
// code point raised, so that the bound stays above every value it stands for; false if none can be raised.
func (a *arena) upper(t lake.Type, v []byte) ([]byte, bool) {
	if t.Kind != lake.String {
		return a.fixed(t, v), true
	}
	if !utf8.Valid(v) {
		return nil, false
	}
	n := prefix(v)
	if n == len(v) {
		return a.put(v), true
	}
	for n > 0 {
		r, size := utf8.DecodeLastRune(v[:n])
		n -= size
		if r == utf8.MaxRune {
			continue // drop it and raise the one before
		}
		if r++; r == 0xD800 {
			r = 0xE000 // past the surrogates
		}
		return utf8.AppendRune(a.put(v[:n]), r), true
	}
	return nil, false
}

// prefix is the length in bytes of the first boundRunes code points.
func prefix(v []byte) int {
	n := 0
	for range boundRunes {
		if n >= len(v) {
			break
		}
		_, size := utf8.DecodeRune(v[n:])
		n += size
	}
	return min(n, len(v))
}

// fixed turns the footer's plain encoding into Iceberg's: the same little-endian bytes, but a decimal is its unscaled value,
// big-endian, in as few bytes as hold it.
func (a *arena) fixed(t lake.Type, v []byte) []byte {
	if t.Kind != lake.Decimal {
		return a.put(v)
	}
	var n int64
	if len(v) == 4 {
		n = int64(int32(binary.LittleEndian.Uint32(v)))
	} else {
		n = int64(binary.LittleEndian.Uint64(v))
	}
	var be [8]byte
	binary.BigEndian.PutUint64(be[:], uint64(n))
	return a.put(be[8-(bits.Len64(uint64(n^n>>63))/8+1):])
}
