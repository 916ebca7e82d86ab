package datafile

import (
	"bytes"
	"io"
	"testing"

	"github.com/parquet-go/parquet-go"

	"medlake/shared/lake"
	"medlake/shared/transform/column"
)

// encode writes batches into one file with a fresh encoder.
func encode(t *testing.T, s lake.Schema, batches ...*column.Batch) ([]byte, lake.DataFile) {
	t.Helper()
	e, err := NewEncoder(s)
	if err != nil {
		t.Fatal(err)
	}
	return encodeWith(t, e, batches...)
}

func encodeWith(t *testing.T, e *Encoder, batches ...*column.Batch) ([]byte, lake.DataFile) {
	t.Helper()
	var buf bytes.Buffer
	e.Begin(&buf)
	for _, b := range batches {
		if err := e.Append(b); err != nil {
			t.Fatal(err)
		}
	}
	f, err := e.Finish()
	if err != nil {
		t.Fatal(err)
	}
	if f.Bytes != int64(buf.Len()) {
		t.Errorf("the data file says %d bytes, %d were written", f.Bytes, buf.Len())
	}
	return buf.Bytes(), f
}

func open(t *testing.T, data []byte) *parquet.File {
	t.Helper()
	f, err := parquet.OpenFile(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// read returns a file's values by column; a null is nil.
func read(t *testing.T, data []byte) [][]any {
	t.Helper()
	f := open(t, data)
	out := make([][]any, len(f.Root().Columns()))
	for _, g := range f.RowGroups() {
		for i, chunk := range g.ColumnChunks() {
			r := parquet.NewColumnChunkValueReader(chunk)
			var buf [100]parquet.Value
			for {
				n, err := r.ReadValues(buf[:])
				for _, v := range buf[:n] {
					out[i] = append(out[i], plain(v))
				}
				if err == io.EOF {
					break
				}
				if err != nil {
					t.Fatal(err)
				}
			}
			if err := r.Close(); err != nil {
				t.Fatal(err)
			}
		}
	}
	return out
}

func plain(v parquet.Value) any {
	switch v.Kind() {
	case parquet.ByteArray:
		return string(v.ByteArray())
	case parquet.Int32:
		return int64(v.Int32())
	case parquet.Int64:
		return v.Int64()
	case parquet.Double:
		return v.Double()
	case parquet.Boolean:
		return v.Boolean()
	}
	return nil
}

// contents returns a batch's values by column, in the form read returns them.
func contents(b *column.Batch) [][]any {
	out := make([][]any, len(b.Columns))
	for i := range b.Columns {
		c, k := &b.Columns[i], 0
		for _, ok := range c.Valid {
			if ok == 0 {
				out[i] = append(out[i], nil)
				continue
			}
			switch c.Type.Kind {
			case lake.String:
				out[i] = append(out[i], string(value(c, k)))
			case lake.Double:
				out[i] = append(out[i], c.Floats[k])
			case lake.Boolean:
				out[i] = append(out[i], c.Bools[k] != 0)
			default:
				out[i] = append(out[i], c.Ints[k])
			}
			k++
		}
	}
	return out
}
