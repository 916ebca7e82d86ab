// Package winzip opens WinZip's AES encryption of zip members (AE-1 and AE-2) once the keys are derived: it proves the
// bytes by their HMAC-SHA1 and decrypts them. It derives no keys and knows no zip headers.
package winzip

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha1"
	"crypto/subtle"
	"encoding/binary"
	"hash"
)

const (
	verifierSize = 2
	codeSize     = 10
)

// Sizes of a member whose AES key has the given number of bytes: its salt, the whole key to derive (AES key, HMAC key
// and password verifier), and all bytes of the member that are not data.
func Sizes(keySize int) (salt, derived, overhead int) {
	return keySize / 2, 2*keySize + verifierSize, keySize/2 + verifierSize + codeSize
}

// Sealed is an encrypted member taken apart.
type Sealed struct {
	Salt, Verifier, Body, Code []byte
	keySize                    int
}

// Split takes a member's bytes apart. They must be at least overhead long.
func Split(raw []byte, keySize int) Sealed {
	salt, _, _ := Sizes(keySize)
	return Sealed{
		Salt: raw[:salt], Verifier: raw[salt : salt+verifierSize],
		Body: raw[salt+verifierSize : len(raw)-codeSize], Code: raw[len(raw)-codeSize:], keySize: keySize,
	}
}

// Fits reports whether the derived key agrees with the verifier: one wrong password in 65,536 does.
func (s Sealed) Fits(derived []byte) bool {
	return subtle.ConstantTimeCompare(derived[2*s.keySize:], s.Verifier) == 1
}

// Prover checks authentication codes. The zero value is ready; it is not safe for concurrent use.
type Prover struct {
	inner, outer hash.Hash
	pad          [sha1.BlockSize]byte
	sum          []byte
}

// Proves reports whether the body is what was sealed with the derived key.
func (p *Prover) Proves(s Sealed, derived []byte) bool {
	if p.inner == nil {
		p.inner, p.outer = sha1.New(), sha1.New()
	}
	key := derived[s.keySize : 2*s.keySize] // shorter than a block: no hashing of the key
	start := func(h hash.Hash, pad byte) {
		for i := range p.pad {
			p.pad[i] = pad
		}
		subtle.XORBytes(p.pad[:], p.pad[:], key)
		h.Reset()
		h.Write(p.pad[:])
	}
	start(p.inner, 0x36)
	p.inner.Write(s.Body)
	p.sum = p.inner.Sum(p.sum[:0])
	start(p.outer, 0x5c)
	p.outer.Write(p.sum)
	p.sum = p.outer.Sum(p.sum[:0])
	return hmac.Equal(p.sum[:codeSize], s.Code)
}

// Stream decrypts a body from its beginning: AES in counter mode, with a counter that is little-endian and starts at 1,
// unlike everybody else's.
type Stream struct {
	block   cipher.Block
	counter uint64
	in, out [aes.BlockSize]byte
	used    int // bytes of out that are used up
}

// NewStream starts at the beginning of a body.
func (s Sealed) NewStream(derived []byte) (*Stream, error) {
	block, err := aes.NewCipher(derived[:s.keySize])
	if err != nil {
		return nil, err
	}
	return &Stream{block: block, used: aes.BlockSize}, nil
}

func (s *Stream) next() {
	s.counter++
	binary.LittleEndian.PutUint64(s.in[:], s.counter)
	s.block.Encrypt(s.out[:], s.in[:])
	s.used = 0
}

// Decrypt writes the plain bytes of src to dst, which is as long and may be the same memory.
func (s *Stream) Decrypt(dst, src []byte) {
	for len(src) > 0 {
		if s.used == aes.BlockSize {
			s.next()
		}
		n := subtle.XORBytes(dst, src, s.out[s.used:])
		s.used += n
		dst, src = dst[n:], src[n:]
	}
}
