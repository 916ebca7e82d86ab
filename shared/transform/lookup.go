package transform

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/expr-lang/expr/ast"

	"medlake/shared/lake"
	"medlake/shared/metadata"
)

// bindMap: map(x, {"A": "admit"}) replaces a value; one that is not listed is null, or the third argument.
func bindMap(args []ast.Node) (apply, []ast.Node, error) {
	pairs, ok := args[1].(*ast.MapNode)
	if !ok {
		return nil, nil, errors.New(`the second argument lists values: {"A": "admit", "D": "discharge"}`)
	}
	to := make(map[string]value, len(pairs.Pairs))
	for _, p := range pairs.Pairs {
		pair, ok := p.(*ast.PairNode)
		if !ok {
			return nil, nil, errors.New("a pair of the list is not a key and a value")
		}
		k, ok1 := literal(pair.Key)
		v, ok2 := literal(pair.Value)
		if !ok1 || !ok2 || k.kind == null {
			return nil, nil, errors.New("keys and values of the list are constants")
		}
		key := string(k.appendText(nil))
		if _, twice := to[key]; twice {
			return nil, nil, fmt.Errorf("key %q stands twice", key)
		}
		to[key] = v
	}
	dynamic := []ast.Node{args[0]}
	if len(args) == 3 {
		dynamic = append(dynamic, args[2])
	}
	return func(f *frame, a []value) value {
		if a[0].kind != null {
			if v, ok := to[string(f.textOf(a[0]))]; ok {
				return v
			}
		}
		if len(a) == 2 {
			return a[1]
		}
		return value{}
	}, dynamic, nil
}

func firstValue(_ *frame, a []value) value {
	for _, v := range a {
		if v.kind != null {
			return v
		}
	}
	return value{}
}

// refNames are the references a feed looks up, by number.
type refNames struct{ names []string }

func (r *refNames) index(name string) int {
	if i := slices.Index(r.names, name); i >= 0 {
		return i
	}
	r.names = append(r.names, name)
	return len(r.names) - 1
}

const facilities = "facilities"

// reference lowers ref("facilities", code).id.
func (c *lowerer) reference(args []ast.Node, property ast.Node) (op, error) {
	o, code, err := c.bindReference(args, property)
	if err != nil {
		return nil, err
	}
	key, err := c.lower(code)
	if err != nil {
		return nil, err
	}
	if o.facility && c.facility != nil && *c.facility == nil {
		*c.facility = key
	}
	return &call{fn: o.apply, args: []op{key}, kind: o.kind}, nil
}

// lookup is a ref with its constants bound.
type lookup struct {
	ref, column int
	kind        kind
	facility    bool
}

func (c *lowerer) bindReference(args []ast.Node, property ast.Node) (*lookup, ast.Node, error) {
	if len(args) != 2 {
		return nil, nil, errors.New(`ref has the wrong number of arguments: write ref("facilities", code).id`)
	}
	name, err := constantText(args[0])
	if err != nil {
		return nil, nil, errors.New("ref: the name of the reference is a text in quotes")
	}
	if c.refs == nil {
		return nil, nil, errors.New("ref cannot be used in a check: look the value up in the feed's set")
	}
	columns, types, ok := c.set.Ref(name)
	if !ok {
		return nil, nil, fmt.Errorf("ref: there is no reference %s: it is a file ref/%s.csv, or %s.csv in a customer's folder", name, name, name)
	}
	want, err := constantText(property)
	if err != nil {
		return nil, nil, errors.New("ref: the column wanted is a name: .id")
	}
	i := slices.Index(columns, want)
	if i < 0 {
		return nil, nil, fmt.Errorf("ref: %s has no column %s%s", name, want, metadata.Meant(want, columns))
	}
	k := text
	if types[i].Kind == lake.Long {
		k = long
	}
	return &lookup{ref: c.refs.index(name), column: i, kind: k, facility: name == facilities}, args[1], nil
}

func (o *lookup) apply(f *frame, a []value) value {
	key := f.textOf(a[0])
	for _, r := range f.bindings.refs[o.ref] {
		if r == nil {
			continue
		}
		row, ok := r.Rows[string(key)]
		if !ok {
			continue
		}
		if row[o.column] == "" {
			return value{}
		}
		start := len(f.buf)
		f.buf = append(f.buf, row[o.column]...)
		v := f.made(start)
		if o.kind == long {
			return v.number()
		}
		return v
	}
	return value{}
}

// bindings are what a run's customer and load give to the ops.
type bindings struct {
	customerID []byte
	load       []byte
	arrived    int64
	captures   [][]byte
	refs       [][2]*metadata.Ref

	feedZone     *zone // nil: the facility's or the customer's
	customerZone *zone
	byCode       map[string]*zone // facilities with a zone of their own
	byID         map[int64]*zone
	zones        map[*time.Location]*zone

	zone      *zone // of the row
	zoneKnown bool
}

// bind sets what depends on customer and upload.
func (b *bindings) bind(p *Program, c *metadata.Customer, captures map[string]string, o Origin) {
	b.customerID = append(b.customerID[:0], c.ID...)
	b.load = append(b.load[:0], o.Load...)
	b.arrived = o.ArrivedAt.UnixMicro()
	b.captures = b.captures[:0]
	for _, name := range p.captures {
		b.captures = append(b.captures, []byte(captures[name]))
	}
	b.refs = b.refs[:0]
	for _, name := range p.refs.names {
		b.refs = append(b.refs, p.set.Refs(c.ID, name))
	}
	if b.zones == nil {
		b.zones = map[*time.Location]*zone{}
	}
	b.feedZone, b.byCode, b.byID = nil, nil, nil
	if z := p.feed.Read.Zone; z != nil {
		b.feedZone = b.in(z)
		return
	}
	b.customerZone = b.in(c.Zone)
	for _, f := range c.Facilities {
		if f.Zone == nil {
			continue
		}
		if b.byCode == nil {
			b.byCode, b.byID = map[string]*zone{}, map[int64]*zone{}
		}
		b.byCode[f.Code], b.byID[f.ID] = b.in(f.Zone), b.in(f.Zone)
	}
}

func (b *bindings) in(l *time.Location) *zone {
	if l == nil {
		l = time.UTC
	}
	z := b.zones[l]
	if z == nil {
		z = &zone{location: l}
		b.zones[l] = z
	}
	return z
}

// rowZone is the zone of the row's times that have no offset.
func (b *bindings) rowZone(f *frame) *zone {
	if b.feedZone != nil {
		return b.feedZone
	}
	if b.byCode == nil || f.facility == nil {
		return b.customerZone
	}
	v := f.facility.eval(f)
	var z *zone
	switch v.kind {
	case text:
		z = b.byCode[string(v.text)]
	case long:
		z = b.byID[v.num]
	}
	if z == nil {
		return b.customerZone
	}
	return z
}
