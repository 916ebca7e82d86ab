package datafile

import (
	"encoding/binary"
	"math"
	"math/bits"
	"unicode/utf8"

	"github.com/parquet-go/parquet-go/format"

	"medlake/shared/lake"
)

// close writes the footer.
func (e *Encoder) close() error { return e.writer.Close() }

// describe makes the lake.DataFile from the footer that was just written.
func (e *Encoder) describe() (lake.DataFile, error) {
	md := e.writer.File().Metadata()
	n := len(e.leaves)
	f := lake.DataFile{
		Rows: md.NumRows, Bytes: e.out.n,
		ColumnBytes: make(map[int]int64, n), Values: make(map[int]int64, n), Nulls: make(map[int]int64, n),
		Lower: map[int][]byte{}, Upper: map[int][]byte{},
	}
	for g := range md.RowGroups {
		f.SplitOffsets = append(f.SplitOffsets, md.RowGroups[g].FileOffset)
		for i := range e.leaves {
			m, id := &md.RowGroups[g].Columns[i].MetaData, e.leaves[i].ID
			f.ColumnBytes[id] += m.TotalCompressedSize
			f.Values[id] += m.NumValues
			f.Nulls[id] += m.Statistics.NullCount
		}
	}
	for i := range e.leaves {
		l := &e.leaves[i]
		if !l.Bounds {
			continue
		}
		if lo, hi, ok := l.bounds(md.RowGroups, i); ok {
			if lo = lower(l.Type, lo); lo != nil {
				f.Lower[l.ID] = lo
			}
			if hi = upper(l.Type, hi); hi != nil {
				f.Upper[l.ID] = hi
			}
		}
	}
	return f, nil
}

// bounds finds the smallest and largest value of column i in the footer's own serialisation.
func (l *leaf) bounds(groups []format.RowGroup, i int) (lo, hi []byte, ok bool) {
	t := l.node.Type()
	kind := t.Kind()
	for g := range groups {
		m := &groups[g].Columns[i].MetaData
		if m.NumValues == m.Statistics.NullCount {
			continue // nulls only
		}
		a, b := m.Statistics.MinValue, m.Statistics.MaxValue
		if a == nil || b == nil {
			return nil, nil, false // unknown for some rows, so unknown for all
		}
		if !ok || t.Compare(kind.Value(a), kind.Value(lo)) < 0 {
			lo = a
		}
		if !ok || t.Compare(kind.Value(b), kind.Value(hi)) > 0 {
			hi = b
		}
		ok = true
	}
	return lo, hi, ok
}

// boundRunes is Iceberg's default length of a string bound, in code points.
const boundRunes = 16

// lower is a lower bound in Iceberg's single-value serialisation; nil: none.
func lower(t lake.Type, v []byte) []byte {
	if t.Kind == lake.String {
		if !utf8.Valid(v) {
			return nil
		}
		return append([]byte{}, v[:prefix(v)]...)
	}
	return fixed(t, v, math.Copysign(0, -1))
}

// upper is an upper bound in Iceberg's single-value serialisation; nil: none. A string longer than the bound is cut and
// its last code point raised, so that the bound stays above every value it stands for.
func upper(t lake.Type, v []byte) []byte {
	if t.Kind != lake.String {
		return fixed(t, v, 0)
	}
	if !utf8.Valid(v) {
		return nil
	}
	n := prefix(v)
	if n == len(v) {
		return append([]byte{}, v...)
	}
	for n > 0 {
		r, size := utf8.DecodeLastRune(v[:n])
		n -= size
		switch r {
		case utf8.MaxRune:
			continue // cannot be raised: drop it and raise the one before
		case 0xD7FF:
			r = 0xE000 // past the surrogates
		default:
			r++
		}
		return utf8.AppendRune(append([]byte{}, v[:n]...), r)
	}
	return nil
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
// big-endian, in as few bytes as hold it. zero is how a zero double is written: -0 is its own lower bound, +0 its upper.
func fixed(t lake.Type, v []byte, zero float64) []byte {
	switch t.Kind {
	case lake.Decimal:
		var n int64
		if len(v) == 4 {
			n = int64(int32(binary.LittleEndian.Uint32(v)))
		} else {
			n = int64(binary.LittleEndian.Uint64(v))
		}
		be := binary.BigEndian.AppendUint64(nil, uint64(n))
		return be[8-(bits.Len64(uint64(n^n>>63))/8+1):]
	case lake.Double:
		f := math.Float64frombits(binary.LittleEndian.Uint64(v))
		if math.IsNaN(f) {
			return nil
		}
		if f == 0 {
			return binary.LittleEndian.AppendUint64(nil, math.Float64bits(zero))
		}
	}
	return append([]byte{}, v...)
}
