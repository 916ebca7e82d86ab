package datafile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"medlake/shared/lake"
	"medlake/shared/transform/column"
)

func TestRoundTrip(t *testing.T) {
	t.Parallel()
	for _, rows := range []int{1, 7, 200, 5000, 20000} {
		s, b := visits(rows, uint64(rows))
		data, f := encode(t, s, b)
		want, got := contents(b), read(t, data)
		for i, c := range s.Columns {
			if !slices.Equal(want[i], got[i]) { // far quicker than a diff, which is for one column
				t.Fatalf("%d rows, column %s (-batch +file):\n%s", rows, c.Name, cmp.Diff(want[i], got[i]))
			}
		}
		if f.Rows != int64(rows) || len(f.SplitOffsets) != 1 || f.SplitOffsets[0] != 4 {
			t.Errorf("%d rows: got %d rows, split offsets %v", rows, f.Rows, f.SplitOffsets)
		}
	}
}

func TestBatchesBecomeRowGroups(t *testing.T) {
	t.Parallel()
	s, one := visits(300, 1)
	_, two := visits(50, 2)
	data, f := encode(t, s, one, column.New(s.Columns), two)
	want := contents(one)
	for i, c := range contents(two) {
		want[i] = append(want[i], c...)
	}
	if diff := cmp.Diff(want, read(t, data)); diff != "" {
		t.Fatalf("(-batches +file):\n%s", diff)
	}
	if groups := open(t, data).RowGroups(); len(groups) != 2 || len(f.SplitOffsets) != 2 || f.Rows != 350 {
		t.Errorf("got %d row groups, split offsets %v, %d rows", len(groups), f.SplitOffsets, f.Rows)
	}
}

// What a batch holds is what the file holds: zero, false and the empty text are values.
func TestZeroIsNotNull(t *testing.T) {
	t.Parallel()
	for typeName, values := range map[string][]any{
		"string":        {"", nil, "x", "", nil},
		"long":          {0, nil, 1, 0, nil},
		"double":        {0.0, nil, 1.5, math.Copysign(0, -1), nil},
		"decimal(9,2)":  {0, nil, -1, 0, nil},
		"decimal(18,2)": {0, nil, 100, 0, nil},
		"date":          {0, nil, -1, 0, nil},
		"timestamp":     {0, nil, 1, 0, nil},
		"boolean":       {false, nil, true, false, nil},
	} {
		for _, repeat := range []int{1, 40} { // few: plain pages; many: a dictionary
			s := lake.Schema{Columns: []lake.Column{
				{ID: 7, Name: "optional", Type: typ(typeName), Bounds: true},
				{ID: 3, Name: "required", Type: typ(typeName), Required: true},
			}}
			b := column.New(s.Columns)
			for range repeat {
				for _, v := range values {
					put(&b.Columns[0], v)
					if v == nil {
						v = values[0]
					}
					put(&b.Columns[1], v)
					b.Rows++
				}
			}
			data, f := encode(t, s, b)
			if diff := cmp.Diff(contents(b), read(t, data)); diff != "" {
				t.Errorf("%s (-batch +file):\n%s", typeName, diff)
			}
			if f.Values[7] != int64(b.Rows) || f.Nulls[7] != int64(2*repeat) || f.Nulls[3] != 0 || f.ColumnBytes[7] == 0 {
				t.Errorf("%s: got values %v, nulls %v, bytes %v", typeName, f.Values, f.Nulls, f.ColumnBytes)
			}
		}
	}
}

func TestSchemaOfTheFile(t *testing.T) {
	t.Parallel()
	s, b := visits(10, 1)
	s.Columns[7].ID, s.Columns[8].ID = 90, 80
	data, _ := encode(t, s, b)
	var got []string
	for _, c := range open(t, data).Metadata().Schema[1:] {
		logical := ""
		if c.LogicalType.Value != nil {
			logical = " " + fmt.Sprint(c.LogicalType.Value)
		}
		got = append(got, fmt.Sprintf("%d %s %v %v%s", c.FieldID, c.Name, c.RepetitionType.V, c.Type.V, logical))
	}
	for _, want := range []string{
		"1 customer REQUIRED BYTE_ARRAY STRING",
		"3 _entry REQUIRED INT64 INT(64,true)",
		"5 _arrived_at REQUIRED INT64 TIMESTAMP(isAdjustedToUTC=true,unit=MICROS)",
		"90 facility_id OPTIONAL BYTE_ARRAY STRING",
		"80 facility_name OPTIONAL BYTE_ARRAY STRING",
		"16 p_born OPTIONAL INT32 DATE",
		"37 temp OPTIONAL DOUBLE",
		"44 charge OPTIONAL INT64 DECIMAL(18,2)",
		"45 readmit OPTIONAL BOOLEAN",
		"46 _extra OPTIONAL BYTE_ARRAY STRING",
	} {
		if !slices.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, strings.Join(got, "\n"))
		}
	}
	for i, c := range s.Columns {
		if !strings.Contains(got[i], c.Name) {
			t.Errorf("column %d is %q, want %s", i, got[i], c.Name)
		}
	}
	data, _ = one(t, "decimal(9,2)", true, 1)
	if c := open(t, data).Metadata().Schema[1]; fmt.Sprint(c.Type.V, c.LogicalType.Value) != "INT32 DECIMAL(9,2)" {
		t.Errorf("got %v %v for decimal(9,2)", c.Type.V, c.LogicalType.Value)
	}
}

// A writer that is used again must not lose what describes the columns.
func TestEveryFileNamesItsColumns(t *testing.T) {
	t.Parallel()
	s, b := visits(20, 1)
	e, err := NewEncoder(s)
	if err != nil {
		t.Fatal(err)
	}
	for n := range 3 {
		data, _ := encodeWith(t, e, b, b)
		for _, g := range open(t, data).Metadata().RowGroups {
			for i, c := range g.Columns {
				if got := strings.Join(c.MetaData.PathInSchema, "."); got != s.Columns[i].Name {
					t.Fatalf("file %d: column %d has path %q, want %q", n, i, got, s.Columns[i].Name)
				}
			}
		}
	}
}

func TestNoRows(t *testing.T) {
	t.Parallel()
	s, b := visits(0, 1)
	for _, batches := range [][]*column.Batch{nil, {b}} {
		data, f := encode(t, s, batches...)
		if f.Rows != 0 || len(f.SplitOffsets) != 0 || len(f.Lower) != 0 || open(t, data).NumRows() != 0 {
			t.Errorf("got %+v", f)
		}
	}
}

// The bytes depend on the batches alone: retries may write them elsewhere, with another encoder.
func TestSameBatchesSameBytes(t *testing.T) {
	t.Parallel()
	s, b := visits(1000, 1)
	want, wantFile := encode(t, s, b)
	e, err := NewEncoder(s)
	if err != nil {
		t.Fatal(err)
	}
	for _, rows := range []int{3, 40, 5000, 100, 9} { // other layouts, more than are kept
		_, other := visits(rows, 2)
		encodeWith(t, e, other)
		got, gotFile := encodeWith(t, e, b)
		if !bytes.Equal(got, want) {
			t.Fatalf("after %d other rows the file differs", rows)
		}
		if diff := cmp.Diff(wantFile, gotFile); diff != "" {
			t.Fatalf("after %d other rows (-want +got):\n%s", rows, diff)
		}
	}
}

// failing takes n bytes.
type failing struct{ n int }

func (w *failing) Write(b []byte) (int, error) {
	if w.n -= len(b); w.n < 0 {
		return 0, errors.New("disk full")
	}
	return len(b), nil
}

func TestUsableAfterAnError(t *testing.T) {
	t.Parallel()
	s, b := visits(300, 1)
	want, _ := encode(t, s, b)
	e, err := NewEncoder(s)
	if err != nil {
		t.Fatal(err)
	}
	for n := 0; n < len(want); n += 997 {
		e.Begin(&failing{n: n})
		err := e.Append(b)
		if err == nil {
			_, err = e.Finish()
		}
		if err == nil {
			t.Fatalf("a writer that takes %d of %d bytes is no error", n, len(want))
		}
		if e.Append(b) == nil {
			t.Fatal("a lost file takes more rows")
		}
		if got, _ := encodeWith(t, e, b); !bytes.Equal(got, want) {
			t.Fatalf("after an error at byte %d the next file differs", n)
		}
	}
	e.Begin(io.Discard) // and after a file that was given up
	if err := e.Append(b); err != nil {
		t.Fatal(err)
	}
	if got, _ := encodeWith(t, e, b); !bytes.Equal(got, want) {
		t.Fatal("after a file without an end the next one differs")
	}
}

func TestBatchMustFit(t *testing.T) {
	t.Parallel()
	s := lake.Schema{Table: "lake.t", Columns: []lake.Column{
		{ID: 1, Name: "a", Type: typ("string"), Required: true}, {ID: 2, Name: "b", Type: typ("long")},
	}}
	good := func() *column.Batch {
		b := column.New(s.Columns)
		put(&b.Columns[0], "x")
		put(&b.Columns[1], nil)
		b.Rows = 1
		return b
	}
	swapped := good()
	swapped.Columns[0], swapped.Columns[1] = swapped.Columns[1], swapped.Columns[0]
	data, _ := encode(t, s, swapped)
	if diff := cmp.Diff([][]any{{"x"}, {nil}}, read(t, data)); diff != "" {
		t.Errorf("columns in another order (-want +got):\n%s", diff)
	}
	for name, spoil := range map[string]func(*column.Batch){
		"column a is required and has 1 nulls": func(b *column.Batch) {
			b.Columns[0].Reset()
			put(&b.Columns[0], nil)
		},
		"column b is not in the batch":                         func(b *column.Batch) { b.Columns[1].Name = "c" },
		"column b is date in the batch and long in the schema": func(b *column.Batch) { b.Columns[1].Type = typ("date") },
		"column b has 0 rows, the batch 1":                     func(b *column.Batch) { b.Columns[1].Reset() },
		"column a: 2 values and 0 nulls in 1 rows":             func(b *column.Batch) { b.Columns[0].Ends = append(b.Columns[0].Ends, 1) },
	} {
		b := good()
		spoil(b)
		e, err := NewEncoder(s)
		if err != nil {
			t.Fatal(err)
		}
		e.Begin(io.Discard)
		if err := e.Append(b); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("got %v, want %s", err, name)
		}
	}
	for _, bad := range [][]lake.Column{nil, {{Name: "a", Type: typ("long")}}, {{ID: 1, Name: "a"}}} {
		if _, err := NewEncoder(lake.Schema{Columns: bad}); !errors.Is(err, lake.ErrInvalid) {
			t.Errorf("columns %v: got %v, want invalid", bad, err)
		}
	}
}

func TestMonth(t *testing.T) {
	t.Parallel()
	for at, want := range map[string]int32{
		"1970-01-01T00:00:00Z": 0, "1969-12-31T23:59:59Z": -1, "2026-11-30T23:59:59Z": 682, "2026-12-01T01:00:00+02:00": 682,
	} {
		tm, err := time.Parse(time.RFC3339, at)
		if err != nil {
			t.Fatal(err)
		}
		if got := Month(tm); got != want {
			t.Errorf("%s: got %d, want %d", at, got, want)
		}
	}
}
