package xml

import (
	"medlake/shared/format"
	"medlake/shared/lake"
)

func (s *state) wantsText() bool { return s != nil && s.text }

// begin makes the decoder ready for a document.
func (d *Decoder) begin() {
	d.depth, d.wanted, d.ns = 0, 0, 0
	d.tests, d.counters, d.bindings, d.text = d.tests[:0], d.counters[:0], d.bindings[:0], d.text[:0]
	for i := range d.machines {
		d.machines[i].begin()
	}
	for i := range d.arenas {
		d.arenas[i].scopes = 0
		d.arenas[i].reset()
	}
	d.frames[0] = frame{state: d.prog.start}
	d.attrs = d.attrs[:0]
	_ = d.enter(&d.frames[0], 0, 0) // nothing is held yet
}

// finish ends the document and gives out what waited for its end.
func (d *Decoder) finish() error {
	f := &d.frames[0]
	if err := d.leave(f, d.text, false); err != nil {
		return err
	}
	for i := range d.machines {
		d.machines[i].unknown = 0
		if err := d.machines[i].emit(d, i); err != nil {
			return err
		}
	}
	return nil
}

// open begins the element whose tag, at data[i], has been read. Its name has a prefix of colon bytes, or none.
func (d *Decoder) open(i int, name []byte, colon int) error {
	if len(d.attrs) > 1 && !d.distinct() {
		return d.malformed(i)
	}
	p := &d.frames[d.depth]
	d.depth++
	f := &d.frames[d.depth]
	f.name, f.state, f.last, f.pieces = name, nil, 0, false
	if p.state == nil {
		return nil
	}
	f.tests, f.counters, f.text, f.bindings, f.ns = len(d.tests), len(d.counters), len(d.text), len(d.bindings), d.ns
	local, ns := name, anyNS
	if colon > 0 {
		local = name[colon+1:]
	}
	if !d.prog.byName {
		if len(d.attrs) > 0 {
			d.bind()
		}
		if ns = d.ns; colon > 0 {
			ns = d.resolve(name[:colon])
		}
	}
	sym := int32(0)
	f.state, sym = d.find(p, local, ns)
	if f.state == nil || f.state.quiet {
		return nil
	}
	return d.enter(f, i, sym)
}

// find returns the state of a child of the element in p, and its symbol. What came after the child before it last time is
// tried first.
func (d *Decoder) find(p *frame, local []byte, ns int) (*state, int32) {
	s := p.state
	if len(s.edges) == 0 {
		return s.other, 0
	}
	guess := &d.after[s.id][p.last]
	if e := &s.edges[*guess]; e.local == string(local) && e.in(ns) {
		p.last = *guess + 1
		return e.to, e.sym
	}
	if s.index != nil {
		for _, x := range s.index[string(local)] {
			if e := &s.edges[x]; e.in(ns) {
				*guess, p.last = x, x+1
				return e.to, e.sym
			}
		}
		return s.other, 0
	}
	for x := range s.edges {
		if e := &s.edges[x]; e.local == string(local) && e.in(ns) {
			*guess, p.last = x, x+1
			return e.to, e.sym
		}
	}
	return s.other, 0
}

func (e *edge) in(ns int) bool {
	if e.ns != anyNS {
		return e.ns == ns
	}
	for _, x := range e.except {
		if x == ns {
			return false
		}
	}
	return true
}

// enter does what a state wants done at the start tag.
func (d *Decoder) enter(f *frame, i int, sym int32) error {
	s := f.state
	if len(s.attrs) > 0 {
		d.want(s.attrs)
	}
	if len(s.lookups) > 0 || len(s.checks) > 0 {
		d.decide(s)
	}
	for _, a := range s.scope {
		d.arenas[a].scopes++
	}
	for k := range s.keep {
		if n := &d.arenas[s.keep[k].arena]; n.scopes > 0 {
			n.add(d.depth, sym, &s.keep[k], d.tests[f.tests:], s.attrs, d.values)
			if err := d.account(i); err != nil {
				return err
			}
		}
	}
	for k := range s.each {
		if e := &s.each[k]; d.hold(e.needs) {
			d.machines[e.group].begins(d.depth, d.lineOf(i))
			if err := d.account(i); err != nil {
				return err
			}
		}
	}
	d.run(s.start, value{})
	if len(s.startBy) > 0 {
		for _, t := range d.tests[f.tests:] {
			d.run(s.startBy[t], value{})
		}
	}
	if s.text {
		d.wanted++
	}
	if d.depth == 1 {
		for k := range d.machines {
			d.machines[k].rootKnown()
		}
	}
	return nil
}

// close ends the element on top; text is what it holds, if its state wants it.
func (d *Decoder) close(text []byte, stable bool) error {
	f := &d.frames[d.depth]
	if f.state != nil {
		if !f.state.quiet {
			if err := d.leave(f, text, stable); err != nil {
				return err
			}
		}
		d.counters = d.counters[:f.counters]
		d.bindings, d.ns = d.bindings[:f.bindings], f.ns
	}
	d.depth--
	return nil
}

// leave does what a state wants done at the end tag.
func (d *Decoder) leave(f *frame, text []byte, stable bool) error {
	s := f.state
	if s.text {
		v := value{bytes: trim(text), stable: stable}
		d.run(s.end, v)
		if len(s.endBy) > 0 {
			for _, t := range d.tests[f.tests:] {
				d.run(s.endBy[t], v)
			}
		}
		for k := range s.keep {
			if s.keep[k].text {
				d.arenas[s.keep[k].arena].setText(d.depth, v)
			}
		}
		if d.wanted--; d.wanted == 0 {
			d.text = d.text[:0]
		}
	}
	for k := range s.keep {
		d.arenas[s.keep[k].arena].close(d.depth)
	}
	for k := range s.each {
		d.machines[s.each[k].group].ends(d.depth)
	}
	for _, a := range s.scope {
		n := &d.arenas[a]
		if n.scopes--; n.scopes > 0 {
			continue
		}
		for _, g := range d.prog.arenas[a] {
			m := &d.machines[g]
			m.settle()
			if err := m.emit(d, g); err != nil {
				return err
			}
		}
		n.reset()
	}
	d.tests = d.tests[:f.tests]
	return nil
}

// distinct reports whether no attribute stands twice in the tag.
func (d *Decoder) distinct() bool {
	if len(d.attrs) <= 12 {
		for i := range d.attrs {
			for j := range i {
				if string(d.attrs[i].name) == string(d.attrs[j].name) {
					return false
				}
			}
		}
		return true
	}
	if d.names == nil {
		d.names = make(map[string]struct{})
	}
	clear(d.names)
	for i := range d.attrs {
		d.names[string(d.attrs[i].name)] = struct{}{}
	}
	return len(d.names) == len(d.attrs)
}

// account refuses the document once it makes us hold too much. It looks now and then.
func (d *Decoder) account(i int) error {
	if d.ticks++; d.ticks&7 != 0 {
		return nil
	}
	total := 0
	for k := range d.arenas {
		total += d.arenas[k].size()
	}
	for k := range d.machines {
		total += d.machines[k].size()
	}
	if total > format.MaxBuffer {
		return d.refuse(lake.TooLarge, i)
	}
	return nil
}
