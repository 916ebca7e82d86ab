package archive_test

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"math/rand/v2"
	"testing"

	"medlake/shared/archive"
	"medlake/shared/archive/lock"
)

// text is n bytes that deflate to about a third.
func text(n int) []byte {
	r := rand.New(rand.NewPCG(1, uint64(n)))
	var b bytes.Buffer
	for b.Len() < n {
		for _, c := range []string{"2026-03-0", "1,Urgent care,", "Encounter for problem,", "true,"} {
			b.WriteString(c)
			b.WriteByte("0123456789"[r.IntN(10)])
			b.WriteByte("0123456789"[r.IntN(10)])
		}
		b.WriteByte('\n')
	}
	return b.Bytes()[:n]
}

// TestLargeMembersStream opens what is decrypted and inflated in pieces: bodies over 1 MiB, plain bytes over the hold.
func TestLargeMembersStream(t *testing.T) {
	t.Parallel()
	plain := text(5 << 19)
	noise := make([]byte, 9<<17) // does not deflate
	rand.NewChaCha8([32]byte{}).Read(noise)
	for name, c := range map[string]lock.Cipher{"plain": lock.None, "ZipCrypto": lock.ZipCrypto, "AES": lock.AES256} {
		data := build(seal(t, "a", plain, c, previous), seal(t, "b", noise, c, current), seal(t, "c", noise[:9], c, current))
		for _, hold := range []int64{1, 3 << 20, 64 << 20} {
			a, err := archive.Open(data, passwords, archive.Limits{Hold: hold})
			if err != nil {
				t.Fatal(err)
			}
			for i, want := range [][]byte{plain, noise, noise[:9]} {
				m := a.Members()[i]
				r, err := m.Reader()
				if err != nil {
					t.Fatal(err)
				}
				if b, err := io.ReadAll(r); err != nil || !bytes.Equal(b, want) {
					t.Errorf("%s, hold %d, member %d: read %d bytes, %v", name, hold, i, len(b), err)
				}
				if err := r.Close(); err != nil {
					t.Error(err)
				}
				if b, err := m.Bytes(); err != nil || !bytes.Equal(b, want) {
					t.Errorf("%s, hold %d, member %d: %d bytes, %v", name, hold, i, len(b), err)
				}
			}
			if err := a.Close(); err != nil {
				t.Error(err)
			}
		}
	}
}

func TestHugeMembersAreMapped(t *testing.T) {
	t.Parallel()
	plain := bytes.Repeat(text(100_000), 700)
	a, err := archive.Open(build(pack(t, "a", plain)), nil, archive.Limits{Ratio: 2000})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		b, err := a.Members()[0].Bytes()
		if err != nil || !bytes.Equal(b, plain) {
			t.Fatalf("%d bytes, %v", len(b), err)
		}
		if err := a.Members()[0].Release(); err != nil {
			t.Error(err)
		}
	}
	if err := a.Close(); err != nil {
		t.Error(err)
	}
}

func TestClosedArchivesGiveNothing(t *testing.T) {
	t.Parallel()
	for _, hold := range []int64{1, 1 << 20} {
		a, err := archive.Open(build(pack(t, "a", text(1000))), nil, archive.Limits{Hold: hold})
		if err != nil {
			t.Fatal(err)
		}
		r, err := a.Members()[0].Reader()
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if err := a.Close(); err != nil {
				t.Error(err)
			}
		}
		if hold > 1 { // in memory that the next archive may have by now
			if _, err := r.Read(make([]byte, 1)); !errors.Is(err, fs.ErrClosed) {
				t.Errorf("read: %v", err)
			}
		}
		for _, m := range a.Members() {
			if _, err := m.Bytes(); !errors.Is(err, fs.ErrClosed) {
				t.Errorf("bytes: %v", err)
			}
			if _, err := m.Reader(); !errors.Is(err, fs.ErrClosed) {
				t.Errorf("reader: %v", err)
			}
		}
	}
}

// TestArchivesSideBySide shares the pools between goroutines.
func TestArchivesSideBySide(t *testing.T) {
	t.Parallel()
	for i := range 8 {
		t.Run("", func(t *testing.T) {
			t.Parallel()
			for k := range 20 {
				same(t, goldens(t)[(i+k)%len(goldens(t))], archive.Limits{Nested: 1, Hold: int64(1 + k%2<<20)})
			}
		})
	}
}
