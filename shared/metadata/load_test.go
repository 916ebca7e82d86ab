package metadata

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
)

var update = flag.Bool("update", false, "rewrite expected files")

// filesOf makes a file system of a txtar archive.
func filesOf(a *txtar.Archive) fstest.MapFS {
	m := fstest.MapFS{}
	for _, f := range a.Files {
		m[f.Name] = &fstest.MapFile{Data: f.Data}
	}
	return m
}

// TestFaults loads every case of testdata: a set of files, and the faults that Load must report, in file faults.
func TestFaults(t *testing.T) {
	t.Parallel()
	cases, err := filepath.Glob("testdata/faults/*.txtar")
	if err != nil || len(cases) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	for _, file := range cases {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			t.Parallel()
			a, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			fsys := filesOf(a)
			var want []byte
			if f := fsys["faults"]; f != nil {
				want = f.Data
				delete(fsys, "faults")
			}
			set, faults := Load(fsys)
			var got bytes.Buffer
			for _, f := range faults {
				got.WriteString(f.Error() + "\n")
			}
			if (set.Version == "") != (len(faults) > 0) {
				t.Errorf("version is %q, with %d faults", set.Version, len(faults))
			}
			if *update {
				rewrite(t, file, a, got.Bytes())
				return
			}
			if d := cmp.Diff(string(want), got.String()); d != "" {
				t.Errorf("faults (-want +got):\n%s", d)
			}
		})
	}
}

func rewrite(t *testing.T, file string, a *txtar.Archive, faults []byte) {
	t.Helper()
	out := &txtar.Archive{Comment: a.Comment}
	for _, f := range a.Files {
		if f.Name != "faults" {
			out.Files = append(out.Files, f)
		}
	}
	out.Files = append(out.Files, txtar.File{Name: "faults", Data: faults})
	if err := os.WriteFile(file, txtar.Format(out), 0o644); err != nil {
		t.Fatal(err)
	}
}
