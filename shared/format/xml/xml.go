// Package xml reads the mapped parts of XML documents.
package xml

import "medlake/shared/format"

// Config says which records a document holds and where their fields stand.
type Config struct {
	NS     map[string]string   // prefix of the path names -> namespace; "" is the namespace of unprefixed element names
	Groups []Group             // kinds of records; an element may be a record of several
	Lists  map[string][]string // named lists of values for predicates: [@root = {problems}]
}

// Group is one kind of record.
type Group struct {
	Each   string   // path of the element that is one record; "" is the document
	Fields []string // paths, from the record's element or, with a leading slash, from the document; the index is the slot
}

// Fault is what is wrong with one path.
type Fault struct {
	Group   int
	Field   int // -1: the group's Each
	Message string
}

// Program is a compiled Config. It is immutable and safe for concurrent use.
type Program struct{}

// Compile makes a Program, or lists all that is wrong.
func (c Config) Compile() (*Program, []Fault) { return &Program{}, nil }

// Decoder reads documents, one after the other. It is not safe for concurrent use.
type Decoder struct{}

// NewDecoder makes a decoder of documents.
func (p *Program) NewDecoder() *Decoder { return &Decoder{} }

// Decode emits the records of src.
func (d *Decoder) Decode(src format.Source, emit format.Emit) error { return nil }
