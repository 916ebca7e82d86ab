package backup_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"medlake/functions/backup"
	"medlake/shared/lake"
	"medlake/shared/store"
	"medlake/shared/store/faulty"
)

// A lake is backed up, goes on, is backed up again and lost; what is brought back goes on where the backup was, and takes in
// what had arrived by then but was not yet in the log.
func TestBackupBringsTheLakeBack(t *testing.T) {
	t.Parallel()
	d := open(t)
	d.arrive(t, 1, "one", "uno")
	d.arrive(t, 2, "two")
	d.round(t)
	first, err := d.backup(t, d.target, time.Hour)
	if err != nil || first.Tail != 1 || len(first.Tables) != 3 || first.Key == "" {
		t.Fatalf("%+v, %v", first, err)
	}
	if again, err := d.backup(t, d.target, time.Hour); err != nil || again.Copied > 2 {
		t.Errorf("nothing new, but %d objects copied, %v", again.Copied, err)
	}
	d.arrive(t, 3, "three")
	d.round(t)
	d.compact(t, "all", "one", "uno", "two", "three")
	d.arrive(t, 4, "four") // pending
	second, err := d.backup(t, d.target, time.Hour)
	if err != nil || second.Tail != 2 {
		t.Fatalf("tail %d, %v", second.Tail, err)
	}

	n, c := d.back(t)
	if c.Tail != 2 || !slices.Equal(c.Tables, second.Tables) {
		t.Errorf("got %+v, want %+v", c, second.Contents)
	}
	n.round(t)
	want(t, n.words(t), "one", "three", "two", "uno")
	d.arrive(t, 4, "four")
	n.arrive(t, 4, "four") // as sweep and ingest would
	n.arrive(t, 5, "five")
	n.round(t)
	want(t, n.words(t), "five", "four", "one", "three", "two", "uno")
	if n := d.count(t, d.target, "pending/"); n != 0 {
		t.Errorf("%d pending objects copied", n)
	}
	if _, err := backup.Back(t.Context(), d.target, n.bucket, 4); !errors.Is(err, lake.ErrConflict) {
		t.Errorf("into a bucket that is not empty: %v", err)
	}
	if _, err := backup.Back(t.Context(), memory(t), memory(t), 4); !errors.Is(err, lake.ErrNotFound) {
		t.Errorf("no backup: %v", err)
	}
	other, err := store.Open(t.Context(), store.FileURL(t.TempDir()))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := backup.Back(t.Context(), d.target, other, 4); !errors.Is(err, lake.ErrInvalid) {
		t.Errorf("into a bucket of another URL: %v", err)
	}
}

// Bringing back may be stopped at any call, and done again.
func TestBringingBackMayBeStopped(t *testing.T) {
	t.Parallel()
	d := open(t)
	d.arrive(t, 1, "one")
	d.round(t)
	if _, err := d.backup(t, d.target, time.Hour); err != nil {
		t.Fatal(err)
	}
	for nth := 0; ; nth += 3 {
		to := memory(t)
		bad, driver := faulty.New(to, faulty.Nth(nth, faulty.CrashAfter))
		if _, err := backup.Back(t.Context(), d.target, bad, 4); err == nil {
			break
		}
		if _, err := to.Head(t.Context(), store.HintKey()); err == nil { // all is there
			continue
		}
		if _, err := backup.Back(t.Context(), d.target, to, 4); err != nil || !driver.Crashed() {
			t.Errorf("call %d: %v", nth, err)
		}
	}
}

// A lake in a folder is lost with the folder. Iceberg spells the folder's name in its own way.
func TestLostFolderComesBack(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	folder := func(name string) *store.Bucket {
		b, err := store.Open(t.Context(), store.FileURL(filepath.Join(dir, name)))
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	d := on(t, folder("my lake"))
	d.target = folder("copy")
	d.round(t)
	d.arrive(t, 1, "one")
	d.round(t)
	if _, err := d.backup(t, d.target, time.Hour); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(filepath.Join(dir, "my lake"), filepath.Join(dir, "lost")); err != nil {
		t.Fatal(err)
	}
	n, _ := d.backTo(t, folder("my lake"))
	n.round(t)
	n.arrive(t, 2, "two")
	n.round(t)
	want(t, n.words(t), "one", "two")
}
