package archive_test

import (
	"bytes"
	"compress/gzip"
	"crypto/rand"
	"errors"
	"fmt"
	random "math/rand/v2"
	"testing"

	"medlake/shared/archive"
	"medlake/shared/archive/lock"
	"medlake/shared/archive/zip"
)

// membersOf are an archive's members as text, with their names.
func membersOf(t *testing.T, data []byte, passwords ...string) (out []string) {
	t.Helper()
	a, err := archive.Open(data, passwords, archive.Limits{Nested: 1})
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range a.Members() {
		b, err := m.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, fmt.Sprintf("%s=%s", m.Name(), b))
	}
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	return out
}

func locked(t *testing.T, c lock.Cipher, password string, files ...lock.File) []byte {
	t.Helper()
	data, err := lock.Zip(files, lock.Options{Cipher: c, Password: password, Random: rand.Reader})
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func gzipped(t *testing.T, name, text string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	z.Name = name
	if _, err := z.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestRewriteKeepsTheOtherMembers takes members of random archives out and changes some.
func TestRewriteKeepsTheOtherMembers(t *testing.T) {
	t.Parallel()
	for seed := range uint64(40) {
		r := random.New(random.NewPCG(seed, 3))
		cipher := lock.Cipher(r.IntN(3))
		var files []lock.File
		var want []string
		fate := map[int]int{} // by entry: 0 stays, 1 leaves, 2 changes
		entry := 0
		add := func(shown string) {
			switch fate[entry] = r.IntN(3); fate[entry] {
			case 0:
				want = append(want, shown)
			case 2:
				want = append(want, shown+"+")
			}
			entry++
		}
		for i := range 1 + r.IntN(6) {
			name, text := fmt.Sprintf("f%d\xfc.csv", i), fmt.Sprintf("text %d of %d", i, seed)
			shown := fmt.Sprintf("f%d\uFFFD.csv", i)
			switch r.IntN(5) {
			case 0:
				files = append(files, lock.File{Name: "__MACOSX/._" + name, Data: []byte("junk")})
				entry++
			case 1:
				entry++
				add("inner.txt=" + text)
				add("in\u00fcner2.txt=" + text + text)
				files = append(files, lock.File{Name: name + ".zip", Data: locked(t, cipher, "before",
					lock.File{Name: "inner.txt", Data: []byte(text)}, lock.File{Name: "in\u00fcner2.txt", Data: []byte(text + text)})})
			case 2:
				entry++
				add("packed.txt=" + text)
				files = append(files, lock.File{Name: name + ".gz", Data: gzipped(t, "packed.txt", text)})
			default:
				add(shown + "=" + text)
				files = append(files, lock.File{Name: name, Data: []byte(text)})
			}
		}
		files = append(files, lock.File{Name: "last", Data: nil})
		fate[entry] = 0
		want = append(want, "last=")
		out, err := archive.Rewrite(locked(t, cipher, "before", files...), []string{"now", "before"}, archive.Limits{Nested: 1}, rand.Reader,
			func(m *archive.Member) ([]byte, bool, error) {
				b, err := m.Bytes()
				if fate[m.Entry] == 2 {
					b = append(bytes.Clone(b), '+')
				}
				return b, fate[m.Entry] != 1, err
			})
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		if got := membersOf(t, out, "now"); fmt.Sprintf("%q", got) != fmt.Sprintf("%q", want) {
			t.Fatalf("seed %d: got %q, want %q", seed, got, want)
		}
		entries, err := zip.Read(out, 100, nil)
		if err != nil {
			t.Fatal(err)
		}
		if c := map[lock.Cipher]zip.Cipher{lock.None: zip.Plain, lock.ZipCrypto: zip.ZipCrypto, lock.AES256: zip.AES}[cipher]; entries[0].Cipher != c {
			t.Fatalf("seed %d: cipher is %d, want %d", seed, entries[0].Cipher, c)
		}
	}
}

func TestRewriteGzip(t *testing.T) {
	t.Parallel()
	out, err := archive.Rewrite(gzipped(t, "f\u00fc.csv", "a\n1\n2\n"), nil, archive.Limits{}, rand.Reader,
		func(*archive.Member) ([]byte, bool, error) { return []byte("a\n2\n"), true, nil })
	if err != nil {
		t.Fatal(err)
	}
	z, err := gzip.NewReader(bytes.NewReader(out))
	if err != nil || z.Name != "f\u00fc.csv" {
		t.Errorf("name is %q, %v", z.Name, err)
	}
	if got := membersOf(t, out); len(got) != 1 || !bytes.HasSuffix([]byte(got[0]), []byte("=a\n2\n")) {
		t.Errorf("got %q", got)
	}
}

func TestRewriteWithoutAnyMember(t *testing.T) {
	t.Parallel()
	drop := func(*archive.Member) ([]byte, bool, error) { return nil, false, nil }
	for name, data := range map[string][]byte{
		"zip":  locked(t, lock.AES256, "now", lock.File{Name: "inner.zip", Data: locked(t, lock.None, "", lock.File{Name: "a"})}),
		"gzip": gzipped(t, "", "text"),
	} {
		if out, err := archive.Rewrite(data, []string{"now"}, archive.Limits{Nested: 1}, rand.Reader, drop); out != nil || err != nil {
			t.Errorf("%s: got %d bytes, %v", name, len(out), err)
		}
	}
}

func TestRewriteStops(t *testing.T) {
	t.Parallel()
	stop := errors.New("stop")
	data := locked(t, lock.None, "", lock.File{Name: "a", Data: []byte("text")})
	fail := func(*archive.Member) ([]byte, bool, error) { return nil, false, stop }
	if _, err := archive.Rewrite(data, nil, archive.Limits{}, rand.Reader, fail); !errors.Is(err, stop) {
		t.Errorf("got %v", err)
	}
	zeros := make([]byte, 11<<20) // packs better than limits allow
	grow := func(*archive.Member) ([]byte, bool, error) { return zeros, true, nil }
	if _, err := archive.Rewrite(data, nil, archive.Limits{}, rand.Reader, grow); !errors.Is(err, archive.ErrRewritten) {
		t.Errorf("got %v", err)
	}
}
