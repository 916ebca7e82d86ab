// Package column holds typed columns built row by row from bytes and reused between files. It knows nothing of where
// values come from or where they go.
package column

import "medlake/shared/lake"

// Column is one column of a batch. Valid has one byte a row: 1 a value, 0 null. Values stand packed, without a place for
// nulls, in the slice of the column's kind: Ints (Long, Decimal, Timestamp, and Date as days), Floats, Bools (0 or 1), or
// Data cut by Ends (String: value i is Data[Ends[i-1]:Ends[i]]).
type Column struct {
	Name   string
	Type   lake.Type
	Valid  []byte
	Nulls  int
	Ints   []int64
	Floats []float64
	Bools  []byte
	Data   []byte
	Ends   []uint32
}

// Batch is a set of columns of equal length. While a row is being built its columns may be one longer than Rows; EndRow
// takes the row in, Undo takes it back.
type Batch struct {
	Columns []Column
	Rows    int
}

// New makes an empty batch with the columns of a schema.
func New(columns []lake.Column) *Batch {
	b := &Batch{Columns: make([]Column, len(columns))}
	for i, c := range columns {
		b.Columns[i].Name, b.Columns[i].Type = c.Name, c.Type
	}
	return b
}

// Reset empties the batch and keeps its memory.
func (b *Batch) Reset() {
	b.Rows = 0
	for i := range b.Columns {
		b.Columns[i].Reset()
	}
}

// EndRow takes in the row that was appended to every column.
func (b *Batch) EndRow() { b.Rows++ }

// Undo takes back what was appended since the last EndRow, in whichever columns.
func (b *Batch) Undo() {
	for i := range b.Columns {
		if c := &b.Columns[i]; len(c.Valid) > b.Rows {
			c.Truncate(b.Rows)
		}
	}
}

// Reset empties the column and keeps its memory.
func (c *Column) Reset() {
	c.Valid, c.Nulls = c.Valid[:0], 0
	c.Ints, c.Floats, c.Bools, c.Data, c.Ends = c.Ints[:0], c.Floats[:0], c.Bools[:0], c.Data[:0], c.Ends[:0]
}

// Len is the number of rows.
func (c *Column) Len() int { return len(c.Valid) }

// AppendNull adds a null.
func (c *Column) AppendNull() {
	c.Valid = append(c.Valid, 0)
	c.Nulls++
}

// AppendInt adds a value to a Long, Decimal (scaled), Date (days) or Timestamp (microseconds) column.
func (c *Column) AppendInt(v int64) {
	c.Valid = append(c.Valid, 1)
	c.Ints = append(c.Ints, v)
}

// AppendFloat adds a value to a Double column.
func (c *Column) AppendFloat(v float64) {
	c.Valid = append(c.Valid, 1)
	c.Floats = append(c.Floats, v)
}

// AppendBool adds a value to a Boolean column.
func (c *Column) AppendBool(v bool) {
	c.Valid = append(c.Valid, 1)
	b := byte(0)
	if v {
		b = 1
	}
	c.Bools = append(c.Bools, b)
}

// AppendText adds a value to a String column; v is copied.
func (c *Column) AppendText(v []byte) {
	c.Valid = append(c.Valid, 1)
	c.Data = append(c.Data, v...)
	c.Ends = append(c.Ends, uint32(len(c.Data)))
}

// AppendString is AppendText of a string.
func (c *Column) AppendString(v string) {
	c.Valid = append(c.Valid, 1)
	c.Data = append(c.Data, v...)
	c.Ends = append(c.Ends, uint32(len(c.Data)))
}

// Fill makes the column n rows long with the text v in every one. The column must be an empty String column.
func (c *Column) Fill(v string, n int) {
	for range n {
		c.AppendString(v)
	}
}

// FillInt makes the column n rows long with v in every one. The column must be empty and hold integers.
func (c *Column) FillInt(v int64, n int) {
	for range n {
		c.AppendInt(v)
	}
}

// Append casts the text v, which is not empty, to the column's type and adds it. False if it does not fit: then nothing
// is added. Texts of times without an offset count as UTC.
func (c *Column) Append(v []byte) bool {
	var n int64
	var ok bool
	switch c.Type.Kind {
	case lake.String:
		c.AppendText(v)
		return true
	case lake.Long:
		n, ok = Long(v)
	case lake.Decimal:
		n, ok = Decimal(v, c.Type.Precision, c.Type.Scale)
	case lake.Date:
		n, ok = Date(v)
	case lake.Timestamp:
		var t Time
		t, ok = Timestamp(v)
		n = t.UTC()
	case lake.Double:
		var f float64
		if f, ok = Double(v); ok {
			c.AppendFloat(f)
		}
		return ok
	case lake.Boolean:
		var b bool
		if b, ok = Boolean(v); ok {
			c.AppendBool(b)
		}
		return ok
	}
	if ok {
		c.AppendInt(n)
	}
	return ok
}

// Truncate cuts the column to its first n rows.
func (c *Column) Truncate(n int) {
	values := 0
	for _, v := range c.Valid[n:] {
		if v == 0 {
			c.Nulls--
		} else {
			values++
		}
	}
	c.Valid = c.Valid[:n]
	switch c.Type.Kind {
	case lake.String:
		c.Ends = c.Ends[:len(c.Ends)-values]
		end := uint32(0)
		if len(c.Ends) > 0 {
			end = c.Ends[len(c.Ends)-1]
		}
		c.Data = c.Data[:end]
	case lake.Double:
		c.Floats = c.Floats[:len(c.Floats)-values]
	case lake.Boolean:
		c.Bools = c.Bools[:len(c.Bools)-values]
	default:
		c.Ints = c.Ints[:len(c.Ints)-values]
	}
}

// Text returns value i, counted without the nulls, of a String column. It is valid until the column changes.
func (c *Column) Text(i int) []byte {
	start := uint32(0)
	if i > 0 {
		start = c.Ends[i-1]
	}
	return c.Data[start:c.Ends[i]]
}
