package xml

import (
	"bytes"
	stdxml "encoding/xml"
	"io"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"medlake/shared/format"
)

// element is a whole tree: the plain way to find out what paths mean.
type element struct {
	name   string
	attrs  map[string]string
	kids   []*element
	parent *element
	text   string // with that of the elements in it
}

func parseTree(doc []byte) (*element, error) {
	root := &element{}
	at := root
	d := stdxml.NewDecoder(bytes.NewReader(doc))
	for {
		t, err := d.Token()
		if err == io.EOF {
			return root, nil
		}
		if err != nil {
			return nil, err
		}
		switch t := t.(type) {
		case stdxml.StartElement:
			e := &element{name: t.Name.Local, parent: at, attrs: map[string]string{}}
			for _, a := range t.Attr {
				e.attrs[a.Name.Local] = a.Value
			}
			at.kids = append(at.kids, e)
			at = e
		case stdxml.EndElement:
			at = at.parent
		case stdxml.CharData:
			for e := at; e != nil; e = e.parent {
				e.text += string(t)
			}
		}
	}
}

// below returns the elements a step leads to, in document order.
func (s step) below(from []*element) []*element {
	var all []*element
	var visit func(e *element)
	visit = func(e *element) {
		var hits []*element
		for _, k := range e.kids {
			if s.name.local == "*" || s.name.local == k.name {
				hits = append(hits, k)
			}
		}
		for _, p := range s.preds {
			var left []*element
			for i, k := range hits {
				if p.position > 0 && p.position == i+1 || p.position == 0 && p.holds(k) {
					left = append(left, k)
				}
			}
			hits = left
		}
		all = append(all, hits...)
		if s.deep {
			for _, k := range e.kids {
				visit(k)
			}
		}
	}
	for _, e := range from {
		visit(e)
	}
	return all
}

func (p predicate) holds(e *element) bool {
	ok := false
	for _, v := range p.at.from(e, nil) {
		ok = ok || p.values == nil || slices.Contains(p.values, v) != p.differs
	}
	return ok != p.not
}

// from returns the values at a location, in document order, with those that are empty.
func (l location) from(e *element, root *element) []string {
	at := []*element{e}
	if l.absolute {
		at = []*element{root}
	}
	for range l.up {
		if at[0] = at[0].parent; at[0] == nil {
			return nil
		}
	}
	at = l.elements(at)
	var values []string
	for _, e := range at {
		if l.attr == nil {
			values = append(values, strings.Trim(e.text, " \t\r\n"))
		} else if v, ok := e.attrs[l.attr.local]; ok {
			values = append(values, v)
		}
	}
	return values
}

func (l location) elements(at []*element) []*element {
	for _, s := range l.steps {
		var next []*element
		for _, e := range s.below(at) {
			if !slices.Contains(next, e) {
				next = append(next, e)
			}
		}
		at = next
	}
	if len(at) < 2 {
		return at
	}
	root := at[0]
	for root.parent != nil {
		root = root.parent
	}
	return inOrder(root, at)
}

func (p *Path) value(e, root *element) string {
	for _, t := range p.terms {
		all := t.from(e, root)
		full := slices.DeleteFunc(slices.Clone(all), func(v string) bool { return v == "" })
		switch {
		case t.fn == count:
			return strconv.Itoa(len(all))
		case len(full) == 0:
		case t.fn == join:
			return strings.Join(full, t.sep)
		default:
			return full[0]
		}
	}
	return "-"
}

// inOrder sorts elements as they begin in the document.
func inOrder(root *element, want []*element) []*element {
	var all []*element
	var visit func(e *element)
	visit = func(e *element) {
		if slices.Contains(want, e) {
			all = append(all, e)
		}
		for _, k := range e.kids {
			visit(k)
		}
	}
	visit(root)
	return all
}

// TestRandomPathsMeanWhatATreeSays compares every kind of path, on documents full of repetition, with its plain meaning.
func TestRandomPathsMeanWhatATreeSays(t *testing.T) {
	t.Parallel()
	rounds := 2000
	if testing.Short() {
		rounds = 500
	}
	compared := 0
	for seed := range uint64(rounds) {
		r := rand.New(rand.NewPCG(seed, 7))
		doc := randomDocument(r)
		c := Config{}
		for range 1 + r.IntN(3) {
			g := Group{Each: randomEach(r)}
			for range 1 + r.IntN(4) {
				g.Fields = append(g.Fields, randomField(r))
			}
			c.Groups = append(c.Groups, g)
		}
		p, faults := c.Compile()
		if len(faults) > 0 {
			continue
		}
		compared++
		root, err := parseTree(doc)
		if err != nil {
			t.Fatal(err)
		}
		want := make([][]string, len(c.Groups))
		for i, g := range c.Groups {
			at := []*element{root}
			if g.Each != "" {
				each, err := ParsePath(g.Each)
				if err != nil {
					t.Fatal(err)
				}
				at = each.terms[0].elements(at)
			}
			for _, e := range at {
				row := ""
				for _, f := range g.Fields {
					field, err := ParsePath(f)
					if err != nil {
						t.Fatal(err)
					}
					row += field.value(e, root) + ";"
				}
				want[i] = append(want[i], row)
			}
		}
		got := make([][]string, len(c.Groups))
		err = p.NewDecoder().Decode(member(doc), func(r *format.Row) error {
			row := ""
			for _, f := range r.Fields {
				if f == nil {
					f = []byte("-")
				}
				row += string(f) + ";"
			}
			got[r.Group] = append(got[r.Group], row)
			return nil
		})
		if err != nil {
			t.Fatalf("seed %d: %v\n%s", seed, err, doc)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("seed %d (-want +got):\n%s\n%+v\n%s", seed, diff, c.Groups, doc)
		}
	}
	if compared < rounds/2 {
		t.Errorf("only %d of %d configurations compile", compared, rounds)
	}
}

type member []byte

func (m member) Bytes() ([]byte, error)         { return m, nil }
func (m member) Reader() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(m)), nil }
