package transform_test

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"

	"medlake/shared/transform"
	"medlake/shared/transform/column"
)

// reject is one row of ops.rejects.
type reject struct {
	Table        string
	Entry, Row   int64
	Line         int64
	Column, Rule string
}

// rejectsOf reads a batch of ops.rejects whose lines and columns are known.
func rejectsOf(b *column.Batch) []reject {
	at := map[string]*column.Column{}
	for i := range b.Columns {
		at[b.Columns[i].Name] = &b.Columns[i]
	}
	var out []reject
	for i := range b.Rows {
		out = append(out, reject{
			Table: string(at["table_name"].Text(i)), Entry: at["_entry"].Ints[i], Row: at["_row"].Ints[i], Line: at["line"].Ints[i],
			Column: string(at["column_name"].Text(i)), Rule: string(at["rule"].Text(i)),
		})
	}
	return out
}

// TestOneBadRecordOf300: the other 299 land, and the reject names entry, row, line, column and rule.
func TestOneBadRecordOf300(t *testing.T) {
	t.Parallel()
	data := bytes.Split(wideCSV(300), []byte("\n"))
	data[150] = bytes.Replace(data[150], []byte("1950-02-03"), []byte("1950-02-33"), 1)
	m := match(t, compile(t, wideMetadata(true)), "acme/wide/x.zip")
	rows := 0
	var rejects []reject
	run := m.NewRun(transform.Origin{Load: "load", ArrivedAt: arrived, Flush: func(i int, b *column.Batch) error {
		if i == 0 {
			rows += b.Rows
		} else {
			rejects = append(rejects, rejectsOf(b)...)
		}
		return nil
	}})
	defer run.Release()
	if _, err := run.Member(7, "x.csv", source(bytes.Join(data, []byte("\n")))); err != nil {
		t.Fatal(err)
	}
	if _, _, err := run.Finish(); err != nil {
		t.Fatal(err)
	}
	want := []reject{{Table: "lake.wide", Entry: 7, Row: 150, Line: 151, Column: "c6", Rule: "type"}}
	if diff := cmp.Diff(want, rejects); diff != "" || rows != 299 {
		t.Errorf("%d rows landed, rejects (-want +got):\n%s", rows, diff)
	}
}
