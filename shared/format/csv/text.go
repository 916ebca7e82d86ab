package csv

import (
	"bytes"
	"fmt"
	"io"

	"medlake/shared/format"
	"medlake/shared/format/charset"
	"medlake/shared/lake"
)

const (
	firstBuffer = 128 << 10
	spare       = 16 // bytes at the end of the buffer that never hold text
)

// text is a window on the decoded text: buf[pos:end] is read and not yet consumed.
type text struct {
	charset charset.Charset
	in      charset.Reader
	buf     []byte
	pos     int
	end     int
	base    int64  // place of buf[0] in the decoded text
	err     error  // why no more text comes: io.EOF, charset.ErrUndecodable or the source's own
	cr      bool   // lines end in CR alone
	line    int    // of buf[pos], from 1
	delims  uint64 // the delimiter in each byte
	ends    uint64 // the line end in each byte
}

func (t *text) begin(r io.Reader) {
	t.in.Reset(r, t.charset)
	t.pos, t.end, t.base, t.err, t.cr, t.line = 0, 0, 0, nil, false, 1
	if t.buf == nil || len(t.buf) > 8*firstBuffer { // an unusual record made it large
		t.buf = make([]byte, firstBuffer)
	}
}

// more reads text behind buf[pos:end], making room as needed: all that fits, so that a long record is not scanned again
// for each small piece. It fails once there is nothing more to read.
func (t *text) more() error {
	switch {
	case t.end-t.pos > format.MaxRow:
		return lake.Refuse(lake.TooLarge, -1).At(t.line)
	case t.err == charset.ErrUndecodable:
		return lake.Refuse(lake.Undecodable, -1).At(t.line + t.lineEnds(t.buf[t.pos:t.end]))
	case t.err == io.EOF:
		return lake.Refuse(lake.Malformed, -1).At(t.line)
	case t.err != nil:
		return fmt.Errorf("read delimited text at line %d: %w", t.line, t.err)
	}
	if t.pos > 0 {
		t.base += int64(t.pos)
		t.end = copy(t.buf, t.buf[t.pos:t.end])
		t.pos = 0
	}
	if room := len(t.buf) - spare - t.end; room < max(len(t.buf)/4, spare) {
		t.buf = append(make([]byte, 0, 2*len(t.buf)), t.buf...)[:2*len(t.buf)]
	}
	for room := t.buf[:len(t.buf)-spare]; len(room)-t.end >= 16 && t.err == nil; {
		var n int
		n, t.err = t.in.Read(room[t.end:])
		t.end += n
	}
	return nil
}

// findLineEnd finds out how lines end, by the first line end outside quotes.
func (d *Decoder) findLineEnd() error {
	start, quoted := true, false // of a field; inside quotes
	for i := 0; ; i++ {
		for i >= d.end {
			if d.err == io.EOF {
				d.lineEndIs('\n')
				return nil
			}
			if err := d.more(); err != nil {
				return err
			}
		}
		c := d.buf[i]
		switch {
		case quoted:
			quoted = c != d.cfg.Quote // a doubled quote opens again at once
			start = !quoted
		case c == '\n':
			d.lineEndIs('\n')
			return nil
		case c == '\r':
			j := i
			for ; j < d.end && d.buf[j] == '\r'; j++ {
			}
			if j == d.end && d.err != io.EOF {
				if err := d.more(); err != nil {
					return err
				}
				i--
				continue
			}
			if j < d.end && d.buf[j] == '\n' {
				c = '\n'
			}
			d.lineEndIs(c)
			return nil
		case c == d.cfg.Quote && d.cfg.Quote != 0 && start:
			quoted = true
		default:
			start = c == d.delim
		}
	}
}

func (d *Decoder) lineEndIs(c byte) {
	d.cr = c == '\r'
	d.stop = [256]bool{}
	d.stop[d.delim], d.stop[c] = true, true
	d.delims, d.ends = ones*uint64(d.delim), ones*uint64(c)
}

// lineEnds counts the line ends in b.
func (t *text) lineEnds(b []byte) int {
	n := bytes.Count(b, []byte{'\n'})
	if t.cr { // inside quotes both kinds may stand
		n += bytes.Count(b, []byte{'\r'}) - bytes.Count(b, []byte("\r\n"))
	}
	return n
}

// skipBlank consumes blank lines. It returns io.EOF if no record follows.
func (t *text) skipBlank() error {
	for {
		i := t.pos
		for i < t.end && t.buf[i] == '\r' && (!t.cr || i == t.pos) {
			i++
		}
		switch {
		case t.cr && i > t.pos:
			t.pos, t.line = i, t.line+1
		case i < t.end && t.buf[i] == '\n' && !t.cr:
			t.pos, t.line = i+1, t.line+1
		case i < t.end:
			return nil
		case t.err == io.EOF:
			return io.EOF
		default:
			if err := t.more(); err != nil {
				return err
			}
		}
	}
}
