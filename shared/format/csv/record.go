package csv

import (
	"bytes"
	"encoding/binary"
	"io"
	"math/bits"

	"medlake/shared/format"
	"medlake/shared/lake"
)

// record parses the next record, which stays in the window: field i goes to fields[slots[i]]. It returns the number of
// fields and where the record ends, or io.EOF.
func (d *Decoder) record(fields [][]byte, slots []int) (n, next int, err error) {
	if err := d.skipBlank(); err != nil {
		return 0, 0, err
	}
	for {
		n, next, ok := d.scan(fields, slots)
		if ok {
			return n, next, d.checkSize(fields, n, next)
		}
		if d.err == io.EOF && d.end-d.pos <= format.MaxRow { // a quote is never closed: what is a record and what is not cannot be told
			return 0, 0, lake.Refuse(lake.Malformed, -1).At(d.line + d.lines)
		}
		if err := d.more(); err != nil {
			return 0, 0, err
		}
	}
}

func (d *Decoder) checkSize(fields [][]byte, n, next int) error {
	size := next - d.pos
	if size <= format.MaxToken && n <= format.MaxColumns {
		return nil
	}
	for _, f := range fields {
		if len(f) > format.MaxToken {
			n = format.MaxColumns + 1
		}
	}
	if size > format.MaxRow || n > format.MaxColumns {
		return lake.Refuse(lake.TooLarge, -1).At(d.line)
	}
	return nil
}

// consume moves the window behind the record that ends at next.
func (d *Decoder) consume(next int) {
	if next > d.pos {
		d.line += d.lines
		if d.stop[d.buf[next-1]] {
			d.line++
		}
	}
	d.pos = next
}

// scan parses one record at the start of the window. ok is false if the window ends inside it.
func (d *Decoder) scan(fields [][]byte, slots []int) (n, next int, ok bool) {
	buf, final := d.buf[:d.end], d.err == io.EOF
	quote := int(d.cfg.Quote)
	if quote == 0 {
		quote = -1
	}
	d.esc, d.lines, d.row.Fault = d.esc[:0], 0, ""
	i := d.pos
	word, marks := i, d.marks(i) // delimiters and line ends of buf[word:word+8] that are still ahead
	for {
		var v []byte
		if i < len(buf) && int(buf[i]) == quote {
			if v, i, ok = d.quoted(buf, i+1, final); !ok {
				return 0, 0, false
			}
			word, marks = i, d.marks(i)
		} else {
			for marks == 0 && word < len(buf) {
				word += 8
				marks = d.marks(word)
			}
			s := i
			i = min(word+bits.TrailingZeros64(marks)>>3, len(buf))
			if v = buf[s:i]; !d.cr && (i == len(buf) || buf[i] != d.delim) {
				v = trimCR(v)
			}
		}
		if i < len(buf) && buf[i] == d.delim {
			if n < len(slots) {
				fields[slots[n]] = v
			}
			n++
			i++
			marks &= marks - 1
			continue
		}
		if i == len(buf) && !final {
			return 0, 0, false
		}
		if n < len(slots) {
			fields[slots[n]] = v
		}
		d.empty = len(v) == 0
		return n + 1, min(i+1, len(buf)), true
	}
}

// Eight bytes at a time: a bit pattern for each of them.
const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

// marks has the high bit of each byte of buf[i:i+8] that is the delimiter or the line end. Behind the text stand bytes that
// mean nothing, at least eight.
func (t *text) marks(i int) uint64 {
	w := binary.LittleEndian.Uint64(t.buf[i:])
	x, y := w^t.delims, w^t.ends
	return ^(((x &^ highs) + (ones * 0x7f) | x) & ((y &^ highs) + (ones * 0x7f) | y)) & highs
}

func trimCR(v []byte) []byte {
	for len(v) > 0 && v[len(v)-1] == '\r' {
		v = v[:len(v)-1]
	}
	return v
}

// quoted parses a field behind its opening quote. It returns its value and the place of the delimiter or line end after
// it. ok is false if buf ends inside it.
func (d *Decoder) quoted(buf []byte, i int, final bool) (v []byte, end int, ok bool) {
	start, s, mark := i, i, len(d.esc)
	for {
		k := bytes.IndexByte(buf[i:], d.cfg.Quote)
		if k < 0 {
			return nil, 0, false
		}
		i += k
		if i+1 == len(buf) || buf[i+1] != d.cfg.Quote {
			break
		}
		d.esc = append(d.esc, buf[s:i+1]...)
		i += 2
		s = i
	}
	v = buf[s:i:i]
	if len(d.esc) > mark {
		d.esc = append(d.esc, v...)
		v = d.esc[mark:len(d.esc):len(d.esc)]
	}
	for i++; i < len(buf) && buf[i] == '\r' && !d.cr; i++ {
	}
	if i == len(buf) {
		d.lines += d.lineEnds(buf[start:i])
		return v, i, final
	}
	if !d.stop[buf[i]] {
		d.row.Fault = format.Quote
		for i < len(buf) && !d.stop[buf[i]] {
			i++
		}
		if i == len(buf) && !final {
			return nil, 0, false
		}
	}
	d.lines += d.lineEnds(buf[start:i])
	return v, i, true
}
