package store_test

import (
	"errors"
	"testing"

	"medlake/shared/lake"
	"medlake/shared/store"
)

func TestSmoke(t *testing.T) {
	for _, url := range []string{"mem://", store.FileURL(t.TempDir())} {
		b, err := store.Open(t.Context(), url)
		if err != nil {
			t.Fatal(err)
		}
		if err := b.SelfTest(t.Context()); err != nil {
			t.Error(err)
		}
		if _, err := b.Get(t.Context(), "a/b"); !errors.Is(err, lake.ErrNotFound) {
			t.Error(err)
		}
		t.Log(b.Name(), b.URL("a/b"))
	}
}
