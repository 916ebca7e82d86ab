package transform

import (
	"medlake/shared/format"
	"medlake/shared/transform/column"
	"medlake/shared/transform/fold"
)

// op is a compiled expression or a part of one. It is immutable; what changes from row to row is in the frame.
type op interface {
	eval(f *frame) value
	result() kind // unknown if it depends on the row
}

// frame is what the ops of one run see of the current row, and their scratch memory.
type frame struct {
	row      *format.Row
	batch    *column.Batch // the row's columns, for checks
	versions *fold.Rows    // for change
	version  int           // the row in it
	bindings *bindings
	empty    *emptyWords
	facility op      // gives the row's facility; nil: the feed knows none
	buf      []byte  // text made for this row
	stack    []value // arguments of calls
	machine
}

// next turns the frame to another row.
func (f *frame) next(row *format.Row) {
	f.row = row
	f.buf = f.buf[:0]
}

// join makes text of parts.
func (f *frame) join(parts ...[]byte) value {
	start := len(f.buf)
	for _, p := range parts {
		f.buf = append(f.buf, p...)
	}
	return f.made(start)
}

// made is the text appended to buf from start on.
func (f *frame) made(start int) value {
	return textOf(f.buf[start:len(f.buf):len(f.buf)])
}

// constant is a value known at compile time.
type constant struct{ v value }

func (o constant) eval(*frame) value { return o.v }
func (o constant) result() kind      { return o.v.kind }

// field is a field of the source, trimmed; empty words are null.
type field struct{ slot int }

func (o field) eval(f *frame) value {
	if v := f.field(o.slot); len(v) > 0 {
		return textOf(v)
	}
	return value{}
}

func (o field) result() kind { return text }

// field returns the trimmed field, or nothing if it is absent or one of the empty words.
func (f *frame) field(slot int) []byte {
	if slot >= len(f.row.Fields) {
		return nil
	}
	v := f.row.Fields[slot]
	if len(v) == 0 {
		return nil
	}
	if v[0] <= ' ' || v[len(v)-1] <= ' ' {
		v = trim(v)
	}
	if f.empty.has(v) {
		return nil
	}
	return v
}

// trim cuts ASCII white space and control characters off both ends.
func trim(v []byte) []byte {
	for len(v) > 0 && v[0] <= ' ' {
		v = v[1:]
	}
	for len(v) > 0 && v[len(v)-1] <= ' ' {
		v = v[:len(v)-1]
	}
	return v
}

// emptyWords are the texts that mean null.
type emptyWords struct {
	lengths uint64 // bit n: a word of n bytes, 63: of that many or more
	words   map[string]struct{}
}

func newEmptyWords(words []string) *emptyWords {
	e := &emptyWords{words: map[string]struct{}{}}
	for _, w := range words {
		t := string(trim([]byte(w)))
		e.words[t] = struct{}{}
		e.lengths |= 1 << min(len(t), 63)
	}
	return e
}

func (e *emptyWords) has(v []byte) bool {
	if len(v) == 0 {
		return true
	}
	if e.lengths>>min(len(v), 63)&1 == 0 {
		return false
	}
	_, ok := e.words[string(v)]
	return ok
}

// capture is what the feed's `from` captured from the upload's name; it is the same for a whole run.
type capture struct{ index int }

func (o capture) eval(f *frame) value {
	if v := f.bindings.captures[o.index]; len(v) > 0 {
		return textOf(v)
	}
	return value{}
}

func (o capture) result() kind { return text }

// cell is a column of the row that was just built.
type cell struct {
	index int
	kind  kind
	scale uint8
}

func (o cell) eval(f *frame) value {
	c := &f.batch.Columns[o.index]
	if n := len(c.Valid); n == 0 || c.Valid[n-1] == 0 {
		return value{}
	}
	return valueOf(c, len(c.Valid)-c.Nulls-1, o.kind, o.scale)
}

func (o cell) result() kind { return o.kind }

// call applies a function to its arguments. Unless the function takes nulls itself, a null argument makes it null; an
// argument that is bad makes it bad.
type call struct {
	fn   apply
	args []op
	kind kind
	null bool // fn takes nulls
}

// apply is a function with its constant arguments bound. The arguments are valid during the call only.
type apply func(f *frame, args []value) value

func (o *call) eval(f *frame) value {
	base := len(f.stack)
	for _, a := range o.args {
		v := a.eval(f)
		if v.kind == bad || v.kind == null && !o.null {
			f.stack = f.stack[:base]
			return value{kind: v.kind}
		}
		f.stack = append(f.stack, v)
	}
	v := o.fn(f, f.stack[base:])
	f.stack = f.stack[:base]
	return v
}

func (o *call) result() kind { return o.kind }
