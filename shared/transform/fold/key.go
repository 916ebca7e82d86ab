package fold

import (
	"encoding/binary"
	"math"

	"medlake/shared/lake"
)

// Key appends the bytes of the key that r means to buf. Keys are equal if and only if their bytes are, and sort as their
// columns do, customer first.
func (f *Fold) Key(r Ref, buf []byte) []byte {
	for i, col := range f.key {
		if r.Merged && i == len(f.key)-1 {
			col = f.from
		}
		buf = r.Rows.appendKey(buf, col, r.Row)
	}
	return buf
}

// appendKey writes one value so that no value's bytes begin another's.
func (r *Rows) appendKey(buf []byte, col, row int) []byte {
	c, i := r.Value(col, row)
	if i < 0 {
		return append(buf, 0)
	}
	buf = append(buf, 1)
	switch c.Type.Kind {
	case lake.String:
		for _, b := range c.Text(i) {
			if buf = append(buf, b); b == 0 {
				buf = append(buf, 0xFF)
			}
		}
		return append(buf, 0, 1)
	case lake.Boolean:
		return append(buf, c.Bools[i])
	case lake.Double:
		bits := math.Float64bits(c.Floats[i] + 0) // -0 is 0
		if bits>>63 == 1 {
			return binary.BigEndian.AppendUint64(buf, ^bits)
		}
		return binary.BigEndian.AppendUint64(buf, bits|1<<63)
	}
	return binary.BigEndian.AppendUint64(buf, uint64(c.Ints[i])^1<<63)
}
