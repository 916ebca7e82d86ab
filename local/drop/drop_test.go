package drop_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"medlake/local/drop"
)

// folder is a drop folder whose files get the ids 1, 2, 3 …
func folder(dir string, arrive func(context.Context, drop.File, io.Reader) error) *drop.Folder {
	n := 0
	return &drop.Folder{
		Dir: dir, Arrive: arrive, Log: slog.New(slog.DiscardHandler),
		Known: func(customer string) bool { return customer != "nobody" },
		Now:   func() time.Time { return time.Date(2026, 3, 5, 8, 0, 0, 0, time.UTC) },
		NewID: func() string { n++; return strconv.Itoa(n) },
	}
}

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
	arrive := func(_ context.Context, file drop.File, body io.Reader) error {
		b, err := io.ReadAll(body)
		if err != nil || fail != nil {
			return errors.Join(err, fail)
		}
		got = append(got, file.Customer+" "+file.Name+" "+string(b))
		return nil
	}
	f := folder(dir, arrive)
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
	put("nobody/a.zip", "x")
	look() // new files wait for a second look
	if err := f.Look(t.Context()); err == nil || !strings.Contains(err.Error(), "no customer of its name") || strings.Contains(err.Error(), "nobody") {
		t.Errorf("got %v, want a complaint about the unknown customer that does not name the folder", err)
	}
	if want := []string{"acme visits/a.zip 1"}; !slices.Equal(got, want) {
		t.Errorf("took %q, want %q", got, want)
	}
	look() // it left the folder, and nobody is told of once

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
	f.Arrive = func(context.Context, drop.File, io.Reader) error { return errors.New("disk full") }
	look() // the same trouble is told once
	f.Arrive = arrive
	look("zen d.zip 4") // tried again
	for _, name := range []string{"acme/.hidden", "acme/b.zip.part", "loose.zip", "nobody/a.zip"} {
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
	f := folder(dir, func(_ context.Context, _ drop.File, body io.Reader) error {
		b, err := io.ReadAll(body)
		if got = append(got, string(b)); len(got) > 1 || err != nil {
			return err
		}
		next := filepath.Join(dir, ".next")
		return errors.Join(os.WriteFile(next, []byte("second"), 0o600), os.Rename(next, path))
	})
	for range 4 {
		if err := f.Look(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if want := []string{"first", "second"}; !slices.Equal(got, want) {
		t.Errorf("took %q, want %q", got, want)
	}
}

// A process that died after a file arrived must not let it arrive as another one, nor must a second process.
func TestTakenFileKeepsItsID(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "acme/visits"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "acme/visits/a.zip"), []byte("1"), 0o600); err != nil {
		t.Fatal(err)
	}
	died := errors.New("died")
	var got []drop.File
	dying := folder(dir, func(_ context.Context, f drop.File, _ io.Reader) error {
		got = append(got, f)
		return died
	})
	if err := dying.Look(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := dying.Look(t.Context()); !errors.Is(err, died) {
		t.Fatal(err)
	}
	next := folder(dir, func(_ context.Context, f drop.File, _ io.Reader) error {
		got = append(got, f)
		return nil
	})
	for range 3 {
		if err := next.Look(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	want := drop.File{Customer: "acme", Name: "visits/a.zip", At: time.Date(2026, 3, 5, 8, 0, 0, 0, time.UTC), ID: "1"}
	if !slices.Equal(got, []drop.File{want, want}) {
		t.Errorf("arrived as %+v, want twice %+v", got, want)
	}
	if left, err := os.ReadDir(filepath.Join(dir, ".taking")); err != nil || len(left) != 0 {
		t.Errorf("left behind: %v %v", left, err)
	}
}
