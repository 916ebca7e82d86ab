package store_test

import (
	"errors"
	"io"
	"testing"

	"medlake/shared/lake"
	"medlake/shared/store"
	"medlake/shared/store/faulty"
)

func TestReaderAtReadsPieces(t *testing.T) {
	t.Parallel()
	plain, err := store.Open(t.Context(), "mem://")
	if err != nil {
		t.Fatal(err)
	}
	if err := plain.Put(t.Context(), "k", []byte("0123456789")); err != nil {
		t.Fatal(err)
	}
	b, _ := faulty.New(plain, func(c faulty.Call) faulty.Fault { // every second request fails
		if c.N%2 == 0 {
			return faulty.Before
		}
		return faulty.None
	})
	r := b.ReaderAt(t.Context(), "k", 10)
	for _, tt := range []struct {
		off, n int64
		want   string
		err    error
	}{
		{0, 3, "012", nil}, {7, 3, "789", nil}, {8, 4, "89", io.EOF}, {10, 1, "", io.EOF}, {-1, 1, "", io.EOF},
	} {
		p := make([]byte, tt.n)
		n, err := r.ReadAt(p, tt.off)
		if string(p[:n]) != tt.want || !errors.Is(err, tt.err) {
			t.Errorf("%d bytes at %d: got %q, %v", tt.n, tt.off, p[:n], err)
		}
	}
	if _, err := b.ReaderAt(t.Context(), "none", 10).ReadAt(make([]byte, 1), 0); !errors.Is(err, lake.ErrNotFound) {
		t.Errorf("no object: %v", err)
	}
}
