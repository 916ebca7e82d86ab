package archive_test

import (
	"crypto/sha256"
	"errors"
	"io"
	"testing"

	"medlake/shared/archive"
	"medlake/shared/lake"
)

// FuzzOpen opens anything twice, keeping plain bytes and not, and wants the same answer: a refusal, or members whose
// bytes, read in both ways, have the sum that Open proved.
func FuzzOpen(f *testing.F) {
	for _, name := range goldens(f) {
		f.Add(read(f, name))
	}
	f.Add(build(pack(f, "a", long(3)), store("b", csv)))
	f.Add(append([]byte("PK\x03\x04"), end{offset: 4, size: 46, count: 1}.bytes64(4)...))
	f.Fuzz(func(t *testing.T, data []byte) {
		lim := archive.Limits{Entries: 200, Member: 1 << 20, Total: 4 << 20, Nested: 2}
		kept, err := archive.Open(data, passwords, lim)
		lim.Hold = 1
		again, err2 := archive.Open(data, passwords, lim)
		if err != nil || err2 != nil {
			var r *lake.Refusal
			if !errors.As(err, &r) {
				t.Fatalf("no refusal: %v", err)
			}
			if err2 == nil || err.Error() != err2.Error() {
				t.Fatalf("%v when kept, %v when not", err, err2)
			}
			return
		}
		defer again.Close()
		defer kept.Close()
		for _, a := range []*archive.Archive{kept, again} {
			if len(a.Members()) != len(kept.Members()) {
				t.Fatal("number of members")
			}
			for i, m := range a.Members() {
				b, err := m.Bytes()
				if err != nil || int64(len(b)) != m.Size || sha256.Sum256(b) != m.Sum || m.Sum != kept.Members()[i].Sum {
					t.Fatalf("member %d: %d bytes of %d, %v", i, len(b), m.Size, err)
				}
				r, err := m.Reader()
				if err != nil {
					t.Fatal(err)
				}
				h := sha256.New()
				if _, err := io.Copy(h, r); err != nil || [32]byte(h.Sum(nil)) != m.Sum {
					t.Fatalf("member %d: read differs, %v", i, err)
				}
				if err := r.Close(); err != nil {
					t.Fatal(err)
				}
			}
		}
	})
}
