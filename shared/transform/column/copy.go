package column

import (
	"encoding/binary"
	"math"

	"medlake/shared/lake"
)

// AppendFrom adds value i of a column of the same type, counted without its nulls.
func (c *Column) AppendFrom(from *Column, i int) {
	switch from.Type.Kind {
	case lake.String:
		c.AppendText(from.Text(i))
	case lake.Double:
		c.AppendFloat(from.Floats[i])
	case lake.Boolean:
		c.AppendBool(from.Bools[i] != 0)
	default:
		c.AppendInt(from.Ints[i])
	}
}

// Spell appends the bytes of value i, counted without nulls, to b: no value reads like another, nor like the beginning of
// one, of the same type.
func (c *Column) Spell(b []byte, i int) []byte {
	switch c.Type.Kind {
	case lake.String:
		v := c.Text(i)
		return append(binary.AppendUvarint(b, uint64(len(v))), v...)
	case lake.Double:
		return binary.BigEndian.AppendUint64(b, math.Float64bits(c.Floats[i]))
	case lake.Boolean:
		return append(b, c.Bools[i])
	default:
		return binary.BigEndian.AppendUint64(b, uint64(c.Ints[i]))
	}
}
