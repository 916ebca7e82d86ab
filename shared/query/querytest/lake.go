package querytest

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"medlake/shared/datafile"
	"medlake/shared/lake"
	"medlake/shared/query"
	"medlake/shared/transform/column"
)

// Lake is a small lake of Parquet files in a folder, without a catalog. It is a query.Source.
type Lake struct {
	t      testing.TB
	dir    string
	tables map[string]*query.Table
	files  int
}

// NewLake makes an empty lake in a folder of the test.
func NewLake(t testing.TB) *Lake {
	return &Lake{t: t, dir: t.TempDir(), tables: map[string]*query.Table{}}
}

// Create stores a table. Columns without a field id get the next free one.
func (l *Lake) Create(s lake.Schema) {
	id := 0
	for _, c := range s.Columns {
		id = max(id, c.ID)
	}
	s.Columns = slices.Clone(s.Columns)
	for i := range s.Columns {
		if s.Columns[i].ID == 0 {
			id++
			s.Columns[i].ID = id
		}
	}
	s.Location = "file://" + filepath.Join(l.dir, "tables", strings.ReplaceAll(s.Table, ".", "/"))
	l.tables[s.Table] = &query.Table{Schema: s, Snapshot: 1, Batch: 1}
}

// Evolve changes how a table's next files are written and read: rename, add or drop columns; ids stay.
func (l *Lake) Evolve(table string, change func([]lake.Column) []lake.Column) {
	t := l.tables[table]
	t.Schema.Columns = change(slices.Clone(t.Schema.Columns))
	t.Schema.N++
}

// Add stores one data file of rows as text by column; a column left out is null. It returns the file's URL.
func (l *Lake) Add(table, customer string, rows ...map[string]string) string {
	l.t.Helper()
	t := l.tables[table]
	url := l.write(t.Schema, customer, rows)
	t.Files = append(t.Files, query.File{URL: url, Customer: customer, Rows: int64(len(rows))})
	t.Snapshot++
	return url
}

// Delete stores a position delete file for rows of one data file, counted from 0.
func (l *Lake) Delete(table, url string, positions ...int) {
	l.t.Helper()
	t := l.tables[table]
	s := lake.Schema{Table: table + "_deletes", Location: t.Schema.Location, Columns: []lake.Column{
		{ID: 2147483546, Name: "file_path", Type: lake.Type{Kind: lake.String}, Required: true},
		{ID: 2147483545, Name: "pos", Type: lake.Type{Kind: lake.Long}, Required: true},
	}}
	var rows []map[string]string
	for _, p := range positions {
		rows = append(rows, map[string]string{"file_path": url, "pos": fmt.Sprint(p)})
	}
	t.Deletes = append(t.Deletes, l.write(s, "deletes", rows))
	t.Snapshot++
}

func (l *Lake) write(s lake.Schema, customer string, rows []map[string]string) string {
	l.t.Helper()
	b := column.New(s.Columns)
	for _, r := range rows {
		for i := range b.Columns {
			c := &b.Columns[i]
			if v, ok := r[c.Name]; !ok {
				c.AppendNull()
			} else if !c.Append([]byte(v)) {
				l.t.Fatalf("column %s of %s does not take %q", c.Name, s.Table, v)
			}
		}
		b.EndRow()
	}
	enc, err := datafile.NewEncoder(s)
	if err != nil {
		l.t.Fatal(err)
	}
	var buf bytes.Buffer
	enc.Begin(&buf)
	if err := enc.Append(b); err != nil {
		l.t.Fatal(err)
	}
	if _, err := enc.Finish(); err != nil {
		l.t.Fatal(err)
	}
	l.files++
	url := fmt.Sprintf("%s/data/customer=%s/%d.parquet", s.Location, customer, l.files)
	path := strings.TrimPrefix(url, "file://")
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		l.t.Fatal(err)
	}
	if err := os.WriteFile(path, buf.Bytes(), 0o600); err != nil {
		l.t.Fatal(err)
	}
	return url
}

// Tables lists what was created.
func (l *Lake) Tables(context.Context) ([]string, error) {
	return slices.Sorted(maps.Keys(l.tables)), nil
}

// Table plans as a warehouse does: with a customer, that customer's files alone where the partition tells them apart.
func (l *Lake) Table(_ context.Context, name, customer string) (query.Table, error) {
	stored, ok := l.tables[name]
	if !ok {
		return query.Table{}, fmt.Errorf("table %s: %w", name, lake.ErrNotFound)
	}
	t := *stored
	if customer != "" && !t.Shared() {
		t.Files = slices.DeleteFunc(slices.Clone(t.Files), func(f query.File) bool { return f.Customer != customer })
	}
	return t, nil
}
