package transform_test

import (
	"bytes"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"medlake/shared/lake"
	"medlake/shared/metadata"
	"medlake/shared/transform"
	"medlake/shared/transform/column"
)

var update = flag.Bool("update", false, "rewrite the wanted rows of testdata/*.txtar")

// TestCases runs text cases: files below metadata/ are the metadata, the file upload names the upload, files below in/ are
// its members in order, and want holds the rows, rejects, counts, warnings and refusals, or the faults of the metadata.
func TestCases(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			t.Parallel()
			a, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got := runCase(a)
			want := section(a, "want")
			if *update {
				want.Data = []byte(got)
				if err := os.WriteFile(file, txtar.Format(a), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if diff := cmp.Diff(string(want.Data), got); diff != "" {
				t.Errorf("rows differ (-want +got), run with -update to accept:\n%s", diff)
			}
		})
	}
}

// section finds a file of the archive or adds it.
func section(a *txtar.Archive, name string) *txtar.File {
	for i := range a.Files {
		if a.Files[i].Name == name {
			return &a.Files[i]
		}
	}
	a.Files = append(a.Files, txtar.File{Name: name})
	return &a.Files[len(a.Files)-1]
}

func runCase(a *txtar.Archive) string {
	fsys := fstest.MapFS{}
	upload := ""
	for _, f := range a.Files {
		if name, ok := strings.CutPrefix(f.Name, "metadata/"); ok {
			fsys[name] = &fstest.MapFile{Data: f.Data}
		}
		if f.Name == "upload" {
			upload = strings.TrimSpace(string(f.Data))
		}
	}
	set, faults := metadata.Load(fsys)
	var lib *transform.Library
	if len(faults) == 0 {
		lib, faults = transform.Compile(set)
	}
	var out strings.Builder
	for _, f := range faults {
		fmt.Fprintf(&out, "fault %v\n", f)
	}
	if len(faults) > 0 || upload == "" {
		return out.String()
	}
	m, err := lib.Match(upload)
	if err != nil {
		return err.Error() + "\n"
	}
	tables := make([]strings.Builder, len(m.Program.Tables()))
	run := m.NewRun(transform.Origin{
		Load: "load", ArrivedAt: time.Date(2026, 3, 5, 12, 0, 0, 0, time.UTC), BatchRows: 2,
		Flush: func(i int, b *column.Batch) error { return printRows(&tables[i], b) },
	})
	defer run.Release()
	entry := 0
	for _, f := range a.Files {
		name, ok := strings.CutPrefix(f.Name, "in/")
		if !ok {
			continue
		}
		wanted, err := run.Member(entry, name, source(f.Data))
		if !wanted {
			fmt.Fprintf(&out, "entry %d is not wanted\n", entry)
		}
		if err != nil {
			fmt.Fprintf(&out, "refused: %v\n", err)
		}
		entry++
	}
	counts, warnings, err := run.Finish()
	if err != nil {
		fmt.Fprintf(&out, "refused: %v\n", err)
	}
	for _, w := range warnings {
		fmt.Fprintf(&out, "warning %s %s rows %d", w.Table, w.Rule, w.Rows)
		if w.Over {
			out.WriteString(" over budget")
		}
		out.WriteString("\n")
	}
	for i, c := range counts {
		fmt.Fprintf(&out, "%s read %d = committed %d + filtered %d + rejected %d\n", c.Table, c.Read, c.Committed, c.Filtered, c.Rejected)
		out.WriteString(tables[i].String())
	}
	return out.String()
}

// printRows writes the rows of a batch, one a line, without nulls and what is the same in all rows.
func printRows(w io.Writer, b *column.Batch) error {
	places := make([]int, len(b.Columns))
	for row := range b.Rows {
		for i := range b.Columns {
			c := &b.Columns[i]
			if c.Len() != b.Rows {
				return fmt.Errorf("column %s has %d rows, not %d: %w", c.Name, c.Len(), b.Rows, lake.ErrInvalid)
			}
			if c.Valid[row] == 0 {
				continue
			}
			text := cell(c, places[i])
			places[i]++
			switch c.Name {
			case lake.ColCustomer, lake.ColLoad, lake.ColArrivedAt:
			case lake.ColEntry:
				fmt.Fprintf(w, " %s", text)
			case lake.ColRow:
				fmt.Fprintf(w, ":%s", text)
			default:
				fmt.Fprintf(w, " %s=%s", c.Name, text)
			}
		}
		fmt.Fprintln(w)
	}
	return nil
}

func cell(c *column.Column, i int) string {
	switch c.Type.Kind {
	case lake.String:
		return strings.ReplaceAll(string(c.Text(i)), "\n", `\n`)
	case lake.Double:
		return fmt.Sprint(c.Floats[i])
	case lake.Boolean:
		return fmt.Sprint(c.Bools[i] == 1)
	case lake.Decimal:
		return string(column.AppendDecimal(nil, c.Ints[i], c.Type.Scale))
	case lake.Date:
		return string(column.AppendDate(nil, c.Ints[i]))
	case lake.Timestamp:
		return string(column.AppendTimestamp(nil, c.Ints[i]))
	}
	return fmt.Sprint(c.Ints[i])
}

// source is a member's content.
type source []byte

func (s source) Bytes() ([]byte, error)         { return s, nil }
func (s source) Reader() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(s)), nil }
