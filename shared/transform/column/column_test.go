package column_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"medlake/shared/lake"
	"medlake/shared/transform/column"
)

func allKinds() []lake.Column {
	var out []lake.Column
	for _, s := range []string{"string", "long", "double", "decimal(9,2)", "date", "timestamp", "boolean"} {
		t, err := lake.ParseType(s)
		if err != nil {
			panic(err)
		}
		out = append(out, lake.Column{Name: s, Type: t})
	}
	return out
}

var good = []string{"x", "-7", "2.5", "0.10", "1970-01-02", "1970-01-01T00:00:01Z", "yes"}

func appendRow(t *testing.T, b *column.Batch, upTo int) {
	t.Helper()
	for i := range b.Columns[:upTo] {
		if !b.Columns[i].Append([]byte(good[i])) {
			t.Fatalf("%s: %q does not fit", b.Columns[i].Name, good[i])
		}
	}
}

// TestUndoTakesBackTheWholeRow: whichever columns a row got to, after Undo the batch is as if it had never been.
func TestUndoTakesBackTheWholeRow(t *testing.T) {
	t.Parallel()
	for upTo := range len(good) + 1 {
		b, want := column.New(allKinds()), column.New(allKinds())
		for _, batch := range []*column.Batch{b, want} {
			appendRow(t, batch, len(good))
			batch.EndRow()
			for i := range batch.Columns {
				batch.Columns[i].AppendNull()
			}
			batch.EndRow()
		}
		appendRow(t, b, upTo)
		if upTo < len(good) {
			b.Columns[upTo].AppendNull()
		}
		b.Undo()
		b.Undo()
		if diff := cmp.Diff(want, b); diff != "" {
			t.Errorf("after %d columns (-want +got):\n%s", upTo, diff)
		}
	}
}

func TestResetKeepsMemory(t *testing.T) {
	b := column.New(allKinds())
	appendRow(t, b, len(good))
	b.EndRow()
	if n := testing.AllocsPerRun(100, func() {
		b.Reset()
		appendRow(t, b, len(good))
		b.EndRow()
	}); n > 0 {
		t.Errorf("a row in used memory allocates %v times", n)
	}
	if b.Rows != 1 || b.Columns[0].Len() != 1 || string(b.Columns[0].Text(0)) != "x" {
		t.Errorf("got %d rows, want the last one only", b.Rows)
	}
}

func TestAppendRefusesWhatDoesNotFit(t *testing.T) {
	t.Parallel()
	b := column.New(allKinds())
	for i, bad := range []string{"", "1.0", "1,5", "1.234", "1970-02-30", "1970-01-01 25:00", "maybe"} {
		c := &b.Columns[i]
		if i > 0 && c.Append([]byte(bad)) {
			t.Errorf("%s takes %q", c.Name, bad)
		}
		if c.Len() != 0 {
			t.Errorf("%s keeps something of %q", c.Name, bad)
		}
	}
}

func TestFill(t *testing.T) {
	t.Parallel()
	b := column.New(allKinds())
	b.Columns[0].Fill("ab", 3)
	b.Columns[1].FillInt(5, 2)
	if got := string(b.Columns[0].Data) + string(b.Columns[0].Text(2)); got != "abababab" {
		t.Errorf("got %s", got)
	}
	if diff := cmp.Diff([]int64{5, 5}, b.Columns[1].Ints); diff != "" {
		t.Error(diff)
	}
}
