package zip

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"medlake/shared/lake"
)

func TestNames(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name         string
		folder, junk bool
	}{
		{"a.csv", false, false},
		{"in/", true, false},
		{`in\deep\`, true, false},
		{"", false, false},
		{"__MACOSX/", true, true},
		{"__MACOSX/._a.csv", false, true},
		{"in/__MACOSX/x", false, true},
		{"__MACOSX", false, false},
		{"__MACOSX.csv", false, false},
		{".DS_Store", false, true},
		{`in\.DS_Store`, false, true},
		{"in/.DS_Store.csv", false, false},
		{"._a.csv", false, true},
		{"in/._a.csv", false, true},
		{"._in/a.csv", false, false},
		{"_a.csv", false, false},
	} {
		e := Entry{Name: []byte(c.name)}
		if e.Folder() != c.folder || e.Junk() != c.junk {
			t.Errorf("%q: folder %v, junk %v", c.name, e.Folder(), e.Junk())
		}
	}
}

func goldens(t testing.TB) map[string][]byte {
	t.Helper()
	names, err := filepath.Glob("../testdata/golden/*.zip")
	if err != nil {
		t.Fatal(err)
	}
	out := map[string][]byte{}
	for _, n := range names {
		b, err := os.ReadFile(n)
		if err != nil {
			t.Fatal(err)
		}
		out[filepath.Base(n)] = b
	}
	return out
}

func TestReadKnowsCiphers(t *testing.T) {
	t.Parallel()
	all := goldens(t)
	for _, c := range []struct {
		name   string
		cipher Cipher
		key    int
		crc    bool
		method uint16
	}{
		{"7z-plain.zip", Plain, 0, true, Deflate},
		{"7z-stored.zip", Plain, 0, true, Store},
		{"infozip-zipcrypto.zip", ZipCrypto, 0, true, Deflate},
		{"7z-AES128.zip", AES, 16, false, Deflate},
		{"7z-AES256-stored-before.zip", AES, 32, false, Store},
		{"pyzipper-ae1-192.zip", AES, 24, true, Deflate},
	} {
		entries, err := Read(all[c.name], 10, nil)
		if err != nil || len(entries) != 5 {
			t.Fatalf("%s: %d entries, %v", c.name, len(entries), err)
		}
		for i, e := range entries {
			if e.Cipher != c.cipher || e.KeySize != c.key || e.HasCRC != c.crc || e.Method != c.method {
				t.Errorf("%s, entry %d: cipher %d, key %d, crc %v, method %d", c.name, i, e.Cipher, e.KeySize, e.HasCRC, e.Method)
			}
		}
	}
}

// FuzzRead wants entries inside the file that share no byte, or a refusal.
func FuzzRead(f *testing.F) {
	for _, b := range goldens(f) {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		entries, err := Read(data, 100, nil)
		if err != nil {
			var r *lake.Refusal
			if !errors.As(err, &r) || r.Where.Entry >= 100 {
				t.Fatal(err)
			}
			return
		}
		used := make([]bool, len(data))
		for i, e := range entries {
			if e.Size < 0 || e.end-e.start < localSize+int64(len(e.Data)) {
				t.Fatalf("entry %d: from %d to %d, size %d", i, e.start, e.end, e.Size)
			}
			for at := e.start; at < e.end; at++ {
				if used[at] {
					t.Fatalf("entry %d shares byte %d", i, at)
				}
				used[at] = true
			}
		}
	})
}
