package archive_test

import (
	"bytes"
	"crypto/sha256"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"medlake/shared/archive"
)

const (
	current  = "Sommer-2026!"
	previous = "Winter-2025!"
)

var passwords = []string{current, previous}

func read(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// goldens are the names of all archives in testdata/golden.
func goldens(t testing.TB) []string {
	t.Helper()
	names, err := filepath.Glob("testdata/golden/*")
	if err != nil || len(names) == 0 {
		t.Fatalf("no golden archives: %v", err)
	}
	return names
}

// members are what an archive made by testdata/make.sh holds.
func members(name string) []string {
	switch base := filepath.Base(name); {
	case strings.HasPrefix(base, "gzip"), strings.HasPrefix(base, "nested-gzip"):
		return []string{"payers.csv"}
	case base == "infozip-piped.zip":
		return []string{"manifest.xml", "payers.csv"}
	}
	return []string{"CPCDS_Members.csv", "Organizations.csv", "export_summary.csv", "manifest.xml", "payers.csv"}
}

// same compares every member of an archive with the plain file, by all ways to read it.
func same(t *testing.T, name string, lim archive.Limits) {
	t.Helper()
	a, err := archive.Open(read(t, name), passwords, lim)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	last := -1
	for _, m := range a.Members() {
		label := m.Name()
		if label == "" || label == "gzip.csv" {
			label = "payers.csv"
		}
		got = append(got, label)
		want := read(t, "testdata/plain/"+label)
		if m.Entry <= last {
			t.Errorf("entry %d after %d", m.Entry, last)
		}
		last = m.Entry
		if m.Size != int64(len(want)) || m.Sum != sha256.Sum256(want) {
			t.Errorf("entry %d: size %d or sum differs", m.Entry, m.Size)
		}
		for range 2 {
			if b, err := m.Bytes(); err != nil || !bytes.Equal(b, want) {
				t.Errorf("entry %d: bytes differ, %v", m.Entry, err)
			}
			r, err := m.Reader()
			if err != nil {
				t.Fatal(err)
			}
			if b, err := io.ReadAll(r); err != nil || !bytes.Equal(b, want) {
				t.Errorf("entry %d: read bytes differ, %v", m.Entry, err)
			}
			if err := r.Close(); err != nil {
				t.Error(err)
			}
			if err := m.Release(); err != nil {
				t.Error(err)
			}
		}
	}
	sort.Strings(got)
	if diff := cmp.Diff(members(name), got); diff != "" {
		t.Errorf("members (-want +got):\n%s", diff)
	}
	if err := a.Close(); err != nil {
		t.Error(err)
	}
}

func TestArchivesOfRealTools(t *testing.T) {
	t.Parallel()
	for _, name := range goldens(t) {
		t.Run(filepath.Base(name), func(t *testing.T) {
			t.Parallel()
			same(t, name, archive.Defaults())
		})
		t.Run(filepath.Base(name)+" kept nowhere", func(t *testing.T) {
			t.Parallel()
			same(t, name, archive.Limits{Nested: 1, Hold: 1})
		})
	}
}

func TestArchivesMadeNow(t *testing.T) {
	t.Parallel()
	for _, tool := range []string{"bash", "7z", "zip", "gzip", "python3"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("%s is not installed: only the golden archives were read", tool)
		}
	}
	if err := exec.CommandContext(t.Context(), "python3", "-c", "import pyzipper").Run(); err != nil {
		t.Skip("pyzipper is not installed: only the golden archives were read")
	}
	dir := t.TempDir()
	if out, err := exec.CommandContext(t.Context(), "bash", "testdata/make.sh", "testdata/plain", dir).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, golden := range goldens(t) {
		t.Run(filepath.Base(golden), func(t *testing.T) {
			t.Parallel()
			same(t, filepath.Join(dir, filepath.Base(golden)), archive.Defaults())
		})
	}
}

func TestEntriesCountFoldersAndJunk(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		want []int
	}{
		{"infozip-macos.zip", []int{0, 2, 4, 7, 8}},
		{"nested-7z.zip", []int{1, 2, 3, 4, 5}},
		{"nested-gzip.zip", []int{1}},
		{"gzip.csv.gz", []int{0}},
	} {
		a, err := archive.Open(read(t, "testdata/golden/"+c.name), passwords, archive.Defaults())
		if err != nil {
			t.Fatal(err)
		}
		var got []int
		for _, m := range a.Members() {
			got = append(got, m.Entry)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	}
}
