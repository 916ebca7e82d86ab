// Package datafiletest makes data files for tests, and spells rows so that they can be compared.
package datafiletest

import (
	"bytes"
	"fmt"
	"testing"

	"medlake/shared/datafile"
	"medlake/shared/lake"
	"medlake/shared/transform/column"
)

// Encode makes one data file of a batch: its bytes, and all of its description but the place.
func Encode(tb testing.TB, s lake.Schema, b *column.Batch) (lake.DataFile, []byte) {
	tb.Helper()
	e, err := datafile.NewEncoder(s)
	if err != nil {
		tb.Fatal(err)
	}
	var out bytes.Buffer
	e.Begin(&out)
	if err := e.Append(b); err != nil {
		tb.Fatal(err)
	}
	f, err := e.Finish()
	if err != nil {
		tb.Fatal(err)
	}
	return f, out.Bytes()
}

// Read appends all rows of a data file to a batch with the columns of s.
func Read(tb testing.TB, s lake.Schema, data []byte, into *column.Batch) {
	tb.Helper()
	r, err := datafile.OpenReader(bytes.NewReader(data), int64(len(data)), s)
	if err != nil {
		tb.Fatal(err)
	}
	var names []string
	for _, c := range s.Columns {
		names = append(names, c.Name)
	}
	for g := range r.Groups() {
		if err := r.Read(g, names, into); err != nil {
			tb.Fatal(err)
		}
	}
}

// Rows spells the rows of a batch.
func Rows(b *column.Batch) []string {
	out := make([]string, b.Rows)
	for i := range b.Columns {
		c, k := &b.Columns[i], 0
		for row, ok := range c.Valid {
			switch {
			case ok == 0:
				out[row] += "null "
				continue
			case c.Type.Kind == lake.String:
				out[row] += fmt.Sprintf("%q ", c.Text(k))
			case c.Type.Kind == lake.Double:
				out[row] += fmt.Sprintf("%g ", c.Floats[k])
			case c.Type.Kind == lake.Boolean:
				out[row] += fmt.Sprintf("%d ", c.Bools[k])
			default:
				out[row] += fmt.Sprintf("%d ", c.Ints[k])
			}
			k++
		}
	}
	return out
}
