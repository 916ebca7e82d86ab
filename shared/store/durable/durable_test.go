package durable

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"gocloud.dev/blob"
	"gocloud.dev/gcerrors"
)

// recorder stands in for flushing: it notes the folders, relative to the root, and may fail or block.
type recorder struct {
	mu    sync.Mutex
	root  string
	dirs  []string
	fails error
	gate  chan struct{} // if set, the first flush waits for it
	began chan struct{}
}

func (r *recorder) flush(dir string) error {
	r.mu.Lock()
	rel, _ := filepath.Rel(r.root, dir)
	r.dirs = append(r.dirs, rel)
	err, gate := r.fails, r.gate
	r.gate = nil
	r.mu.Unlock()
	if gate != nil {
		close(r.began)
		<-gate
	}
	return err
}

func (r *recorder) take() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	dirs := r.dirs
	r.dirs = nil
	return dirs
}

// recorded opens a bucket whose flushes are recorded.
func recorded(t *testing.T) (*Driver, *blob.Bucket, *recorder) {
	t.Helper()
	d, err := New(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	r := &recorder{root: d.root, began: make(chan struct{})}
	d.flush = r.flush
	return d, blob.NewBucket(d), r
}

func put(ctx context.Context, b *blob.Bucket, key, value string, ifAbsent bool) error {
	return b.WriteAll(ctx, key, []byte(value), &blob.WriterOptions{ContentType: plain, IfNotExist: ifAbsent})
}

func temps(t *testing.T, d *Driver) []string {
	t.Helper()
	entries, err := os.ReadDir(filepath.Join(d.root, hidden, "tmp"))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

func TestOldTempFilesAreRemovedAtOpen(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	d, err := New(dir)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	w, err := blob.NewBucket(d).NewWriter(ctx, "k", &blob.WriterOptions{ContentType: plain})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write([]byte("fresh")); err != nil {
		t.Fatal(err)
	}
	old := filepath.Join(d.root, hidden, "tmp", "old")
	if err := os.WriteFile(old, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	past := time.Now().Add(-2 * time.Hour)
	if err := os.Chtimes(old, past, past); err != nil {
		t.Fatal(err)
	}
	if _, err := New(dir); err != nil {
		t.Fatal(err)
	}
	left := temps(t, d)
	if len(left) != 1 || left[0] == "old" {
		t.Errorf("left %v, want the fresh one", left)
	}
	cancel()
	if err := w.Close(); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if left := temps(t, d); len(left) > 0 {
		t.Errorf("left %v after a cancelled write", left)
	}
}

func TestFilesAreTheOwnersAlone(t *testing.T) {
	t.Parallel()
	d, b, _ := recorded(t)
	if err := b.WriteAll(t.Context(), "a/b/k", []byte("x"), &blob.WriterOptions{ContentType: "text/plain"}); err != nil {
		t.Fatal(err)
	}
	err := filepath.WalkDir(d.root, func(path string, e fs.DirEntry, err error) error {
		if err != nil || path == d.root {
			return err
		}
		fi, err := e.Info()
		if err == nil && fi.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %v", strings.TrimPrefix(path, d.root), fi.Mode())
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

func TestIdentityMovesWithTheFolder(t *testing.T) {
	t.Parallel()
	top := t.TempDir()
	a, err := New(filepath.Join(top, "new/a"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(a.root, filepath.Join(top, "link")); err != nil {
		t.Fatal(err)
	}
	linked, err := New(filepath.Join(top, "link"))
	if err != nil {
		t.Fatal(err)
	}
	if linked.ID() != a.ID() || linked.Root() != a.Root() {
		t.Errorf("by link: %s %s, want %s %s", linked.ID(), linked.Root(), a.ID(), a.Root())
	}
	if err := os.Rename(a.root, filepath.Join(top, "moved")); err != nil {
		t.Fatal(err)
	}
	moved, err := New(filepath.Join(top, "moved"))
	if err != nil {
		t.Fatal(err)
	}
	other, err := New(filepath.Join(top, "other"))
	if err != nil {
		t.Fatal(err)
	}
	if moved.ID() != a.ID() || other.ID() == a.ID() || len(a.ID()) < 16 {
		t.Errorf("ids %s, moved %s, other %s", a.ID(), moved.ID(), other.ID())
	}
}

func TestSideDataGoesWithTheObject(t *testing.T) {
	t.Parallel()
	d, b, _ := recorded(t)
	text := &blob.WriterOptions{ContentType: "text/plain", Metadata: map[string]string{"who": "me"}, IfNotExist: true}
	if err := b.WriteAll(t.Context(), "k", []byte("x"), text); err != nil {
		t.Fatal(err)
	}
	other := &blob.WriterOptions{ContentType: "text/html", IfNotExist: true}
	if err := b.WriteAll(t.Context(), "k", []byte("y"), other); gcerrors.Code(err) != gcerrors.FailedPrecondition {
		t.Fatal(err)
	}
	a, err := b.Attributes(t.Context(), "k")
	if err != nil || a.ContentType != "text/plain" || a.Metadata["who"] != "me" {
		t.Errorf("after a lost race: %+v, %v", a, err)
	}
	if err := put(t.Context(), b, "k", "plain", false); err != nil {
		t.Fatal(err)
	}
	if a, err := b.Attributes(t.Context(), "k"); err != nil || a.ContentType != plain || len(a.Metadata) > 0 {
		t.Errorf("after a plain write: %+v, %v", a, err)
	}
	if err := b.WriteAll(t.Context(), "k", []byte("z"), &blob.WriterOptions{ContentType: "text/html"}); err != nil {
		t.Fatal(err)
	}
	if err := b.Delete(t.Context(), "k"); err != nil {
		t.Fatal(err)
	}
	left, err := os.ReadDir(filepath.Join(d.root, hidden, "side"))
	if err != nil || len(left) > 0 {
		t.Errorf("side data left: %v, %v", left, err)
	}
}

func TestKeyAndFolderOfOneName(t *testing.T) {
	t.Parallel()
	_, b, _ := recorded(t)
	if err := put(t.Context(), b, "a/b", "x", true); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"a", "a/b/c"} {
		for _, ifAbsent := range []bool{true, false} {
			if err := put(t.Context(), b, key, "x", ifAbsent); gcerrors.Code(err) != gcerrors.InvalidArgument {
				t.Errorf("put %s: got %v", key, err)
			}
		}
		if _, err := b.ReadAll(t.Context(), key); gcerrors.Code(err) != gcerrors.NotFound {
			t.Errorf("get %s: got %v", key, err)
		}
		if err := b.Delete(t.Context(), key); gcerrors.Code(err) != gcerrors.NotFound {
			t.Errorf("delete %s: got %v", key, err)
		}
	}
}
