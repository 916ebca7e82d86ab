package xml

// look gives the settled part of the queue what stands in kept nodes, and drops the records whose predicates fail.
func (m *machine) look() {
	g := m.group
	m.memo = m.memo[:0]
	for range g.each {
		m.memo = append(m.memo, verdict{node: -1})
	}
	m.same = m.same[:0]
	for range g.late {
		m.same = append(m.same, lookedUp{node: -1})
	}
	for i := m.settled; i < len(m.queue); i++ {
		q := &m.queue[i]
		if q.node < 0 || g.each != nil && !m.is(len(g.each)-1, q.node) {
			q.dropped = true
			continue
		}
		for k := range g.late {
			m.lookUp(i, k, q.node)
		}
	}
}

// verdict remembers whether a node is where a step of each leads.
type verdict struct {
	node int32
	ok   bool
}

// lookedUp remembers which record got the values of a late term that stand in or above a node.
type lookedUp struct {
	node   int32
	record int
}

// is reports whether a node is where the path of the records leads after step k. Steps before the scope hold already.
func (m *machine) is(k int, i int32) bool {
	if v := m.memo[k]; v.node == i {
		return v.ok
	}
	ok := m.isNew(k, i)
	m.memo[k] = verdict{i, ok}
	return ok
}

func (m *machine) isNew(k int, i int32) bool {
	s, n := &m.group.each[k], &m.nodes.all[i]
	switch {
	case n.depth == 0 || !s.syms[n.sym] || !m.passes(s, i, nil): // the document is no element
		return false
	case k+1 == m.group.scope:
		return n.scope
	case k == 0:
		return s.deep || n.depth == 1
	case !s.deep:
		return n.parent >= 0 && m.nodes.all[n.parent].depth == n.depth-1 && m.is(k-1, n.parent)
	}
	for p := n.parent; p >= 0; p = m.nodes.all[p].parent {
		if m.is(k-1, p) {
			return true
		}
	}
	return false
}

// lookUp finds the values of late term k for a record.
func (m *machine) lookUp(record, k int, i int32) {
	l := &m.group.late[k]
	base := i
	if l.absolute {
		base = 0
	}
	for range l.up {
		if base >= 0 {
			base = m.nodes.all[base].parent
		}
	}
	if base < 0 {
		return
	}
	if same := m.same[k]; same.node == base { // not inside the record: the one before found it already
		m.copyValue(record, same.record, l.to)
		return
	}
	m.same[k] = lookedUp{base, record}
	m.search(l.steps, base, &target{record: record, late: l, attr: l.attr})
}

func (m *machine) copyValue(to, from int, s source) {
	switch g := m.group; s.kind {
	case fromCount:
		m.counts[to*g.counts+s.at] = m.counts[from*g.counts+s.at]
	case fromJoin:
		j := &m.joins[to*g.joins+s.at]
		*j = append(*j, m.joins[from*g.joins+s.at]...)
	default:
		m.values[to*g.values+s.at] = m.values[from*g.values+s.at]
	}
}

// target is what a search does at the elements it finds: take their values, or compare them.
type target struct {
	record int
	late   *late
	wait   *wait
	attr   int
}

// search goes down steps from a node, in document order. It returns true once it needs to look no further.
func (m *machine) search(steps []match, i int32, t *target) bool {
	if len(steps) == 0 {
		return m.found(i, t)
	}
	if deepInside(steps) {
		return m.scan(steps, i, t)
	}
	s := &steps[0]
	depth := m.nodes.all[i].depth
	var seen [maxPositions]int
	for j, end := i+1, m.nodes.end(i); j < end; {
		n := &m.nodes.all[j]
		here := j
		if s.deep {
			j++
		} else {
			j = m.nodes.end(j)
			if n.depth != depth+1 {
				continue
			}
		}
		if s.syms[n.sym] && m.passes(s, here, &seen) && m.search(steps[1:], here, t) {
			return true
		}
	}
	return false
}

// deepInside reports whether going down step by step would leave the document's order, and visit elements twice.
func deepInside(steps []match) bool {
	for i := range len(steps) - 1 {
		if steps[i].deep {
			return true
		}
	}
	return false
}

// scan is search the other way round: it looks at every node inside i and whether the steps lead there.
func (m *machine) scan(steps []match, i int32, t *target) bool {
	for j, end := i+1, m.nodes.end(i); j < end; j++ {
		if m.leads(steps, i, j) && m.found(j, t) {
			return true
		}
	}
	return false
}

// leads reports whether steps from one node may end at another inside it.
func (m *machine) leads(steps []match, from, to int32) bool {
	last := len(steps) - 1
	s, n := &steps[last], &m.nodes.all[to]
	if !s.syms[n.sym] || !m.passes(s, to, nil) {
		return false
	}
	p := n.parent
	if !s.deep {
		return p >= from && m.nodes.all[p].depth == n.depth-1 && (last > 0 && p > from && m.leads(steps[:last], from, p) || last == 0 && p == from)
	}
	for ; last > 0 && p > from; p = m.nodes.all[p].parent {
		if m.leads(steps[:last], from, p) {
			return true
		}
	}
	return last == 0
}

// maxPositions is how many positions one step may have behind predicates on what is in the element.
const maxPositions = 4

// passes reports whether the predicates of a step hold for a node, counting in seen the nodes that reach each
// position.
func (m *machine) passes(s *match, i int32, seen *[maxPositions]int) bool {
	if s.test >= 0 && !m.nodes.holds(i, s.test) {
		return false
	}
	positions := 0
	for k := range s.checks {
		c := &s.checks[k]
		if c.position > 0 {
			seen[positions]++
			if seen[positions] != c.position {
				return false
			}
			positions++
			continue
		}
		if m.search(c.steps, i, &target{wait: c, attr: c.attr}) == c.not {
			return false
		}
	}
	return true
}

// found does what a search is for at an element.
func (m *machine) found(i int32, t *target) bool {
	v := m.nodes.all[i].text
	if t.attr >= 0 {
		if v = m.nodes.attr(i, t.attr); v == nil {
			return false
		}
	}
	if w := t.wait; w != nil {
		return w.values == nil || w.values[string(v)] != w.differs
	}
	to := t.late.to
	m.store(t.record, to, t.late.sep, value{bytes: v})
	return to.kind == fromValue && len(v) > 0
}
