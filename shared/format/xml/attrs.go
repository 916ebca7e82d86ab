package xml

import (
	"bytes"
	"slices"
)

// bind takes in the namespace declarations of the tag.
func (d *Decoder) bind() {
	for i := range d.attrs {
		a := &d.attrs[i]
		if a.name[0] != 'x' || !bytes.HasPrefix(a.name, []byte("xmlns")) {
			continue
		}
		switch {
		case len(a.name) == 5:
			d.ns = d.uri(a)
		case a.name[5] == ':':
			d.bindings = append(d.bindings, binding{a.name[6:], d.uri(a)})
		}
	}
}

// uri numbers the namespace an attribute declares.
func (d *Decoder) uri(a *attr) int {
	v := a.value
	if a.raw {
		d.scratch, _ = unescape(d.scratch[:0], v, true)
		v = d.scratch
	}
	for i, u := range d.prog.uris {
		if u == string(v) {
			return i
		}
	}
	return unknownNS
}

// resolve numbers the namespace of a prefix.
func (d *Decoder) resolve(prefix []byte) int {
	for i := len(d.bindings) - 1; i >= 0; i-- {
		if b := &d.bindings[i]; string(b.prefix) == string(prefix) {
			return b.ns
		}
	}
	if string(prefix) == "xml" {
		return 1
	}
	return unknownNS
}

// want sets d.values to the attributes a state wants.
func (d *Decoder) want(names []attrName) {
	d.values = slices.Grow(d.values[:0], len(names))[:len(names)]
	d.scratch = d.scratch[:0]
	for i := range names {
		d.values[i] = value{}
		for k := range d.attrs {
			a := &d.attrs[k]
			if !d.is(a, &names[i]) {
				continue
			}
			if !a.raw {
				d.values[i] = value{a.value, true, true}
				break
			}
			mark := len(d.scratch)
			d.scratch, _ = unescape(d.scratch, a.value, true)
			d.values[i] = value{bytes: d.scratch[mark:], found: true}
			break
		}
	}
}

// is reports whether an attribute has a name.
func (d *Decoder) is(a *attr, n *attrName) bool {
	short := len(a.name) - len(n.local)
	switch {
	case short < 0 || string(a.name[short:]) != n.local:
		return false
	case short == 0:
		return n.ns <= 0
	case n.ns == 0 || short == 1 || a.name[short-1] != ':':
		return false
	}
	prefix := a.name[:short-1]
	return n.ns == anyNS && string(prefix) != "xmlns" || n.ns > 0 && d.resolve(prefix) == n.ns
}

// decide finds the tests of a state that hold and adds them to d.tests.
func (d *Decoder) decide(s *state) {
	own := len(d.tests)
	for i := range s.lookups {
		if v := &d.values[s.lookups[i].attr]; v.found {
			d.tests = append(d.tests, s.lookups[i].tests[string(v.bytes)]...)
		}
	}
	for i := range s.checks {
		c := &s.checks[i]
		if c.after >= 0 && !slices.Contains(d.tests[own:], c.after) {
			continue
		}
		if c.attr < 0 {
			if id, ok := c.position[d.count(c.counter)]; ok {
				d.tests = append(d.tests, id)
			}
			continue
		}
		v := &d.values[c.attr]
		if holds := v.found && (c.values == nil || c.values[string(v.bytes)] != c.differs); holds != c.not {
			d.tests = append(d.tests, c.id)
		}
	}
}

// count counts a child of the element above the top, from 1.
func (d *Decoder) count(id int) int {
	if d.depth > 0 {
		own := d.counters[d.frames[d.depth-1].counters:]
		for i := range own {
			if own[i].id == id {
				own[i].n++
				return own[i].n
			}
		}
		d.counters = append(d.counters, counter{id, 1})
		d.frames[d.depth].counters = len(d.counters)
	}
	return 1
}

// hold reports whether tests hold for open elements.
func (d *Decoder) hold(needs []need) bool {
	for _, n := range needs {
		k := d.depth - n.up
		end := len(d.tests)
		if n.up > 0 {
			end = d.frames[k+1].tests
		}
		if !slices.Contains(d.tests[d.frames[k].tests:end], n.test) {
			return false
		}
	}
	return true
}

// run takes values to where actions say. text is the element's text, for actions without an attribute.
func (d *Decoder) run(actions []action, text value) {
	for i := range actions {
		a := &actions[i]
		v := text
		if a.attr >= 0 {
			if v = d.values[a.attr]; !v.found {
				continue
			}
		}
		if len(a.needs) == 0 || d.hold(a.needs) {
			d.machines[a.group].take(a, d.depth-a.up, v)
		}
	}
}
