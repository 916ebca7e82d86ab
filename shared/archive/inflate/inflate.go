// Package inflate decodes raw DEFLATE streams (RFC 1951) at the speed of memory: Full writes a whole stream into one
// buffer of known size, Reader gives a stream of any size in chunks. It does not know gzip, zip or zlib.
package inflate

import (
	"errors"
	"io"
)

// Errors of a stream.
var (
	ErrCorrupt   = errors.New("corrupt deflate stream")
	ErrTruncated = errors.New("deflate stream ends early")
	ErrTooLong   = errors.New("deflate stream is longer than declared")
)

// Slack is how many bytes after the declared size Full may write over. A buffer without it works, only slower at its end.
const Slack = 320

type state uint8

const (
	atHeader state = iota
	inStored
	inCodes
	done
)

// Decoder holds the tables and the position of one stream. The zero value is ready. It is not safe for concurrent use
// and may be used for any number of streams, one after the other.
type Decoder struct {
	lit    [litSize]uint32
	dist   [distSize]uint32
	pre    [1 << preBits]uint32
	lens   [maxLit + maxDist]uint8
	sorted [maxLit + maxDist]uint16
	fixed  bool // lit and dist hold the fixed codes

	src    []byte
	ip     int       // next byte of src
	more   io.Reader // gives what follows src; nil when src is the rest
	refill []byte    // the buffer src is a part of, when more was given
	bits   uint64    // the next bits, lowest first; those above count are copies of src[ip:]
	count  uint      // how many of bits are taken from src
	state  state
	final  bool // the current block is the last one
	stored int  // bytes left of a stored block
}

func (d *Decoder) reset(src []byte, more io.Reader) {
	d.src, d.ip, d.more = src, 0, more
	d.bits, d.count, d.state, d.final, d.stored = 0, 0, atHeader, false, 0
}

// Full decodes the stream at the beginning of src into dst[:size]. The stream must be exactly size bytes long. Bytes of
// dst after size, up to its capacity and no more than Slack, may be overwritten. It returns how many bytes were written
// also when it fails.
func (d *Decoder) Full(dst []byte, size int, src []byte) (int, error) {
	d.reset(src, nil)
	dst = dst[:min(cap(dst), size+Slack)]
	n, err := d.decode(dst, 0)
	d.src = nil
	switch {
	case err != nil:
		return min(n, size), err
	case d.state != done || n > size:
		return size, ErrTooLong
	case n < size:
		return n, ErrTruncated
	}
	return n, nil
}

// decode writes to dst[op:] until the stream ends (state done) or the next symbol does not fit.
func (d *Decoder) decode(dst []byte, op int) (int, error) {
	for {
		var err error
		switch d.state {
		case atHeader:
			err = d.header()
		case inStored:
			if op, err = d.copyStored(dst, op); err == nil && d.state == inStored {
				return op, nil
			}
		case inCodes:
			if op, err = d.codes(dst, op); err == nil && d.state == inCodes {
				return op, nil
			}
		case done:
			return op, nil
		}
		if err != nil {
			return op, err
		}
	}
}

// fill gets more of the source once less than need bytes are left of src.
func (d *Decoder) fill(need int) error {
	if d.more == nil || len(d.src)-d.ip >= need {
		return nil
	}
	if d.refill == nil {
		d.refill = make([]byte, refillSize)
	}
	n := copy(d.refill, d.src[d.ip:])
	m, err := io.ReadFull(d.more, d.refill[n:])
	d.src, d.ip = d.refill[:n+m], 0
	switch {
	case err == nil:
		return nil
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		d.more = nil
		return nil
	}
	return err
}

const refillSize = 64 << 10

// endBlock moves on after a block.
func (d *Decoder) endBlock() {
	d.state = atHeader
	if d.final {
		d.state = done
	}
}

// copyStored copies what fits of a stored block.
func (d *Decoder) copyStored(dst []byte, op int) (int, error) {
	for d.stored > 0 {
		if err := d.fill(1); err != nil {
			return op, err
		}
		n := min(d.stored, len(d.src)-d.ip, len(dst)-op)
		if n == 0 {
			if d.ip == len(d.src) {
				return op, ErrTruncated
			}
			return op, nil // dst is full
		}
		copy(dst[op:], d.src[d.ip:d.ip+n])
		op, d.ip, d.stored = op+n, d.ip+n, d.stored-n
	}
	d.endBlock()
	return op, nil
}
