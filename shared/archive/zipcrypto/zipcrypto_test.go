package zipcrypto

import (
	"bytes"
	"math/rand/v2"
	"testing"
)

// encrypt is the other direction: the cipher feeds on plain bytes.
func encrypt(c Cipher, plain []byte) []byte {
	out := make([]byte, len(plain))
	for i, b := range plain {
		x := c.k2 | 2
		out[i] = b ^ byte(x*(x^1)>>8)
		c.update(b)
	}
	return out
}

func TestDecryptAllEqualsOneByOne(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	for n := range 40 {
		var jobs []Job
		var got, want [][]byte
		for range n {
			plain := make([]byte, r.IntN(300))
			if r.IntN(5) == 0 {
				plain = nil
			}
			for i := range plain {
				plain[i] = byte(r.Uint32())
			}
			c := New("S3cret-Pa55")
			dst := make([]byte, len(plain))
			jobs = append(jobs, Job{Cipher: c, Dst: dst, Src: encrypt(c, plain)})
			got, want = append(got, dst), append(want, plain)
		}
		DecryptAll(jobs)
		for i := range want {
			if !bytes.Equal(got[i], want[i]) {
				t.Fatalf("job %d of %d differs", i, n)
			}
		}
	}
}

func BenchmarkDecrypt(b *testing.B) {
	const members, size = 64, 16 << 10
	src, dst := make([]byte, size), make([]byte, members*size)
	jobs := make([]Job, members)
	fill := func() {
		for i := range jobs {
			jobs[i] = Job{Cipher: New("S3cret-Pa55"), Dst: dst[i*size:][:size], Src: src}
		}
	}
	b.Run("one by one", func(b *testing.B) {
		b.SetBytes(members * size)
		for b.Loop() {
			fill()
			for i := range jobs {
				jobs[i].Cipher.Decrypt(jobs[i].Dst, jobs[i].Src)
			}
		}
	})
	b.Run("lockstep", func(b *testing.B) {
		b.SetBytes(members * size)
		for b.Loop() {
			fill()
			DecryptAll(jobs)
		}
	})
}
