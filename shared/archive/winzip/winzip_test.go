package winzip

import (
	"bytes"
	"encoding/hex"
	"os"
	"testing"

	"medlake/shared/archive/pbkdf2"
	"medlake/shared/archive/zip"
)

// sealed is the first entry of an archive that 7z stored with AES-256, and its derived key.
func sealed(t testing.TB, password string) (Sealed, []byte) {
	t.Helper()
	data, err := os.ReadFile("../testdata/golden/7z-AES256-stored-before.zip")
	if err != nil {
		t.Fatal(err)
	}
	entries, err := zip.Read(data, 5, nil)
	if err != nil {
		t.Fatal(err)
	}
	s := Split(entries[0].Data, entries[0].KeySize)
	_, n, _ := Sizes(entries[0].KeySize)
	key := make([]byte, n)
	var d pbkdf2.Deriver
	if err := d.Derive([]pbkdf2.Job{{Password: pbkdf2.NewPassword(password), Salt: s.Salt, Key: key}}); err != nil {
		t.Fatal(err)
	}
	return s, key
}

func TestSealedByAnotherTool(t *testing.T) {
	t.Parallel()
	want, err := os.ReadFile("../testdata/plain/CPCDS_Members.csv")
	if err != nil {
		t.Fatal(err)
	}
	s, key := sealed(t, "Winter-2025!")
	var p Prover
	if !s.Fits(key) || !p.Proves(s, key) {
		t.Fatal("the right password does not open")
	}
	for _, step := range []int{1, 7, 16, 100, len(want)} {
		stream, err := s.NewStream(key)
		if err != nil {
			t.Fatal(err)
		}
		got := make([]byte, len(s.Body))
		for at := 0; at < len(got); at += step {
			end := min(at+step, len(got))
			stream.Decrypt(got[at:end], s.Body[at:end])
		}
		if !bytes.Equal(got, want) {
			t.Errorf("decrypted %d bytes at a time: differs", step)
		}
	}
	damaged := s
	damaged.Body = bytes.Clone(s.Body)
	damaged.Body[0] ^= 1
	if p.Proves(damaged, key) {
		t.Error("a damaged body is proven")
	}
	if _, other := sealed(t, "Winter-2026!"); s.Fits(other) || p.Proves(s, other) {
		t.Errorf("another password opens, verifier %s", hex.EncodeToString(s.Verifier))
	}
}

func TestProvingDoesNotAllocate(t *testing.T) {
	s, key := sealed(t, "Winter-2025!")
	var p Prover
	p.Proves(s, key)
	if n := testing.AllocsPerRun(5, func() { p.Proves(s, key) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkDecrypt(b *testing.B) {
	s, key := sealed(b, "Winter-2025!")
	stream, err := s.NewStream(key)
	if err != nil {
		b.Fatal(err)
	}
	buf := make([]byte, 1<<16)
	b.SetBytes(1 << 16)
	for b.Loop() {
		stream.Decrypt(buf, buf)
	}
}
