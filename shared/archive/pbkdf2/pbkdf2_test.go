package pbkdf2

import (
	"bytes"
	stdpbkdf2 "crypto/pbkdf2"
	"crypto/sha1"
	"math/rand/v2"
	"strings"
	"testing"
)

func jobs(r *rand.Rand, passwords []*Password, n int) ([]Job, []int) {
	out, which := make([]Job, n), make([]int, n)
	for i := range out {
		size := []int{34, 50, 66, 1, 20, 40}[r.IntN(6)]
		salt := make([]byte, 8+4*r.IntN(3))
		for k := range salt {
			salt[k] = byte(r.Uint32())
		}
		which[i] = r.IntN(len(passwords))
		out[i] = Job{Password: passwords[which[i]], Salt: salt, Key: make([]byte, size)}
	}
	return out, which
}

func TestDeriveEqualsTheStandardLibrary(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	texts := []string{"", "S3cret-Pa55", "пароль", strings.Repeat("x", 64), strings.Repeat("long ", 20)}
	var ready []*Password
	for _, p := range texts {
		ready = append(ready, NewPassword(p))
	}
	var d Deriver
	for _, n := range []int{0, 1, 3, 4, 5, 40} {
		list, which := jobs(r, ready, n)
		if err := d.Derive(list); err != nil {
			t.Fatal(err)
		}
		for i, j := range list {
			want, err := stdpbkdf2.Key(sha1.New, texts[which[i]], j.Salt, iterations, len(j.Key))
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(j.Key, want) {
				t.Errorf("%d jobs: key %d of %d bytes differs", n, i, len(want))
			}
			clear(j.Key)
			if err := j.alone(); err != nil || !bytes.Equal(j.Key, want) {
				t.Errorf("%d jobs: key %d without lanes differs: %v", n, i, err)
			}
		}
	}
}

func TestDeriveDoesNotAllocate(t *testing.T) {
	if !wide {
		t.Skip("needs AVX-512")
	}
	list, _ := jobs(rand.New(rand.NewPCG(3, 4)), []*Password{NewPassword("S3cret-Pa55")}, 5)
	var d Deriver
	derive := func() {
		if err := d.Derive(list); err != nil {
			t.Error(err)
		}
	}
	derive()
	if n := testing.AllocsPerRun(3, derive); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// BenchmarkDerive derives keys of AES-256 members (four chains each).
func BenchmarkDerive(b *testing.B) {
	const members = 64
	p := NewPassword("S3cret-Pa55")
	list := make([]Job, members)
	for i := range list {
		list[i] = Job{Password: p, Salt: make([]byte, 16), Key: make([]byte, 66)}
	}
	b.Run("lanes", func(b *testing.B) {
		if !wide {
			b.Skip("needs AVX-512")
		}
		var d Deriver
		for b.Loop() {
			if err := d.Derive(list); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*members), "ns/key")
	})
	b.Run("alone", func(b *testing.B) {
		for b.Loop() {
			if err := list[0].alone(); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N), "ns/key")
	})
}
