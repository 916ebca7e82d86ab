package datafile

import (
	"bytes"
	"errors"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"

	"medlake/shared/lake"
	"medlake/shared/transform/column"
)

// reread reads all of a file with a Reader.
func reread(t *testing.T, data []byte, s lake.Schema) *column.Batch {
	t.Helper()
	r, err := OpenReader(bytes.NewReader(data), int64(len(data)), s)
	if err != nil {
		t.Fatal(err)
	}
	b := column.New(s.Columns)
	var names []string
	for _, c := range s.Columns {
		names = append(names, c.Name)
	}
	for g := range r.Groups() {
		if err := r.Read(g, names, b); err != nil {
			t.Fatal(err)
		}
	}
	if int64(b.Rows) != r.Rows() {
		t.Errorf("%d rows read of %d", b.Rows, r.Rows())
	}
	return b
}

func TestReaderReadsWhatWasWritten(t *testing.T) {
	t.Parallel()
	for _, rows := range []int{1, 7, 200, 5000, 20000} { // the last is not read at once, and has several pages a column
		s, one := visits(rows, uint64(rows))
		_, two := visits(rows/2, 3)
		data, _ := encode(t, s, one, two)
		want := contents(one)
		for i, c := range contents(two) {
			want[i] = append(want[i], c...)
		}
		b := reread(t, data, s)
		got := contents(b)
		for i, c := range s.Columns {
			if d := cmp.Diff(want[i], got[i]); d != "" {
				t.Fatalf("%d rows, column %s: %s", rows, c.Name, d)
			}
			if nulls := one.Columns[i].Nulls + two.Columns[i].Nulls; b.Columns[i].Nulls != nulls {
				t.Errorf("column %s: %d nulls, want %d", c.Name, b.Columns[i].Nulls, nulls)
			}
		}
	}
}

func TestReaderFindsColumnsByFieldID(t *testing.T) {
	t.Parallel()
	written := lake.Schema{Table: "lake.t", Columns: []lake.Column{
		{ID: 4, Name: "old", Type: typ("string"), Bounds: true}, {ID: 9, Name: "gone", Type: typ("long")}, {ID: 2, Name: "flag", Type: typ("boolean")},
	}}
	b := column.New(written.Columns)
	for i, v := range []any{"x", nil, ""} {
		put(&b.Columns[0], v)
		put(&b.Columns[1], i)
		put(&b.Columns[2], i == 2)
		b.EndRow()
	}
	data, _ := encode(t, written, b)
	s := lake.Schema{Table: "lake.t", Columns: []lake.Column{
		{ID: 2, Name: "flag", Type: typ("boolean")}, {ID: 11, Name: "new", Type: typ("double")}, {ID: 4, Name: "renamed", Type: typ("string")},
	}}
	want := [][]any{{false, false, true}, {nil, nil, nil}, {"x", nil, ""}}
	if d := cmp.Diff(want, contents(reread(t, data, s))); d != "" {
		t.Error(d)
	}
	r, err := OpenReader(bytes.NewReader(data), int64(len(data)), s)
	if err != nil {
		t.Fatal(err)
	}
	lower, upper := r.Bounds(0, "renamed")
	if string(lower) != "" || lower == nil || string(upper) != "x" {
		t.Errorf("bounds %q to %q", lower, upper)
	}
	if lower, upper := r.Bounds(0, "new"); lower != nil || upper != nil {
		t.Errorf("bounds %q to %q of a column that is not there", lower, upper)
	}
	for name, s := range map[string]lake.Schema{
		"flag": {Columns: []lake.Column{{ID: 2, Name: "flag", Type: typ("string")}}}, // another type than the file's
		"lost": {Columns: []lake.Column{{ID: 2, Name: "flag", Type: typ("boolean")}}},
	} {
		r, err := OpenReader(bytes.NewReader(data), int64(len(data)), s)
		if err != nil {
			t.Fatal(err)
		}
		if err := r.Read(0, []string{name}, column.New(s.Columns)); !errors.Is(err, lake.ErrInvalid) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestReaderKeepsZeroAndNullApart(t *testing.T) {
	t.Parallel()
	for typeName, values := range map[string][]any{
		"string": {"", nil, "x"}, "long": {0, nil, math.MaxInt64}, "double": {0.0, nil, 1.5}, "decimal(9,2)": {0, nil, -1},
		"decimal(18,2)": {0, nil, -100}, "date": {0, nil, -1}, "timestamp": {0, nil, -1}, "boolean": {false, nil, true},
	} {
		for _, repeat := range []int{1, 40} { // few: plain pages; many: a dictionary
			s := lake.Schema{Columns: []lake.Column{{ID: 7, Name: "optional", Type: typ(typeName)}, {ID: 3, Name: "required", Type: typ(typeName), Required: true}}}
			b := column.New(s.Columns)
			for range repeat {
				for _, v := range values {
					put(&b.Columns[0], v)
					if v == nil {
						v = values[0]
					}
					put(&b.Columns[1], v)
					b.EndRow()
				}
			}
			data, _ := encode(t, s, b)
			if d := cmp.Diff(contents(b), contents(reread(t, data, s))); d != "" {
				t.Errorf("%s: %s", typeName, d)
			}
		}
	}
}

func TestDamagedFilesAreInvalid(t *testing.T) {
	t.Parallel()
	s, b := visits(100, 1)
	data, _ := encode(t, s, b)
	for _, n := range []int{0, 3, 12, len(data) / 2, len(data) - 1} {
		if _, err := OpenReader(bytes.NewReader(data[:n]), int64(n), s); err == nil {
			t.Errorf("the first %d bytes of a file were taken for one", n)
		}
	}
}

// TestGroupBoundsAreSpelledAsThoseOfFiles: whoever leaves out files by their bounds leaves out row groups the same way.
func TestGroupBoundsAreSpelledAsThoseOfFiles(t *testing.T) {
	t.Parallel()
	s, b := visits(300, 1)
	data, f := encode(t, s, b)
	r, err := OpenReader(bytes.NewReader(data), int64(len(data)), s)
	if err != nil {
		t.Fatal(err)
	}
	compared := 0
	for _, c := range s.Columns {
		if c.Type.Kind == lake.String || f.Lower[c.ID] == nil { // texts are cut for files
			continue
		}
		compared++
		if lower, upper := r.Bounds(0, c.Name); !bytes.Equal(lower, f.Lower[c.ID]) || !bytes.Equal(upper, f.Upper[c.ID]) {
			t.Errorf("column %s: %x to %x in the group, %x to %x in the file", c.Name, lower, upper, f.Lower[c.ID], f.Upper[c.ID])
		}
	}
	if compared < 10 {
		t.Errorf("%d columns compared", compared)
	}
}
