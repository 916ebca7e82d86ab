package store_test

import (
	"path/filepath"
	"testing"

	"medlake/shared/store"
)

// TestBucketIsProvedOnce: later processes write nothing, and a copy is not proved by what it was copied from.
func TestBucketIsProvedOnce(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	open := func(name string) *store.Bucket {
		b, err := store.Open(t.Context(), store.FileURL(filepath.Join(dir, name)))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := b.Close(); err != nil {
				t.Error(err)
			}
		})
		return b
	}
	first := open("lake")
	if err := first.Prove(t.Context()); err != nil {
		t.Fatal(err)
	}
	proof, err := first.Head(t.Context(), "proved")
	if err != nil {
		t.Fatal(err)
	}
	if err := open("lake").Prove(t.Context()); err != nil {
		t.Fatal(err)
	}
	if again, err := first.Head(t.Context(), "proved"); err != nil || again != proof {
		t.Errorf("proved again: %+v, %v", again, err)
	}
	other := open("copy")
	if err := other.Put(t.Context(), "proved", []byte("1 "+first.Name())); err != nil {
		t.Fatal(err)
	}
	if err := other.Prove(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got, err := other.Get(t.Context(), "proved"); err != nil || string(got) != "1 "+other.Name() {
		t.Errorf("the copy says %q, %v", got, err)
	}
}
