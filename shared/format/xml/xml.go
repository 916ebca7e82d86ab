// Package xml reads the mapped parts of XML documents and nothing else.
//
// All paths are compiled into one automaton over element names. A document is walked once, as bytes: values of plain paths
// go straight into the record that is open; only what predicates on child elements, parent axes and the like need is kept
// until it is known. There is no tree of the document and no allocation for a record. The package checks that a document
// is well-formed and within limits; it knows no schemas, no DOCTYPE and no types.
package xml

// Config says which records a document holds and where their fields stand.
//
// A field takes the first value that is not empty; white space around the text of an element is no part of it. The text of
// an element includes the text of the elements in it.
type Config struct {
	// NS gives the namespaces that prefixes in paths mean; "" is the namespace of element names without prefix. Without
	// NS, and for element names without prefix if "" is missing, a name means the elements of this name in any namespace.
	// The prefixes xml and xsi are known.
	NS     map[string]string
	Groups []Group
	Lists  map[string][]string // values that predicates name: [@root = {problems}]
}

// Group is one kind of record. An element may be a record of several groups.
type Group struct {
	Each   string   // path of the element that is one record, from the document; "" is the document itself
	Fields []string // paths from the record's element or, with a leading slash, from the document; the index is the slot
}

// Fault is what is wrong with one path, in words for the author.
type Fault struct {
	Group   int
	Field   int // -1: the group's Each
	Message string
}

// Program is a compiled Config. It is immutable and safe for concurrent use.
type Program struct {
	uris   []string // namespaces by number; 0 is "no namespace"
	byName bool     // namespaces do not matter
	groups []*group
	arenas [][]int // groups whose records are known at the same moments, and which keep nodes together
	start  *state  // of the document
	edges  []int   // number of edges by state
}

// NewDecoder makes a decoder of documents.
func (p *Program) NewDecoder() *Decoder {
	d := &Decoder{prog: p, machines: make([]machine, len(p.groups)), arenas: make([]nodes, len(p.arenas))}
	for i, g := range p.groups {
		d.machines[i] = newMachine(g, &d.arenas[g.arena])
	}
	d.after = make([][]int, len(p.edges))
	for i, n := range p.edges {
		d.after[i] = make([]int, n+1)
	}
	return d
}
