package csv_test

import (
	"bytes"
	"io"
	"testing"

	"medlake/shared/format"
	"medlake/shared/format/csv"
)

// endless is a text too large to be held: a header, and a row again and again.
type endless struct{ rows int }

func (e endless) Bytes() ([]byte, error) { panic("the text must be streamed") }

func (e endless) Reader() (io.ReadCloser, error) {
	row := []byte("1,\"O\"\"Neil\",\"a\nb\",x\n")
	readers := []io.Reader{bytes.NewReader([]byte("a,b,c,d\n"))}
	block := bytes.Repeat(row, 1000)
	for range e.rows / 1000 {
		readers = append(readers, bytes.NewReader(block))
	}
	return io.NopCloser(io.MultiReader(readers...)), nil
}

// TestRowsCostNoAllocation holds that what a text costs does not grow with its rows.
func TestRowsCostNoAllocation(t *testing.T) {
	d, err := csv.Config{Quote: '"'}.NewDecoder([]string{"b", "c"})
	if err != nil {
		t.Fatal(err)
	}
	const rows = 200_000
	n := testing.AllocsPerRun(2, func() {
		got, last := 0, 0
		if err := d.Decode(endless{rows}, func(r *format.Row) error { got++; last = r.Line; return nil }); err != nil {
			t.Fatal(err)
		}
		if got != rows || last != 2*rows {
			t.Fatalf("%d rows, the last at line %d", got, last)
		}
	})
	if n > rows/100 { // the source's own
		t.Errorf("%v allocations for %d rows", n, rows)
	}
}
