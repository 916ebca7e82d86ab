package durable

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"gocloud.dev/blob"
	"gocloud.dev/gcerrors"
)

func TestWriteFlushesEveryNewName(t *testing.T) {
	t.Parallel()
	d, b, r := recorded(t)
	steps := []struct {
		key      string
		ifAbsent bool
		want     []string
	}{
		{"a/b/c/one", true, []string{".", "a", "a/b", "a/b/c"}}, // parents first, then the object's name
		{"a/b/c/two", true, []string{"a/b/c"}},
		{"a/b/c/two", false, []string{"a/b/c"}},
		{"a/b/d/three", false, []string{"a/b", "a/b/d"}},
		{"a/b/c/one", true, []string{"a/b/c"}}, // taken: flushed before it says so
		{"top", true, []string{"."}},
	}
	for _, s := range steps {
		err := put(t.Context(), b, s.key, "x", s.ifAbsent)
		if err != nil && gcerrors.Code(err) != gcerrors.FailedPrecondition {
			t.Fatalf("%s: %v", s.key, err)
		}
		if d := cmp.Diff(s.want, r.take()); d != "" {
			t.Errorf("%s: flushed (-want +got):\n%s", s.key, d)
		}
	}
	if left := temps(t, d); len(left) > 0 {
		t.Errorf("temp files left: %v", left)
	}
}

// TestFolderOfAnotherProcessIsFlushed: a folder that is there may have been made by a process that has not flushed yet.
func TestFolderOfAnotherProcessIsFlushed(t *testing.T) {
	t.Parallel()
	d, b, r := recorded(t)
	if err := os.MkdirAll(filepath.Join(d.root, "x/y"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := put(t.Context(), b, "x/y/k", "v", true); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{".", "x", "x/y"}, r.take()); d != "" {
		t.Errorf("flushed (-want +got):\n%s", d)
	}
}

// TestReaderFlushesWhatIsBeingPublished: while the writer waits for its flush, every way of learning of the key flushes
// the folder itself.
func TestReaderFlushesWhatIsBeingPublished(t *testing.T) {
	t.Parallel()
	ways := map[string]func(ctx context.Context, b *blob.Bucket) error{
		"get":    func(ctx context.Context, b *blob.Bucket) error { _, err := b.ReadAll(ctx, "f/k"); return err },
		"head":   func(ctx context.Context, b *blob.Bucket) error { _, err := b.Attributes(ctx, "f/k"); return err },
		"exists": func(ctx context.Context, b *blob.Bucket) error { _, err := b.Exists(ctx, "f/k"); return err },
		"list": func(ctx context.Context, b *blob.Bucket) error {
			o, err := b.List(&blob.ListOptions{Prefix: "f/"}).Next(ctx)
			if err == nil && o.Key != "f/k" {
				err = fmt.Errorf("listed %s", o.Key)
			}
			return err
		},
		"copy": func(ctx context.Context, b *blob.Bucket) error { return b.Copy(ctx, "f/copy", "f/k", nil) },
		"put if absent": func(ctx context.Context, b *blob.Bucket) error {
			if err := put(ctx, b, "f/k", "mine", true); gcerrors.Code(err) != gcerrors.FailedPrecondition {
				return fmt.Errorf("got %w, want the key to be taken", err)
			}
			return nil
		},
	}
	for name, way := range ways {
		for _, ifAbsent := range []bool{true, false} {
			t.Run(fmt.Sprint(name, ", absent ", ifAbsent), func(t *testing.T) {
				t.Parallel()
				_, b, r := recorded(t)
				if err := put(t.Context(), b, "f/other", "x", true); err != nil {
					t.Fatal(err)
				}
				r.take()
				gate := make(chan struct{})
				r.gate = gate
				done := make(chan error)
				go func() { done <- put(t.Context(), b, "f/k", "v", ifAbsent) }()
				<-r.began
				r.take() // the writer's
				if err := way(t.Context(), b); err != nil {
					t.Error(err)
				}
				if got := r.take(); !slices.Contains(got, "f") {
					t.Errorf("flushed %v, want f", got)
				}
				close(gate)
				if err := <-done; err != nil {
					t.Error(err)
				}
				r.take()
				if name != "put if absent" && name != "copy" {
					if err := way(t.Context(), b); err != nil {
						t.Error(err)
					}
					if got := r.take(); len(got) > 0 {
						t.Errorf("flushed %v after the object was published", got)
					}
				}
			})
		}
	}
}

// TestFailedFlushIsNeverBelieved: the writer's error means that the outcome is unknown; readers go on flushing.
func TestFailedFlushIsNeverBelieved(t *testing.T) {
	t.Parallel()
	d, b, r := recorded(t)
	if err := put(t.Context(), b, "f/k0", "x", true); err != nil {
		t.Fatal(err)
	}
	broken := errors.New("disk is gone")
	r.fails = broken
	if err := put(t.Context(), b, "f/k", "v", true); !errors.Is(err, broken) {
		t.Fatalf("got %v", err)
	}
	if _, err := b.ReadAll(t.Context(), "f/k"); !errors.Is(err, broken) {
		t.Errorf("read: got %v, want the flush's error", err)
	}
	if err := put(t.Context(), b, "f/k", "v", true); !errors.Is(err, broken) {
		t.Errorf("write again: got %v, want the flush's error", err)
	}
	r.fails = nil
	r.take()
	for range 2 {
		got, err := b.ReadAll(t.Context(), "f/k")
		if err != nil || string(got) != "v" {
			t.Errorf("got %q, %v", got, err)
		}
	}
	if got := r.take(); len(got) != 2 {
		t.Errorf("flushed %v, want the folder at each read", got)
	}
	if err := d.clean(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	if _, err := b.ReadAll(t.Context(), "f/k"); err != nil || len(r.take()) != 0 {
		t.Errorf("after cleaning: %v, or flushed again", err)
	}
}
