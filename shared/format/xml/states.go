package xml

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
)

// symbols number the names that paths tell apart. 0 is any other name.
type symbols struct {
	edges []edge // without target; symbol i+1 is edges[i]
	by    map[nameTest][]int
}

// item says that an element is where a path leads (at), or below a place where `//` searches (not at).
type item struct {
	node *trie
	at   bool
}

func (b *builder) symbols() *symbols {
	specific := map[string][]int{} // local name -> namespaces named with it
	generic := map[string]bool{}
	var visit func(t *trie)
	visit = func(t *trie) {
		if n := t.name; t.parent != nil && n.local != "*" {
			if n.ns == anyNS {
				generic[n.local] = true
			} else if !slices.Contains(specific[n.local], n.ns) {
				specific[n.local] = append(specific[n.local], n.ns)
			}
		}
		for _, k := range t.kids {
			visit(k)
		}
	}
	visit(b.root)
	s := &symbols{by: map[nameTest][]int{}}
	add := func(e edge) {
		s.edges = append(s.edges, e)
		s.by[nameTest{e.local, e.ns}] = append(s.by[nameTest{e.local, e.ns}], len(s.edges))
		if e.ns != anyNS {
			s.by[nameTest{e.local, anyNS}] = append(s.by[nameTest{e.local, anyNS}], len(s.edges))
		}
	}
	for _, local := range slices.Sorted(maps.Keys(specific)) {
		for _, ns := range specific[local] {
			add(edge{local: local, ns: ns})
		}
	}
	for _, local := range slices.Sorted(maps.Keys(generic)) {
		add(edge{local: local, ns: anyNS, except: specific[local]})
	}
	for i := range s.edges {
		s.edges[i].sym = int32(i + 1)
	}
	return s
}

// matches lists by symbol whether a name test holds.
func (s *symbols) matches(n nameTest) []bool {
	m := make([]bool, len(s.edges)+1)
	for i := range m {
		m[i] = n.local == "*"
	}
	for _, sym := range s.by[n] {
		m[sym] = true
	}
	return m
}

// resolve fills in the symbols of compiled steps.
func (s *symbols) resolve(steps []match) {
	for i := range steps {
		steps[i].syms = s.matches(steps[i].name)
		for _, c := range steps[i].checks {
			s.resolve(c.steps)
		}
	}
}

// states makes the automaton deterministic.
func (b *builder) states() error {
	syms := b.symbols()
	for _, g := range b.prog.groups {
		s := syms
		s.resolve(g.each)
		for _, l := range g.late {
			s.resolve(l.steps)
		}
	}
	known := map[string]*state{}
	type job struct {
		state *state
		items []item
	}
	var jobs []job
	get := func(items []item) *state {
		if len(items) == 0 {
			return nil
		}
		slices.SortFunc(items, func(x, y item) int {
			return cmp.Or(cmp.Compare(x.node.id, y.node.id), cmp.Compare(b2i(x.at), b2i(y.at)))
		})
		items = slices.Compact(items)
		key := ""
		for _, it := range items {
			key += fmt.Sprintf("%d%t ", it.node.id, it.at)
		}
		if s, ok := known[key]; ok {
			return s
		}
		s := b.state(items)
		s.id = len(known)
		known[key] = s
		jobs = append(jobs, job{s, items})
		return s
	}
	b.prog.start = get([]item{{b.root, true}})
	matches := map[nameTest][]bool{}
	for len(jobs) > 0 {
		j := jobs[len(jobs)-1]
		jobs = jobs[:len(jobs)-1]
		if len(known) > maxStates {
			return fmt.Errorf("the paths together have too many // steps")
		}
		next := make([][]item, len(syms.edges)+1)
		for _, it := range j.items {
			for _, k := range it.node.kids {
				if !it.at && !k.deep {
					continue
				}
				m, ok := matches[k.name]
				if !ok {
					m = syms.matches(k.name)
					matches[k.name] = m
				}
				for sym, yes := range m {
					if yes {
						next[sym] = append(next[sym], item{k, true})
					}
				}
			}
			if slices.ContainsFunc(it.node.kids, func(k *trie) bool { return k.deep }) {
				for sym := range next {
					next[sym] = append(next[sym], item{it.node, false})
				}
			}
		}
		j.state.other = get(next[0])
		for i, e := range syms.edges {
			if e.to = get(next[i+1]); e.to != j.state.other {
				j.state.edges = append(j.state.edges, e)
			}
		}
		j.state.makeIndex()
	}
	b.prog.edges = make([]int, len(known))
	for _, s := range known {
		b.prog.edges[s.id] = len(s.edges)
	}
	return nil
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

// indexed is the number of edges from which a state finds them by a map where prediction fails.
const indexed = 8

func (s *state) makeIndex() {
	if len(s.edges) < indexed {
		return
	}
	s.index = make(map[string][]int, len(s.edges))
	for i, e := range s.edges {
		s.index[e.local] = append(s.index[e.local], i)
	}
}

// state gathers what happens at elements that all the items lead to.
func (b *builder) state(items []item) *state {
	s := &state{startBy: map[int][]action{}, endBy: map[int][]action{}}
	place := func(id int) int {
		if id < 0 {
			return -1
		}
		for i, a := range s.attrs {
			if a.id == id {
				return i
			}
		}
		s.attrs = append(s.attrs, b.attrs[id])
		return len(s.attrs) - 1
	}
	var checks []trieCheck
	keeps := map[int]*trieKeep{} // by arena
	for _, it := range items {
		if !it.at {
			continue
		}
		t := it.node
		s.each = append(s.each, t.each...)
		if t.scope >= 0 {
			s.scope = append(s.scope, t.scope)
		}
		for _, c := range t.checks {
			if !slices.ContainsFunc(checks, func(x trieCheck) bool { return x.id == c.id }) {
				checks = append(checks, c)
			}
		}
		for _, a := range t.acts {
			act := a.action
			act.attr = place(a.attrID)
			s.act(act, a.own)
		}
		for g, k := range t.keeps {
			a := b.prog.groups[g].arena
			if keeps[a] == nil {
				keeps[a] = &trieKeep{attrs: map[int]bool{}}
			}
			keeps[a].text = keeps[a].text || k.text
			maps.Copy(keeps[a].attrs, k.attrs)
		}
	}
	for _, a := range slices.Sorted(maps.Keys(keeps)) {
		k := keep{arena: a, text: keeps[a].text, scope: slices.Contains(s.scope, a)}
		for _, id := range slices.Sorted(maps.Keys(keeps[a].attrs)) {
			k.attrs = append(k.attrs, place(id))
		}
		s.text = s.text || k.text
		s.keep = append(s.keep, k)
	}
	slices.SortFunc(checks, func(x, y trieCheck) int { return cmp.Compare(x.id, y.id) })
	for _, c := range checks {
		c.attr = place(c.attrID)
		s.check(c)
	}
	s.quiet = !s.text && len(s.attrs)+len(s.checks)+len(s.each)+len(s.scope)+len(s.keep)+len(s.start)+len(s.startBy) == 0
	return s
}

func (s *state) act(a action, own int) {
	atStart := a.attr >= 0 || a.to.kind == fromCount
	s.text = s.text || !atStart
	switch {
	case atStart && own < 0:
		s.start = append(s.start, a)
	case atStart:
		s.startBy[own] = append(s.startBy[own], a)
	case own < 0:
		s.end = append(s.end, a)
	default:
		s.endBy[own] = append(s.endBy[own], a)
	}
}

// check adds a predicate: equality with given values goes into a table by value, positions of one counter go together.
func (s *state) check(c trieCheck) {
	switch {
	case c.position > 0:
		for i := range s.checks {
			if x := &s.checks[i]; x.attr < 0 && x.counter == c.counter {
				x.position[c.position] = c.id
				return
			}
		}
		c.check.position = map[int]int{c.position: c.id}
		s.checks = append(s.checks, c.check)
	case c.after < 0 && !c.not && !c.differs && c.values != nil:
		i := slices.IndexFunc(s.lookups, func(l lookup) bool { return l.attr == c.attr })
		if i < 0 {
			i = len(s.lookups)
			s.lookups = append(s.lookups, lookup{attr: c.attr, tests: map[string][]int{}})
		}
		for v := range c.values {
			s.lookups[i].tests[v] = append(s.lookups[i].tests[v], c.id)
		}
	default:
		s.checks = append(s.checks, c.check)
	}
}
