package inflate_test

import (
	"bytes"
	stdflate "compress/flate"
	"errors"
	"io"
	"math/rand/v2"
	"testing"
	"testing/iotest"

	"github.com/klauspost/compress/flate"

	"medlake/shared/archive/inflate"
)

func deflate(t testing.TB, plain []byte, level int) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := flate.NewWriter(&out, level)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(plain); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// noise makes bytes that use literals, short and long matches, and repeats, of all distances.
func noise(r *rand.Rand, n int) []byte {
	b := make([]byte, 0, n+300)
	alphabet := 1 + r.IntN(256)
	for len(b) < n {
		switch k := r.IntN(8); {
		case k < 5 || len(b) == 0:
			b = append(b, byte(r.IntN(alphabet)))
		default:
			d := 1 + r.IntN(len(b))
			if k == 5 {
				d = 1 + r.IntN(min(len(b), 9))
			}
			for range 3 + r.IntN(256) {
				b = append(b, b[len(b)-d])
			}
		}
	}
	return b[:n]
}

func TestFullDecodesWhatOthersEncode(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	var d inflate.Decoder
	for i := range 2000 {
		n := r.IntN(70000)
		if i%3 != 0 {
			n = r.IntN(400)
		}
		plain := noise(r, n)
		packed := deflate(t, plain, []int{flate.HuffmanOnly, 1, 6, 9, 0}[i%5])
		dst := make([]byte, n, n+r.IntN(2*inflate.Slack))
		got, err := d.Full(dst, n, packed)
		if err != nil || got != n || !bytes.Equal(dst, plain) {
			t.Fatalf("stream %d of %d bytes: got %d, %v", i, n, got, err)
		}
	}
}

func TestFullStaysInsideItsBuffer(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(3, 4))
	var d inflate.Decoder
	for range 300 {
		n := r.IntN(3000)
		whole := bytes.Repeat([]byte{0xa5}, n+1000)
		if _, err := d.Full(whole[:n], n, deflate(t, noise(r, n), 6)); err != nil {
			t.Fatal(err)
		}
		if rest := whole[n+inflate.Slack:]; bytes.Count(rest, []byte{0xa5}) != len(rest) {
			t.Fatal("wrote past the slack")
		}
		tight := make([]byte, n)
		if _, err := d.Full(tight, n, deflate(t, noise(r, n), 6)); err != nil {
			t.Fatal(err)
		}
	}
}

func TestFullRefusesOtherSizes(t *testing.T) {
	t.Parallel()
	plain := bytes.Repeat([]byte("a line of text, "), 400)
	packed := deflate(t, plain, 6)
	for _, c := range []struct {
		name string
		size int
		src  []byte
		want error
	}{
		{"one byte less declared", len(plain) - 1, packed, inflate.ErrTooLong},
		{"much less declared", 10, packed, inflate.ErrTooLong},
		{"nothing declared", 0, packed, inflate.ErrTooLong},
		{"one byte more declared", len(plain) + 1, packed, inflate.ErrTruncated},
		{"half the stream", len(plain), packed[:len(packed)/2], inflate.ErrTruncated},
		{"no stream", 0, nil, inflate.ErrTruncated},
		{"block type 3", 0, []byte{7, 0}, inflate.ErrCorrupt},
		{"match before the beginning", 3, []byte{0x03, 0x02, 0x00}, inflate.ErrCorrupt},
		{"stored with a wrong complement", 1, []byte{1, 1, 0, 0, 0, 'a'}, inflate.ErrCorrupt},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var d inflate.Decoder
			if _, err := d.Full(make([]byte, c.size), c.size, c.src); !errors.Is(err, c.want) {
				t.Errorf("got %v, want %v", err, c.want)
			}
		})
	}
}

func TestReaderEqualsFull(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(5, 6))
	var z inflate.Reader
	for i := range 60 {
		plain := noise(r, r.IntN(900_000))
		packed := deflate(t, plain, []int{1, 6, 0}[i%3])
		rest := []byte("what follows")
		z.Reset(append(bytes.Clone(packed), rest...))
		got, err := io.ReadAll(&z)
		if err != nil || !bytes.Equal(got, plain) {
			t.Fatalf("stream %d: %d of %d bytes, %v", i, len(got), len(plain), err)
		}
		if !bytes.Equal(z.Rest(), rest) {
			t.Fatalf("rest: %d bytes, want %d", len(z.Rest()), len(rest))
		}
		var src io.Reader = bytes.NewReader(packed)
		if i%2 == 0 {
			src = iotest.HalfReader(src)
		}
		z.ResetReader(src)
		if got, err = io.ReadAll(&z); err != nil || !bytes.Equal(got, plain) {
			t.Fatalf("stream %d from a reader: %d of %d bytes, %v", i, len(got), len(plain), err)
		}
	}
}

func TestReaderReportsItsSource(t *testing.T) {
	t.Parallel()
	var z inflate.Reader
	broken := errors.New("broken")
	z.ResetReader(iotest.ErrReader(broken))
	if _, err := io.ReadAll(&z); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
	packed := deflate(t, noise(rand.New(rand.NewPCG(7, 8)), 1<<20), 6)
	z.ResetReader(bytes.NewReader(packed[:len(packed)-9]))
	if _, err := io.Copy(io.Discard, &z); !errors.Is(err, inflate.ErrTruncated) {
		t.Errorf("got %v", err)
	}
}

// check compares both ways of decoding with the standard library's.
func check(t *testing.T, src []byte) {
	const most = 1 << 20
	want, wantErr := io.ReadAll(io.LimitReader(stdflate.NewReader(bytes.NewReader(src)), most+1))
	if len(want) > most {
		return
	}
	var d inflate.Decoder
	dst := make([]byte, len(want), len(want)+inflate.Slack)
	n, err := d.Full(dst, len(want), src)
	if (err == nil) != (wantErr == nil) || err == nil && !bytes.Equal(dst, want) {
		t.Fatalf("full: %d bytes, %v; want %d, %v", n, err, len(want), wantErr)
	}
	tight := make([]byte, len(want))
	if n, err = d.Full(tight, len(want), src); (err == nil) != (wantErr == nil) || err == nil && !bytes.Equal(tight, want) {
		t.Fatalf("full without slack: %d bytes, %v; want %d, %v", n, err, len(want), wantErr)
	}
	if len(want) > 0 {
		if _, err := d.Full(tight, len(want)-1, src); err == nil {
			t.Fatal("a stream longer than declared was accepted")
		}
	}
	var z inflate.Reader
	z.ResetReader(iotest.OneByteReader(bytes.NewReader(src)))
	got, err := io.ReadAll(&z)
	if (err == nil) != (wantErr == nil) || err == nil && !bytes.Equal(got, want) {
		t.Fatalf("reader: %d bytes, %v; want %d, %v", len(got), err, len(want), wantErr)
	}
}

func TestDamagedStreamsAreJudgedAsTheStandardLibraryDoes(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(9, 10))
	for i := range 1500 {
		packed := deflate(t, noise(r, r.IntN(3000)), []int{flate.HuffmanOnly, 1, 6, 9, 0}[i%5])
		for range 1 + r.IntN(3) {
			packed[r.IntN(len(packed))] ^= 1 << r.IntN(8)
		}
		check(t, packed)
		check(t, packed[:r.IntN(len(packed))])
	}
}

func FuzzInflate(f *testing.F) {
	r := rand.New(rand.NewPCG(11, 12))
	for i := range 20 {
		f.Add(deflate(f, noise(r, 1+r.IntN(500)), []int{flate.HuffmanOnly, 1, 6, 9, 0}[i%5]))
	}
	f.Fuzz(check)
}

func BenchmarkInflate(b *testing.B) {
	plain := records(4 << 20)
	packed := deflate(b, plain, 6)
	b.Run("full", func(b *testing.B) {
		var d inflate.Decoder
		dst := make([]byte, len(plain), len(plain)+inflate.Slack)
		b.SetBytes(int64(len(plain)))
		for b.Loop() {
			if _, err := d.Full(dst, len(plain), packed); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("reader", func(b *testing.B) {
		var z inflate.Reader
		b.SetBytes(int64(len(plain)))
		for b.Loop() {
			z.Reset(packed)
			for {
				if _, err := z.Next(); err != nil {
					break
				}
			}
		}
	})
	for name, z := range map[string]io.ReadCloser{"klauspost": flate.NewReader(nil), "std": stdflate.NewReader(nil)} {
		b.Run(name, func(b *testing.B) {
			dst := make([]byte, len(plain))
			b.SetBytes(int64(len(plain)))
			for b.Loop() {
				if err := z.(flate.Resetter).Reset(bytes.NewReader(packed), nil); err != nil {
					b.Fatal(err)
				}
				if _, err := io.ReadFull(z, dst); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// records looks like a CSV of encounters.
func records(n int) []byte {
	r := rand.New(rand.NewPCG(13, 14))
	words := []string{"Encounter for problem", "General examination", "Urgent care clinic", "Viral sinusitis", "ambulatory", "wellness"}
	var b bytes.Buffer
	for b.Len() < n {
		b.WriteString(words[r.IntN(len(words))])
		for range 6 {
			b.WriteByte(',')
			for range 1 + r.IntN(12) {
				b.WriteByte("0123456789abcdef-"[r.IntN(17)])
			}
		}
		b.WriteByte('\n')
	}
	return b.Bytes()
}
