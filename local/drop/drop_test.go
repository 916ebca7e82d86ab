package drop_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"medlake/local/drop"
)

func TestFolder(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	put := func(name, body string) {
		t.Helper()
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(body), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var got []string
	var fail error
	arrive := func(_ context.Context, customer, name string, file *os.File) error {
		b, err := io.ReadAll(file)
		if err != nil || fail != nil {
			return errors.Join(err, fail)
		}
		got = append(got, customer+" "+name+" "+string(b))
		return nil
	}
	f := &drop.Folder{Dir: dir, Log: slog.New(slog.DiscardHandler), Arrive: arrive}
	look := func(want ...string) {
		t.Helper()
		got = nil
		err := f.Look(t.Context())
		if (err != nil) != (fail != nil) {
			t.Fatalf("look: %v", err)
		}
		if !slices.Equal(got, want) {
			t.Fatalf("took %q, want %q", got, want)
		}
	}
	put("acme/visits/a.zip", "1")
	put("acme/.hidden", "x")
	put("acme/b.zip.part", "x")
	put("loose.zip", "x")
	put("Not A Customer/a.zip", "x")
	look() // new files wait for a second look
	look("acme visits/a.zip 1")
	look() // it left the folder

	put("zen/c.zip", "half")
	look()
	put("zen/c.zip", "half and more") // still being written
	look()
	look("zen c.zip half and more")

	put("zen/d.zip", "4")
	look()
	fail = errors.New("disk full")
	look()
	fail = nil
	f.Arrive = func(context.Context, string, string, *os.File) error { return errors.New("disk full") }
	look() // the same trouble is told once
	f.Arrive = arrive
	look("zen d.zip 4") // tried again
	for _, name := range []string{"acme/.hidden", "acme/b.zip.part", "loose.zip"} {
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			t.Errorf("%s was touched: %v", name, err)
		}
	}
}

// A sender may put the next file under the same name while the first is read: it must not be removed unread.
func TestReplacedWhileTaken(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "acme", "a.zip")
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("first"), 0o600); err != nil {
		t.Fatal(err)
	}
	var got []string
	f := &drop.Folder{Dir: dir, Log: slog.New(slog.DiscardHandler), Arrive: func(_ context.Context, _, _ string, file *os.File) error {
		b, err := io.ReadAll(file)
		if got = append(got, string(b)); len(got) > 1 || err != nil {
			return err
		}
		next := filepath.Join(dir, ".next")
		return errors.Join(os.WriteFile(next, []byte("second"), 0o600), os.Rename(next, path))
	}}
	for range 4 {
		if err := f.Look(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if want := []string{"first", "second"}; !slices.Equal(got, want) {
		t.Errorf("took %q, want %q", got, want)
	}
}
