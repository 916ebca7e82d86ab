package store_test

import (
	"context"
	"errors"
	"io"
	"slices"
	"testing"

	"medlake/shared/lake"
	"medlake/shared/store"
)

// versioned opens an S3 bucket that keeps versions.
func versioned(t *testing.T) *store.Bucket {
	t.Helper()
	b, err := store.Open(t.Context(), remote(t, true))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close() })
	b.Retry.Base = 0
	return b
}

func put(t *testing.T, b *store.Bucket, key, content string) store.Object {
	t.Helper()
	if err := b.Put(t.Context(), key, []byte(content)); err != nil {
		t.Fatal(err)
	}
	o, err := b.Head(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func readOf(ctx context.Context, b *store.Bucket, o store.Object) (string, error) {
	r, err := b.ReaderOf(ctx, o)
	if err != nil {
		return "", err
	}
	data, err := io.ReadAll(r)
	return string(data), errors.Join(err, r.Close())
}

// TestOverwrittenVersionsAreReadable: where a bucket keeps versions, each is found and read as what it was.
func TestOverwrittenVersionsAreReadable(t *testing.T) {
	t.Parallel()
	b := versioned(t)
	for _, key := range []string{"landing/acme/Jane Doe +%é.zip", "landing/acme/empty.zip"} {
		contents := []string{"one", "second", ""}
		var objects []store.Object
		for _, c := range contents {
			objects = append(objects, put(t, b, key, c))
		}
		for i, o := range objects {
			got, err := readOf(t.Context(), b, o)
			if err != nil || got != contents[i] {
				t.Errorf("version %d: %q, %v", i, got, err)
			}
			found, err := b.HeadVersion(t.Context(), store.Object{Key: key, Version: o.Version})
			if err != nil || found.Version != o.Version || found.Size != int64(len(contents[i])) {
				t.Errorf("version %d: %+v, %v", i, found, err)
			}
		}
		if _, err := b.HeadVersion(t.Context(), store.Object{Key: key, Version: "3/no such version"}); !errors.Is(err, lake.ErrNotFound) {
			t.Errorf("got %v, want not found", err)
		}
	}
}

// TestOverwrittenObjectIsNotMistaken: where a bucket keeps no versions, nobody reads one object for another.
func TestOverwrittenObjectIsNotMistaken(t *testing.T) {
	t.Parallel()
	for _, kind := range kinds() {
		if kind == "faulty" {
			continue
		}
		b, err := store.Open(t.Context(), address(t, kind))
		if err != nil {
			t.Fatal(err)
		}
		key := "landing/acme/a.zip"
		old := put(t, b, key, "one")
		if got, err := readOf(t.Context(), b, old); got != "one" || err != nil {
			t.Errorf("%s: %q, %v", kind, got, err)
		}
		put(t, b, key, "another")
		if _, err := readOf(t.Context(), b, old); !errors.Is(err, lake.ErrConflict) && kind != "remote" { // that may keep versions
			t.Errorf("%s: got %v, want a conflict", kind, err)
		}
		if _, err := b.HeadVersion(t.Context(), old); !errors.Is(err, lake.ErrNotFound) && kind != "remote" {
			t.Errorf("%s: got %v, want not found", kind, err)
		}
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	}
}

// TestLookAtOneFolder: a flat look leaves folders out, a deep one does not.
func TestLookAtOneFolder(t *testing.T) {
	t.Parallel()
	for _, kind := range kinds() {
		b, err := store.Open(t.Context(), address(t, kind))
		if err != nil {
			t.Fatal(err)
		}
		for _, key := range []string{"landing/acme/a", "landing/acme/b/c", "landing/acme/d"} {
			put(t, b, key, "x")
		}
		for flat, want := range map[bool][]string{true: {"landing/acme/a", "landing/acme/d"}, false: {"landing/acme/a", "landing/acme/b/c", "landing/acme/d"}} {
			var got []string
			for o, err := range b.Look(t.Context(), "landing/acme/", flat) {
				if err != nil {
					t.Fatal(err)
				}
				got = append(got, o.Key)
			}
			if !slices.Equal(got, want) {
				t.Errorf("%s, flat %v: %v", kind, flat, got)
			}
		}
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	}
}
