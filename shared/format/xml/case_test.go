package xml_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"medlake/shared/format/xml"
)

var update = flag.Bool("update", false, "write the rows of testdata/*.txtar anew")

// TestCases runs testdata: paths and a document in, rows out. A row is its group, line and fields; - is absent.
func TestCases(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatal("no cases", err)
	}
	for _, name := range files {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txtar"), func(t *testing.T) {
			t.Parallel()
			a, err := txtar.ParseFile(name)
			if err != nil {
				t.Fatal(err)
			}
			part := func(name string) *txtar.File {
				for i := range a.Files {
					if a.Files[i].Name == name {
						return &a.Files[i]
					}
				}
				t.Fatalf("the case has no %s", name)
				return nil
			}
			rows, err := decode(compile(t, config(t, string(part("paths").Data))).NewDecoder(), part("document.xml").Data)
			if err != nil {
				t.Fatal(err)
			}
			var got strings.Builder
			for _, r := range rows {
				line := strings.ReplaceAll(strings.Join(r.Fields, " | "), "\n", "⏎")
				fmt.Fprintf(&got, "%d line %d: %s\n", r.Group, r.Line, line)
			}
			want := part("rows")
			if *update {
				want.Data = []byte(got.String())
				if err := os.WriteFile(name, txtar.Format(a), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if diff := cmp.Diff(string(want.Data), got.String()); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// config reads the paths of a case: lines "ns: prefix=uri", "list: name = values", "each: path", "field: path".
func config(t *testing.T, s string) xml.Config {
	t.Helper()
	c := xml.Config{Lists: map[string][]string{}}
	for line := range strings.Lines(s) {
		key, v, _ := strings.Cut(strings.TrimSpace(line), ": ")
		switch key {
		case "ns":
			if c.NS == nil {
				c.NS = map[string]string{}
			}
			prefix, uri, _ := strings.Cut(v, "=")
			c.NS[prefix] = uri
		case "list":
			name, values, _ := strings.Cut(v, "=")
			c.Lists[strings.TrimSpace(name)] = strings.Fields(values)
		case "each":
			c.Groups = append(c.Groups, xml.Group{Each: v})
		case "field":
			g := &c.Groups[len(c.Groups)-1]
			g.Fields = append(g.Fields, v)
		default:
			t.Fatalf("the case has a line %q", line)
		}
	}
	return c
}
