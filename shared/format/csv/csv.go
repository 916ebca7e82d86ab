// Package csv reads delimited text: comma, pipe, tab or any other one-byte delimiter, with or without quotes and header.
// It streams, so that memory does not grow with the file, and allocates nothing for a record. It does not guess delimiters
// and does not know types.
package csv

import (
	"fmt"
	"io"
	"slices"

	"medlake/shared/format"
	"medlake/shared/format/charset"
	"medlake/shared/lake"
)

// Config says how a text is delimited. The zero value reads comma separated UTF-8 with a header line and no quotes.
//
// Lines end in LF, CRLF or CR; the first line end of a text settles which (LF and CRLF may be mixed). Blank lines are
// skipped. A field that begins with the quote may hold delimiters, line ends and, doubled, the quote itself. A quote inside
// another field is an ordinary character.
type Config struct {
	Delimiter byte     // an ASCII byte; 0 is a comma
	Quote     byte     // an ASCII byte; 0 is none
	NoHeader  bool     // the first line is a record; Columns names the fields
	Columns   []string // the names of the fields in order, in place of the header
	Pad       bool     // a record with fewer fields than the header is complete: the rest is absent
	Encoding  string   // as charset.Lookup takes it; a byte order mark in the text overrides it
}

// Decoder reads texts of one Config, one after the other. It is not safe for concurrent use.
type Decoder struct {
	cfg   Config
	delim byte
	head  header
	text
	stop  [256]bool // what ends an unquoted field: the delimiter and the line end
	esc   []byte    // fields of the record that held doubled quotes
	lines int       // line ends inside the fields of the record
	empty bool      // the record's last field is empty
	next  int       // where the record being emitted ends in the window
	row   format.Row
}

// NewDecoder makes a decoder of records whose wanted fields get the slots 0, 1, … in the order given. Names match the
// header without regard to letter case and surrounding space. An error is a fault of the Config.
func (c Config) NewDecoder(fields []string) (*Decoder, error) {
	cs, err := charset.Lookup(c.Encoding)
	if err != nil {
		return nil, err
	}
	d := &Decoder{cfg: c, delim: c.Delimiter, text: text{charset: cs}}
	if d.delim == 0 {
		d.delim = ','
	}
	for what, b := range map[string]byte{"delimiter": d.delim, "quote": c.Quote} {
		if b >= 0x80 || b == '\n' || b == '\r' {
			return nil, fmt.Errorf("the %s must be an ASCII character other than a line end: %w", what, lake.ErrInvalid)
		}
	}
	if d.delim == c.Quote {
		return nil, fmt.Errorf("delimiter and quote are the same character: %w", lake.ErrInvalid)
	}
	if c.NoHeader && len(c.Columns) == 0 {
		return nil, fmt.Errorf("a text without header needs the names of its columns: %w", lake.ErrInvalid)
	}
	if len(c.Columns) > format.MaxColumns {
		return nil, fmt.Errorf("more than %d columns: %w", format.MaxColumns, lake.ErrInvalid)
	}
	d.head.want(fields)
	return d, nil
}

// Header returns the names of the text's columns in order. It is known once the first record is emitted, and stays until
// the next text.
func (d *Decoder) Header() []string { return d.head.names }

// Missing returns the slots of the wanted fields that the header lacks.
func (d *Decoder) Missing() []int { return d.head.missing }

// Extra returns the header names nobody wanted. Extra()[i] has slot len(fields)+i. A name that comes again, or an empty
// one, gets the number of its column added.
func (d *Decoder) Extra() []string { return d.head.extra }

// Decode emits the records of src in order. It returns emit's error as it is, or a *lake.Refusal of the whole text
// (undecodable, malformed, too_large), or an error of the source.
func (d *Decoder) Decode(src format.Source, emit format.Emit) error {
	r, err := src.Reader()
	if err != nil {
		return fmt.Errorf("open delimited text: %w", err)
	}
	if err := d.decode(r, emit); err != nil {
		_ = r.Close() // only read
		return err
	}
	if err := r.Close(); err != nil {
		return fmt.Errorf("close delimited text: %w", err)
	}
	return nil
}

func (d *Decoder) decode(r io.Reader, emit format.Emit) error {
	d.begin(r)
	if err := d.findLineEnd(); err != nil {
		return err
	}
	if err := d.header(); err != nil {
		return err
	}
	fields, slots := slices.Grow(d.row.Fields[:0], d.head.slots)[:d.head.slots], d.head.slot
	clear(fields)
	d.row.Fields, d.row.Row = fields, 0
	for {
		n, next, err := d.record(fields, slots)
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if n != len(slots) && d.row.Fault == "" && !d.fits(n) {
			d.row.Fault = format.Ragged
		}
		d.row.Row++
		d.row.Line, d.next = d.line, next
		if err := emit(&d.row); err != nil {
			return err
		}
		if n != len(slots) {
			clear(fields)
		}
		d.consume(next)
	}
}

// fits reports whether a record of n fields, which is not the header's number, is whole all the same: it has one empty
// field too many, or may be padded.
func (d *Decoder) fits(n int) bool {
	if n > len(d.head.slot) {
		return n == len(d.head.slot)+1 && d.empty
	}
	for _, s := range d.head.slot[n:] {
		d.row.Fields[s] = nil
	}
	return d.cfg.Pad
}
