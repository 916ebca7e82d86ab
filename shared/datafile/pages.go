package datafile

import (
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/encoding"
	"github.com/parquet-go/parquet-go/format"

	"medlake/shared/lake"
	"medlake/shared/transform/column"
)

// appendChunk appends the values of a column chunk, page by page and without a parquet.Value for each.
func appendChunk(c *column.Column, chunk parquet.ColumnChunk) (err error) {
	pages := chunk.Pages()
	defer func() { err = errors.Join(err, pages.Close()) }()
	for {
		p, err := pages.ReadPage()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		err = appendPage(c, p, chunk.Type())
		parquet.Release(p)
		if err != nil {
			return err
		}
	}
}

// appendPage appends one page. Definition levels are 0 for null and 1 for a value: columns are not nested.
func appendPage(c *column.Column, p parquet.Page, typ parquet.Type) error {
	rows := int(p.NumRows())
	n := rows
	if levels := p.DefinitionLevels(); len(levels) > 0 {
		n -= int(p.NumNulls())
		c.Valid = append(c.Valid, levels...)
		c.Nulls += rows - n
	} else {
		c.Valid = slices.Grow(c.Valid, rows)
		for range rows {
			c.Valid = append(c.Valid, 1)
		}
	}
	if n == 0 {
		return nil
	}
	data := p.Data()
	var picks []int32 // of the dictionary, if there is one
	if d := p.Dictionary(); d != nil {
		if picks = data.Int32(); len(picks) < n {
			return errShort
		}
		picks, data = picks[:n], d.Page().Data()
		if top := slices.Max(picks); slices.Min(picks) < 0 || int(top) >= d.Len() {
			return fmt.Errorf("value %d of a dictionary of %d: %w", top, d.Len(), lake.ErrInvalid)
		}
	}
	switch kind := data.Kind(); {
	case c.Type.Kind == lake.String && kind == encoding.ByteArray:
		return appendText(c, data, picks, n)
	case c.Type.Kind == lake.Double && kind == encoding.Double:
		return appendNumbers(&c.Floats, data.Double(), picks, n)
	case c.Type.Kind == lake.Boolean && kind == encoding.Boolean && picks == nil:
		return appendBits(c, data.Boolean(), n)
	case c.Type.Kind == lake.Timestamp && !micros(typ):
	case c.Type.Kind == lake.Decimal && kind == encoding.FixedLenByteArray:
		raw, size := data.FixedLenByteArray()
		return appendDecimals(c, raw, size, picks, n)
	case !slices.Contains([]lake.Kind{lake.Long, lake.Decimal, lake.Date, lake.Timestamp}, c.Type.Kind):
	case kind == encoding.Int64:
		return appendNumbers(&c.Ints, data.Int64(), picks, n)
	case kind == encoding.Int32:
		return appendNumbers(&c.Ints, data.Int32(), picks, n)
	}
	return fmt.Errorf("a %s stored as %s: %w", c.Type, typ, lake.ErrInvalid)
}

var errShort = fmt.Errorf("a page holds fewer values than it says: %w", lake.ErrInvalid)

// micros reports whether the type is Iceberg's timestamp. Engines that say nothing of the unit write microseconds.
func micros(t parquet.Type) bool {
	l := t.LogicalType()
	if l == nil {
		return true
	}
	ts, ok := l.Value.(*format.TimestampType)
	if !ok {
		return true
	}
	_, ok = ts.Unit.Value.(*format.MicroSeconds)
	return ok
}

func appendText(c *column.Column, values encoding.Values, picks []int32, n int) error {
	data, offsets := values.ByteArray()
	end := uint32(len(c.Data))
	c.Ends = slices.Grow(c.Ends, n)
	if picks != nil {
		for _, k := range picks {
			v := data[offsets[k]:offsets[k+1]]
			c.Data = append(c.Data, v...)
			end += uint32(len(v))
			c.Ends = append(c.Ends, end)
		}
		return nil
	}
	if len(offsets) <= n {
		return errShort
	}
	first := offsets[0]
	c.Data = append(c.Data, data[first:offsets[n]]...)
	for _, o := range offsets[1 : n+1] {
		c.Ends = append(c.Ends, end+o-first)
	}
	return nil
}

func appendNumbers[T int64 | float64, V int64 | int32 | float64](to *[]T, values []V, picks []int32, n int) error {
	out := slices.Grow(*to, n)
	if picks != nil {
		for _, k := range picks {
			out = append(out, T(values[k]))
		}
	} else {
		if len(values) < n {
			return errShort
		}
		for _, v := range values[:n] {
			out = append(out, T(v))
		}
	}
	*to = out
	return nil
}

func appendBits(c *column.Column, bits []byte, n int) error {
	if len(bits)*8 < n {
		return errShort
	}
	for i := range n {
		c.Bools = append(c.Bools, bits[i/8]>>(i%8)&1)
	}
	return nil
}

// appendDecimals reads decimals as other engines write them: big-endian, sign extended, of any size.
func appendDecimals(c *column.Column, raw []byte, size int, picks []int32, n int) error {
	for i := range n {
		if picks != nil {
			i = int(picks[i])
		}
		if len(raw) < (i+1)*size {
			return errShort
		}
		v := int64(int8(raw[i*size])) >> 7 // the sign alone; the lake's decimals fit 64 bits
		for _, b := range raw[i*size : (i+1)*size] {
			v = v<<8 | int64(b)
		}
		c.Ints = append(c.Ints, v)
	}
	return nil
}
