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

// Batch is a set of columns of equal length.
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
