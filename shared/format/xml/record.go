package xml

// record compiles one group.
type record struct {
	*builder
	index  int
	group  *group
	each   []step
	prefix [][]*trie // nodes of the first n steps of each
	needs  []need
	waits  bool // some predicates of each are decided late
	scope  int  // number of steps to the element at whose end all is known
	late   bool
}

func (r *record) compileEach() {
	n := len(r.each)
	r.atMostDeep(r.each, 2)
	for i, s := range r.each {
		now, later := split(s.preds)
		at := []*trie{r.child(r.prefix[i][0], s.deep, r.element(s.name))}
		r.prefix = append(r.prefix, at)
		m := match{deep: s.deep, name: at[0].name, test: r.test(at, now)}
		for _, p := range later {
			if p.position > 0 {
				r.fault("in the path of a record a position must stand before predicates on what is in the element")
			}
			m.checks = append(m.checks, r.wait(at, p))
		}
		fixed := true // the distance to the record's element
		for _, below := range r.each[i+1:] {
			fixed = fixed && !below.deep
		}
		if m.test >= 0 && fixed {
			r.needs = append(r.needs, need{n - 1 - i, m.test})
		}
		if len(later) > 0 || m.test >= 0 && !fixed {
			r.scope = min(r.scope, i+1)
			r.waits = true
		}
		r.group.each = append(r.group.each, m)
	}
}

// wait compiles a predicate on what stands in the elements at nodes.
func (r *record) wait(at []*trie, p predicate) wait {
	w := wait{position: p.position, not: p.not, differs: p.differs, attr: -1}
	if p.position > 0 {
		return w
	}
	if v := r.values(p); v != nil {
		w.values = set(v)
	}
	w.steps, w.attr = r.kept(at, p.at, w.values != nil)
	return w
}

// kept compiles a location that is looked up in kept nodes, from the elements at nodes.
func (r *record) kept(at []*trie, l location, text bool) (steps []match, attr int) {
	attr = -1
	if l.attr != nil {
		attr, text = r.attr(*l.attr), false
	}
	keepAt(r.index, at, false, -1)
	r.atMostDeep(l.steps, 2)
	for _, s := range l.steps {
		var next []*trie
		for _, t := range at {
			next = append(next, r.child(t, s.deep, r.element(s.name)))
		}
		now, later := split(s.preds)
		m := match{deep: s.deep, name: next[0].name, test: r.test(next, now)}
		positions := 0
		for _, p := range later {
			if p.position > 0 {
				positions++
			}
			m.checks = append(m.checks, r.wait(next, p))
		}
		if positions > maxPositions || positions > 0 && anyDeep(l.steps) {
			r.fault("a position must stand before predicates on what is in the element")
		}
		steps = append(steps, m)
		keepAt(r.index, next, false, -1)
		at = next
	}
	keepAt(r.index, at, text, attr)
	return steps, attr
}

// term compiles one term of a field.
func (r *record) term(t term) source {
	l := t.location
	if n := len(r.each); l.up > 0 && l.up <= n && n-l.up <= 1 && !anyDeep(r.each) { // the document or its only root
		l.absolute, l.steps, l.up = true, append(append([]step{}, r.each[:n-l.up]...), l.steps...), 0
	}
	kind := fromValue
	switch t.fn {
	case count:
		kind = fromCount
	case join:
		kind = fromJoin
	}
	relative := !l.absolute || len(r.each) == 0
	if relative && l.up == 0 && !anyDeep(l.steps) && !anyWait(l.steps) {
		return r.direct(r.prefix[len(r.each)][0], l, r.slot(kind), t.sep, false)
	}
	if l.absolute && t.fn == first && !anyWait(l.steps) && fixedTests(l.steps) && (!anyDeep(l.steps) || l.attr != nil) {
		return r.direct(r.root, l, r.slot(fromGlobal), "", true)
	}
	return r.lateTerm(t, l, r.slot(kind))
}

func (r *record) slot(kind sourceKind) source {
	n := map[sourceKind]*int{fromValue: &r.group.values, fromGlobal: &r.group.globals, fromCount: &r.group.counts, fromJoin: &r.group.joins}[kind]
	*n++
	return source{kind, *n - 1}
}

// direct compiles a location whose values can be taken as the walk passes them.
func (r *record) direct(from *trie, l location, to source, sep string, global bool) source {
	a := trieAction{action: action{group: r.index, up: len(l.steps), to: to, sep: sep}, attrID: -1, own: -1}
	if global {
		a.up = -1
		if len(l.steps) == 1 && !l.steps[0].deep && l.attr != nil {
			r.group.rootGlobals = append(r.group.rootGlobals, to.at)
		}
	}
	if l.attr != nil {
		a.attrID = r.attr(*l.attr)
	}
	at := from
	for i, s := range l.steps {
		at = r.child(at, s.deep, r.element(s.name))
		now, _ := split(s.preds)
		switch test := r.test([]*trie{at}, now); {
		case test < 0:
		case i == len(l.steps)-1:
			a.own = test
		default:
			a.needs = append(a.needs, need{len(l.steps) - 1 - i, test})
		}
	}
	at.acts = append(at.acts, a)
	return to
}

// lateTerm compiles a location that needs kept nodes.
func (r *record) lateTerm(t term, l location, to source) source {
	n := len(r.each)
	at, scope := r.prefix[n], n
	if l.absolute {
		at, scope = r.prefix[0], 0
	} else {
		keepAt(r.index, at, false, -1)
		for range l.up {
			if at = r.up(at); len(at) == 0 {
				r.fault("the path goes above the document")
				return to
			}
			keepAt(r.index, at, false, -1)
			scope = max(scope-1, 0)
		}
	}
	r.scope = min(r.scope, scope)
	r.late = true
	steps, attr := r.kept(at, l, t.fn != count)
	r.group.late = append(r.group.late, late{to: to, sep: t.sep, absolute: l.absolute, up: l.up, steps: steps, attr: attr})
	return to
}

// finish marks where records begin and where they are known.
func (r *record) finish() {
	n, g := len(r.each), r.group
	own := r.prefix[n][0]
	own.each = append(own.each, eachMark{r.index, r.needs})
	g.scope, g.arena = r.scope, r.arena(r.prefix[r.scope][0])
	r.prog.arenas[g.arena] = append(r.prog.arenas[g.arena], r.index)
	g.kept = r.waits || r.late
	if g.kept {
		for i := r.scope; i <= n; i++ {
			keepAt(r.index, r.prefix[i], false, -1)
		}
	}
	if !r.waits {
		g.each = nil
	}
}

// atMostDeep faults paths whose // steps would make a search visit elements again and again.
func (r *record) atMostDeep(steps []step, most int) {
	n := 0
	for _, s := range steps {
		if s.deep {
			n++
		}
	}
	if n > most {
		r.fault("the path has more than %d // steps", most)
	}
}

func anyDeep(steps []step) bool {
	for _, s := range steps {
		if s.deep {
			return true
		}
	}
	return false
}

func anyWait(steps []step) bool {
	for _, s := range steps {
		if _, later := split(s.preds); len(later) > 0 {
			return true
		}
	}
	return false
}

// fixedTests reports whether every predicate is at a known distance from the end.
func fixedTests(steps []step) bool {
	for i, s := range steps {
		if len(s.preds) > 0 && anyDeep(steps[i+1:]) {
			return false
		}
	}
	return true
}
