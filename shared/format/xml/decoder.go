package xml

import (
	"bytes"
	"fmt"

	"medlake/shared/format"
	"medlake/shared/format/charset"
	"medlake/shared/lake"
)

// Decoder reads documents of one Program, one after the other. It is not safe for concurrent use.
type Decoder struct {
	prog     *Program
	machines []machine
	arenas   []nodes
	row      format.Row
	emit     format.Emit

	data    []byte // the document in UTF-8
	decoded []byte // data, if it was converted
	lineAt  int    // data[:lineAt] has line-1 line ends
	line    int

	frames   [format.MaxDepth + 2]frame // 0 is the document
	depth    int
	attrs    []attr
	tests    []int     // that hold, of all open elements
	counters []counter // of all open elements
	names    map[string]struct{}
	after    [][]int // by state and edge of a child, from 1: the edge of the next child, last time

	bindings []binding // of prefixes
	ns       int       // default namespace

	wanted  int    // open elements whose text is wanted
	text    []byte // of them, as far as it is in pieces
	scratch []byte
	values  []value // of the attributes a state wants
	ticks   int
}

// frame is an open element.
type frame struct {
	state    *state
	last     int // the edge of the last child, from 1
	name     []byte
	tests    int // start of its tests in Decoder.tests
	counters int // start of the counters of its children
	text     int // start of its text in Decoder.text
	pieces   bool
	bindings int
	ns       int // default namespace of its parent
}

type attr struct {
	name  []byte
	value []byte // raw
	raw   bool   // has something to be resolved
}

// value is the content of an attribute. It is stable if it lasts as long as the document.
type value struct {
	bytes  []byte
	found  bool
	stable bool
}

type counter struct{ id, n int }

type binding struct {
	prefix []byte
	ns     int
}

// Decode emits the records of the document src in the order of their elements, group by group where groups meet. A record
// is given out as soon as all it needs is known. Decode returns emit's error as it is, a *lake.Refusal of the whole
// document (undecodable, malformed, doctype, too_deep, too_large), or an error of the source.
func (d *Decoder) Decode(src format.Source, emit format.Emit) error {
	data, err := src.Bytes()
	if err != nil {
		return fmt.Errorf("read XML document: %w", err)
	}
	d.emit, d.line, d.lineAt = emit, 1, 0
	d.data = nil
	if err := d.toUTF8(data); err != nil {
		return err
	}
	err = d.document()
	d.emit, d.data = nil, nil
	d.shrink()
	return err
}

// shrink gives room back that only an unusual document needs.
func (d *Decoder) shrink() {
	const usual = 4 << 20
	if cap(d.decoded) > usual {
		d.decoded = nil
	}
	if cap(d.text) > usual {
		d.text = nil
	}
	for i := range d.machines {
		if d.machines[i].room() > usual {
			d.machines[i] = newMachine(d.machines[i].group, d.machines[i].nodes)
		}
	}
	for i := range d.arenas {
		if d.arenas[i].room() > usual {
			d.arenas[i] = nodes{}
		}
	}
}

// toUTF8 sets the text of the document, converted if its byte order mark or XML declaration says so.
func (d *Decoder) toUTF8(data []byte) error {
	cs, bom := charset.BOM(data)
	data = data[bom:]
	switch {
	case bom > 0:
	case bytes.HasPrefix(data, []byte("<\x00?\x00")):
		cs, _ = charset.Lookup("utf-16le")
	case bytes.HasPrefix(data, []byte("\x00<\x00?")):
		cs, _ = charset.Lookup("utf-16be")
	default:
		name := declaredEncoding(data)
		if bytes.EqualFold(name, []byte("utf-8")) {
			break
		}
		declared, err := charset.Lookup(string(name))
		if err != nil {
			return lake.Refuse(lake.Undecodable, -1).At(1)
		}
		if !declared.UTF16() { // it is not, or the declaration could not be read
			cs = declared
		}
	}
	if !cs.UTF8() {
		var err error
		d.decoded, _, err = cs.Append(d.decoded[:0], data, true)
		if err != nil {
			return lake.Refuse(lake.Undecodable, -1).At(1 + bytes.Count(d.decoded, []byte{'\n'}))
		}
		d.data = d.decoded
		return nil
	}
	if n, _ := charset.Valid(data); n < len(data) {
		return lake.Refuse(lake.Undecodable, -1).At(1 + bytes.Count(data[:n], []byte{'\n'}))
	}
	d.data = data
	return nil
}

// declaredEncoding returns what the XML declaration says, nil if it says nothing.
func declaredEncoding(data []byte) []byte {
	if !bytes.HasPrefix(data, []byte("<?xml")) {
		return nil
	}
	end := bytes.Index(data[:min(len(data), 1024)], []byte("?>"))
	if end < 0 {
		return nil
	}
	_, rest, ok := bytes.Cut(data[:end], []byte("encoding"))
	if !ok {
		return nil
	}
	rest = bytes.TrimLeft(rest, " \t\r\n=")
	if len(rest) == 0 || rest[0] != '"' && rest[0] != '\'' {
		return nil
	}
	v, _, _ := bytes.Cut(rest[1:], rest[:1])
	return v
}

// lineOf returns the line of data[i]. It is asked for rising places.
func (d *Decoder) lineOf(i int) int {
	if i < d.lineAt {
		d.line, d.lineAt = 1, 0
	}
	d.line += bytes.Count(d.data[d.lineAt:i], []byte{'\n'})
	d.lineAt = i
	return d.line
}

func (d *Decoder) refuse(r lake.Reason, i int) error {
	return lake.Refuse(r, -1).At(d.lineOf(min(i, len(d.data))))
}

func (d *Decoder) malformed(i int) error { return d.refuse(lake.Malformed, i) }
