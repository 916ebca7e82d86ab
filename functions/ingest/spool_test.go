package ingest

import (
	"bytes"
	"io"
	"os"
	"strings"
	"testing"

	"medlake/shared/store"
)

// TestSpoolPublishesWhatWasWritten: small files from memory, large ones from a file that nobody else sees.
func TestSpoolPublishesWhatWasWritten(t *testing.T) {
	t.Parallel()
	b, err := store.Open(t.Context(), "mem://")
	if err != nil {
		t.Fatal(err)
	}
	for name, pieces := range map[string]int{"small": 3, "large": 50} {
		dir := t.TempDir()
		s := newSpool(dir)
		var want bytes.Buffer
		for n := range pieces {
			p := bytes.Repeat([]byte{byte(n)}, 100_000)
			want.Write(p)
			if _, err := s.Write(p); err != nil {
				t.Fatal(err)
			}
		}
		if (s.file != nil) != (name == "large") || s.size != int64(want.Len()) {
			t.Errorf("%s: in a file %v, size %d", name, s.file != nil, s.size)
		}
		if err := s.publish(t.Context(), b, name); err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		got, err := b.Get(t.Context(), name)
		if err != nil || !bytes.Equal(got, want.Bytes()) {
			t.Errorf("%s: %d bytes, want %d: %v", name, len(got), want.Len(), err)
		}
		empty(t, dir)
	}
}

func TestLargeUploadIsMapped(t *testing.T) {
	t.Parallel()
	f := &Ingest{cfg: Config{TempDir: t.TempDir()}}
	u, err := f.mapped(strings.NewReader("hello"), 5)
	if err != nil {
		t.Fatal(err)
	}
	if string(u.bytes) != "hello" {
		t.Errorf("got %q", u.bytes)
	}
	empty(t, f.cfg.TempDir)
	if err := u.Close(); err != nil {
		t.Error(err)
	}
	if _, err := f.mapped(io.LimitReader(strings.NewReader("hello"), 3), 5); err == nil {
		t.Error("a cut upload is no success")
	}
}

// empty says that temporary files have no name.
func empty(t *testing.T, dir string) {
	t.Helper()
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}
