package archive

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"

	"medlake/shared/archive/inflate"
	"medlake/shared/lake"
)

// gzip opens a gzip file: one member, whatever the number of its parts.
func (o *opener) gzip(data, name []byte, depth int) error {
	number := o.entry
	if o.entry++; o.entry > o.lim.Entries {
		return lake.Refuse(lake.TooManyEntries, -1)
	}
	g := newGunzip(data)
	defer g.Close()
	kept, all := []byte(nil), true
	if n := int64(sizeHint(data)); n <= o.hold {
		kept = (*o.arena(n))[:0:n]
	}
	var size int64
	var head []byte
	sum := sha256.New()
	for {
		chunk, err := g.next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return lake.Refuse(gzipReason(err), number)
		}
		size += int64(len(chunk))
		if err := o.admit(int64(len(chunk)), size, int64(len(data)), number); err != nil {
			return err
		}
		if head == nil {
			head = bytes.Clone(chunk[:min(len(chunk), headSize)])
		}
		sum.Write(chunk)
		if all = all && len(kept)+len(chunk) <= cap(kept); all {
			kept = append(kept, chunk...)
		}
	}
	if g.name != nil {
		name = g.name
	}
	m := &Member{Entry: number, Size: size, archive: o.archive, name: name}
	sum.Sum(m.Sum[:0])
	if all {
		m.held = kept
		o.hold -= size
	} else {
		m.recipe = &recipe{method: gzipped, body: data}
	}
	return o.add(m, head, depth)
}

// sizeHint is the plain size as a file of one part declares it, if deflate could reach it.
func sizeHint(data []byte) int {
	if len(data) < 4 {
		return 0
	}
	n := int(binary.LittleEndian.Uint32(data[len(data)-4:]))
	if n/1032 > len(data) {
		return 0
	}
	return n
}

var (
	errGzipMethod = errors.New("gzip method is not deflate")
	errGzip       = errors.New("corrupt gzip")
	errGzipShort  = errors.New("gzip ends early")
)

func gzipReason(err error) lake.Reason {
	switch {
	case errors.Is(err, errGzipMethod):
		return lake.UnsupportedMethod
	case errors.Is(err, errGzipShort), errors.Is(err, inflate.ErrTruncated):
		return lake.Truncated
	}
	return lake.Corrupt
}

// gunzip reads the parts of a gzip file one after the other and checks each (RFC 1952).
type gunzip struct {
	z      *inflate.Reader
	rest   []byte // from the next header on
	name   []byte // of the first part
	parts  int
	inside bool
	crc    uint32
	size   uint32
	unread []byte
}

func newGunzip(data []byte) *gunzip {
	return &gunzip{z: readers.Get().(*inflate.Reader), rest: data}
}

func (g *gunzip) Close() error {
	if g.z != nil {
		g.z.Reset(nil)
		readers.Put(g.z)
		g.z = nil
	}
	return nil
}

func (g *gunzip) Read(p []byte) (int, error) {
	for len(g.unread) == 0 {
		var err error
		if g.unread, err = g.next(); err != nil {
			return 0, err
		}
	}
	n := copy(p, g.unread)
	g.unread = g.unread[n:]
	return n, nil
}

// next returns the next plain bytes, or io.EOF after the last part is proven.
func (g *gunzip) next() ([]byte, error) {
	if g.z == nil {
		return nil, errClosed
	}
	for {
		if !g.inside {
			if g.parts > 0 && len(bytes.Trim(g.rest, "\x00")) == 0 {
				return nil, io.EOF // the end, or what fills a tape block
			}
			if err := g.header(); err != nil {
				return nil, err
			}
			g.z.Reset(g.rest)
			g.crc, g.size, g.inside = 0, 0, true
			g.parts++
		}
		chunk, err := g.z.Next()
		switch {
		case err == nil:
			g.crc = crc32.Update(g.crc, crc32.IEEETable, chunk)
			g.size += uint32(len(chunk))
			return chunk, nil
		case err != io.EOF:
			return nil, err
		}
		t := g.z.Rest()
		if len(t) < 8 {
			return nil, errGzipShort
		}
		if binary.LittleEndian.Uint32(t) != g.crc || binary.LittleEndian.Uint32(t[4:]) != g.size {
			return nil, errGzip
		}
		g.rest, g.inside = t[8:], false
	}
}

// header reads a part's header and leaves rest at its data.
func (g *gunzip) header() error {
	const headerCRC, extra, hasName, comment, reserved = 1 << 1, 1 << 2, 1 << 3, 1 << 4, 0xe0
	h := g.rest
	if !isGzip(h) {
		if len(h) < 2 {
			return errGzipShort
		}
		return errGzip
	}
	if len(h) < 10 {
		return errGzipShort
	}
	if h[2] != 8 {
		return errGzipMethod
	}
	flags := h[3]
	if flags&reserved != 0 {
		return errGzip
	}
	h = h[10:]
	if flags&extra != 0 {
		if len(h) < 2 || len(h)-2 < int(binary.LittleEndian.Uint16(h)) {
			return errGzipShort
		}
		h = h[2+int(binary.LittleEndian.Uint16(h)):]
	}
	for _, f := range []byte{hasName, comment} {
		if flags&f == 0 {
			continue
		}
		text, after, ok := bytes.Cut(h, []byte{0})
		if !ok {
			return errGzipShort
		}
		if f == hasName && g.parts == 0 {
			g.name = text
		}
		h = after
	}
	if flags&headerCRC != 0 {
		if len(h) < 2 {
			return errGzipShort
		}
		h = h[2:]
	}
	g.rest = h
	return nil
}
