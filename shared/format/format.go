// Package format holds what all readers of records share: a row of fields as bytes, and where it stood in the source.
// Its subpackages csv and xml turn bytes into rows. No package here knows types, tables or metadata files.
package format

import "io"

// Row is one record: its fields by slot, and where it stood. The decoder owns it: everything in it, also the bytes of the
// fields, is valid only until the emit function returns.
type Row struct {
	Group  int      // index of the group (XML: the `each`) the row belongs to; 0 for CSV
	Fields [][]byte // by slot; nil where the source has no such value. An empty CSV field is empty, not nil
	Line   int      // line the record begins at, from 1
	Row    int64    // from 1 within the member and group, counting rows with a fault
	Fault  string   // "" or a built-in rule the record breaks; its fields are then not to be trusted
}

// Built-in rules: faults of one record that leave the others readable.
const (
	Ragged = "ragged" // more or fewer fields than the header
	Quote  = "quote"  // text after a closing quote
)

// Emit takes one row. An error stops the decoder, which returns it as it is.
type Emit func(*Row) error

// Source is the plain content of one member.
type Source interface {
	Bytes() ([]byte, error)         // the whole content; not to be changed
	Reader() (io.ReadCloser, error) // the content as a stream, from the start
}

// Limits of what one member may hold. Past them it is refused as too_large.
const (
	MaxToken   = 16 << 20 // bytes of one CSV field or one piece of XML markup or text
	MaxColumns = 10_000   // columns of a CSV row
	MaxRow     = 64 << 20 // bytes of one CSV row
	MaxBuffer  = 64 << 20 // bytes of memory an XML record may need before its row can be given out
	MaxDepth   = 64       // XML elements inside each other
)
