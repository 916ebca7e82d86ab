package csv

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"io"

	"medlake/shared/format"
	"medlake/shared/format/charset"
)

// ErrInseparable says that a text would read differently if records were taken out of it.
var ErrInseparable = errors.New("records of the text cannot be taken out without changing others")

// span is a part of the decoded text.
type span struct{ from, to int64 }

// Cut returns text without the records that drop names by their number (format.Row.Row). What is left stands byte for
// byte as it stood, also the header, blank lines and a byte order mark, and reads as exactly the other records, or Cut
// fails with ErrInseparable. Other errors are those of Decode and of NewDecoder. Text is not changed; if no record leaves,
// it is returned itself.
func (c Config) Cut(text []byte, drop func(row int64) bool) ([]byte, error) {
	before, spans, err := c.spans(text, drop)
	if err != nil || len(spans) == 0 {
		return text, err
	}
	cs, err := charset.Lookup(c.Encoding)
	if err != nil {
		return nil, err
	}
	marked, bom := charset.BOM(text)
	if bom > 0 {
		cs = marked
	}
	out, err := without(text, bom, cs, spans)
	if err != nil {
		return nil, err
	}
	after, _, err := c.spans(out, func(int64) bool { return false })
	if err != nil || !bytes.Equal(before, after) {
		return nil, ErrInseparable
	}
	return out, nil
}

// spans finds the records to drop, and hashes the others.
func (c Config) spans(text []byte, drop func(row int64) bool) (others []byte, spans []span, err error) {
	d, err := c.NewDecoder(nil)
	if err != nil {
		return nil, nil, err
	}
	sum := sha256.New()
	err = d.Decode(whole(text), func(r *format.Row) error {
		if !drop(r.Row) {
			return add(sum, r)
		}
		s := span{d.base + int64(d.pos), d.base + int64(d.next)}
		if c.NoHeader && r.Row == 1 && bytes.IndexByte([]byte("\r\n"), d.buf[d.next-1]) >= 0 {
			s.to-- // the first line end says how lines end, and blank lines are nothing
		}
		if n := len(spans); n > 0 && spans[n-1].to == s.from {
			spans[n-1].to = s.to
		} else if s.to > s.from {
			spans = append(spans, s)
		}
		return nil
	})
	return sum.Sum(nil), spans, err
}

// add hashes a record so that no two look alike.
func add(h hash.Hash, r *format.Row) error {
	size := func(n int) []byte { return binary.AppendVarint(nil, int64(n)) }
	b := append(size(len(r.Fields)), r.Fault...)
	for _, f := range r.Fields {
		n := len(f)
		if f == nil {
			n = -1
		}
		b = append(append(b, size(n)...), f...)
	}
	_, err := h.Write(append(size(len(b)), b...))
	return err
}

// without copies text but for spans of what it decodes to.
func without(text []byte, bom int, cs charset.Charset, spans []span) ([]byte, error) {
	out := append(make([]byte, 0, len(text)), text[:bom]...)
	var in charset.Reader
	in.Reset(bytes.NewReader(text), cs)
	chunk := make([]byte, firstBuffer)
	decoded, place := int64(0), bom
	for {
		n, err := in.Read(chunk)
		for _, b := range chunk[:n] {
			w := width(cs, b)
			for len(spans) > 0 && decoded >= spans[0].to {
				spans = spans[1:]
			}
			if len(spans) == 0 || decoded < spans[0].from {
				out = append(out, text[place:place+w]...)
			}
			place += w
			decoded++
		}
		switch {
		case err == io.EOF && place != len(text):
			return nil, ErrInseparable
		case err == io.EOF:
			return out, nil
		case err != nil:
			return nil, fmt.Errorf("read delimited text: %w", err)
		}
	}
}

// width is how many bytes of the source a byte of the decoded text stands for: all of a character's for its first.
func width(cs charset.Charset, b byte) int {
	switch {
	case cs.UTF8():
		return 1
	case b&0xC0 == 0x80:
		return 0
	case !cs.UTF16():
		return 1
	case b >= 0xF0:
		return 4
	}
	return 2
}

// whole is a text in memory.
type whole []byte

func (w whole) Bytes() ([]byte, error) { return w, nil }

func (w whole) Reader() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(w)), nil }
