// Package pbkdf2 derives the keys of many AES members of a zip at once: PBKDF2-HMAC-SHA1 with 1,000 iterations, as
// WinZip's format fixes it. Sixteen chains run in the lanes of AVX-512 where the processor has it. It is not for storing
// passwords.
package pbkdf2

import (
	"crypto/pbkdf2"
	"crypto/sha1"
	"encoding"
	"encoding/binary"
)

//go:generate go run ./gen

const iterations = 1000

// digest is SHA-1 whose state can be put back.
type digest interface {
	Write(p []byte) (int, error)
	Sum(b []byte) []byte
	encoding.BinaryUnmarshaler
}

// Password is a password made ready: the states of SHA-1 after HMAC's key block, inner and outer, in the standard library's
// encoding.
type Password struct {
	text         string
	inner, outer []byte
}

// NewPassword makes a password ready.
func NewPassword(password string) *Password {
	var block [sha1.BlockSize]byte
	if len(password) > len(block) {
		sum := sha1.Sum([]byte(password))
		copy(block[:], sum[:])
	} else {
		copy(block[:], password)
	}
	return &Password{text: password, inner: keyed(block, 0x36), outer: keyed(block, 0x5c)}
}

func keyed(block [sha1.BlockSize]byte, pad byte) []byte {
	for i := range block {
		block[i] ^= pad
	}
	h := sha1.New()
	h.Write(block[:])
	state, err := h.(encoding.BinaryMarshaler).MarshalBinary()
	if err != nil {
		panic(err) // the standard library's SHA-1 always can
	}
	return state
}

// Job asks for one key: Key is filled, whatever its length.
type Job struct {
	Password  *Password
	Salt, Key []byte
}

// Deriver derives keys. The zero value is ready, keeps its scratch memory, and is not safe for concurrent use.
type Deriver struct {
	hash  digest
	block []byte // salt and number
	first []byte // the first HMAC of a chain
	lanes lanes
	used  int // lanes taken
	out   [width][]byte
}

// Derive fills the key of every job.
func (d *Deriver) Derive(jobs []Job) error {
	if d.hash == nil {
		d.hash = sha1.New().(digest)
	}
	for i := range jobs {
		j := &jobs[i]
		if !wide {
			if err := j.alone(); err != nil {
				return err
			}
			continue
		}
		for at := 0; at < len(j.Key); at += sha1.Size {
			if err := d.start(j, uint32(at/sha1.Size+1)); err != nil {
				return err
			}
			d.lanes.set(d.used, j.Password, d.first)
			d.out[d.used] = j.Key[at:min(at+sha1.Size, len(j.Key))]
			if d.used++; d.used == width {
				d.flush()
			}
		}
	}
	d.flush()
	clear(d.out[:])
	return nil
}

// start computes the first HMAC of a block of a key.
func (d *Deriver) start(j *Job, number uint32) error {
	if err := d.hash.UnmarshalBinary(j.Password.inner); err != nil {
		return err
	}
	d.block = binary.BigEndian.AppendUint32(append(d.block[:0], j.Salt...), number)
	d.hash.Write(d.block)
	d.first = d.hash.Sum(d.first[:0])
	if err := d.hash.UnmarshalBinary(j.Password.outer); err != nil {
		return err
	}
	d.hash.Write(d.first)
	d.first = d.hash.Sum(d.first[:0])
	return nil
}

// alone derives one key with the standard library, whose SHA-1 is assembly where there are no lanes.
func (j *Job) alone() error {
	key, err := pbkdf2.Key(sha1.New, j.Password.text, j.Salt, iterations, len(j.Key))
	copy(j.Key, key)
	return err
}

func (d *Deriver) flush() {
	if d.used == 0 {
		return
	}
	d.lanes.run(iterations - 1)
	for i, out := range d.out[:d.used] {
		d.lanes.get(i, out)
	}
	d.used = 0
}
