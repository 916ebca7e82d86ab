package xml

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Limits of a Config.
const (
	maxGroups = 1000
	maxStates = 20_000
)

// Namespaces whose prefix need not be declared by the Config.
const (
	nsXML = "http://www.w3.org/XML/1998/namespace"
	nsXSI = "http://www.w3.org/2001/XMLSchema-instance"
)

type builder struct {
	cfg      Config
	prog     *Program
	faults   []Fault
	root     *trie
	nodes    int
	numbers  map[string]int // of tests and counters
	tests    int
	counters int
	attrIDs  map[attrName]int
	attrs    []attrName
	at       Fault // where the path being compiled stands
}

// Compile makes a Program, or lists all that is wrong.
func (c Config) Compile() (*Program, []Fault) {
	b := &builder{
		cfg: c, root: &trie{scope: -1}, nodes: 1, numbers: map[string]int{}, attrIDs: map[attrName]int{},
		prog: &Program{byName: c.NS == nil, uris: []string{"", nsXML}},
	}
	if len(c.Groups) > maxGroups {
		return nil, []Fault{{Field: -1, Message: fmt.Sprintf("more than %d kinds of records", maxGroups)}}
	}
	for i, g := range c.Groups {
		b.group(i, g)
	}
	if len(b.faults) > 0 {
		return nil, b.faults
	}
	if err := b.states(); err != nil {
		return nil, []Fault{{Field: -1, Message: err.Error()}}
	}
	return b.prog, nil
}

func (b *builder) fault(format string, a ...any) {
	f := b.at
	f.Message = fmt.Sprintf(format, a...)
	b.faults = append(b.faults, f)
}

// group compiles one kind of record.
func (b *builder) group(index int, c Group) {
	b.at = Fault{Group: index, Field: -1}
	g := &group{}
	b.prog.groups = append(b.prog.groups, g)
	each := location{absolute: true}
	if strings.TrimSpace(c.Each) != "" {
		p, err := ParsePath(c.Each)
		switch {
		case err != nil:
			b.fault("%s", message(err))
			return
		case len(p.terms) > 1 || p.terms[0].fn != first || p.terms[0].attr != nil || p.terms[0].up > 0 || len(p.terms[0].steps) == 0:
			b.fault("%q: a record is one element, named by one path", c.Each)
			return
		}
		each = p.terms[0].location
	}
	r := &record{builder: b, index: index, group: g, each: each.steps, prefix: [][]*trie{{b.root}}, scope: len(each.steps)}
	r.compileEach()
	for i, f := range c.Fields {
		b.at.Field = i
		p, err := ParsePath(f)
		if err != nil {
			b.fault("%s", message(err))
			p = &Path{}
		}
		var sources []source
		for _, t := range p.terms {
			sources = append(sources, r.term(t))
		}
		g.fields = append(g.fields, sources)
	}
	r.finish()
}

// message is the text of a parse error without the sentinel it wraps.
func message(err error) string {
	s := err.Error()
	if u := errors.Unwrap(errors.Unwrap(err)); u != nil {
		s = strings.TrimSuffix(s, ": "+u.Error())
	}
	return s
}

// uri gives a namespace its number.
func (b *builder) uri(s string) int {
	if i := slices.Index(b.prog.uris, s); i >= 0 {
		return i
	}
	b.prog.uris = append(b.prog.uris, s)
	return len(b.prog.uris) - 1
}

// prefix resolves the prefix of a name in a path.
func (b *builder) prefix(p string) int {
	if uri, ok := b.cfg.NS[p]; ok {
		return b.uri(uri)
	}
	switch p {
	case "":
		return anyNS
	case "xml":
		return 1
	case "xsi":
		b.prog.byName = false
		return b.uri(nsXSI)
	}
	b.fault("prefix %q is not in ns", p)
	return anyNS
}

func (b *builder) element(n name) nameTest {
	if n.local == "*" {
		return nameTest{"*", anyNS}
	}
	return nameTest{n.local, b.prefix(n.prefix)}
}

// attr gives an attribute name its number. Without prefix it has no namespace, or any if no namespaces are given at all.
func (b *builder) attr(n name) int {
	a := attrName{local: n.local}
	switch {
	case n.local == "*":
		b.fault("an attribute needs a name")
	case n.prefix != "":
		a.ns = b.prefix(n.prefix)
	case b.cfg.NS == nil:
		a.ns = anyNS
	}
	id, ok := b.attrIDs[a]
	if !ok {
		id = len(b.attrs)
		a.id = id
		b.attrIDs[attrName{local: a.local, ns: a.ns}] = id
		b.attrs = append(b.attrs, a)
	}
	return id
}

// values returns what a predicate compares with; nil if it is for existence.
func (b *builder) values(p predicate) []string {
	if p.list == "" {
		return p.values
	}
	v, ok := b.cfg.Lists[p.list]
	if !ok {
		b.fault("there is no list %q", p.list)
	}
	return append([]string{}, v...)
}
