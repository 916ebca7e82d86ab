package xml

import (
	"slices"
	"strconv"
	"unsafe"
)

// machine collects the records of one group while the document is walked. Its records are queued in the order of their
// elements; the queue is given out when no open element can change them.
type machine struct {
	group *group

	queue   []queued
	open    []openRecord
	settled int      // records of the queue before this one have all their values
	values  [][]byte // by record and slot
	counts  []int
	joins   [][]byte
	joined  int    // bytes in joins
	bytes   []byte // what values point to, if not to the document

	globals     [][]byte
	globalBytes []byte
	unknown     int // globals not yet found
	rows        int64

	nodes *nodes     // shared with the groups of its arena
	memo  []verdict  // by step of the group's each
	same  []lookedUp // by late term
}

// queued is a record: it begins at a line, and its element is a kept node if the group keeps nodes.
type queued struct {
	line    int
	node    int32
	dropped bool
}

// openRecord is a queued record whose element is open.
type openRecord struct{ depth, at int }

func newMachine(g *group, n *nodes) machine {
	return machine{group: g, globals: make([][]byte, g.globals), nodes: n}
}

// room is roughly how many bytes the machine has allocated.
func (m *machine) room() int {
	return cap(m.values)*24 + cap(m.joins)*24 + cap(m.bytes) + cap(m.globalBytes)
}

func (m *machine) begin() {
	m.reset()
	clear(m.globals)
	m.open, m.globalBytes = m.open[:0], m.globalBytes[:0]
	m.unknown, m.rows = m.group.globals, 0
}

// reset empties the queue.
func (m *machine) reset() {
	m.queue, m.settled, m.joined = m.queue[:0], 0, 0
	m.values, m.counts, m.joins, m.bytes = m.values[:0], m.counts[:0], m.joins[:0], m.bytes[:0]
}

// size is roughly how many bytes the machine holds.
func (m *machine) size() int {
	n := len(m.queue)*int(unsafe.Sizeof(queued{})) + len(m.values)*int(unsafe.Sizeof(m.values[0])) + len(m.counts)*8 +
		len(m.joins)*int(unsafe.Sizeof(m.joins[0])) + m.joined + len(m.bytes) + len(m.globalBytes)
	return n
}

// begins queues the record whose element is on top.
func (m *machine) begins(depth, line int) {
	g := m.group
	q := queued{line: line, node: -1}
	if g.kept {
		q.node = m.nodes.top(depth)
	}
	m.open = append(m.open, openRecord{depth, len(m.queue)})
	m.queue = append(m.queue, q)
	n := len(m.values)
	m.values = slices.Grow(m.values, g.values)[:n+g.values]
	clear(m.values[n:])
	if g.counts > 0 {
		n := len(m.counts)
		m.counts = slices.Grow(m.counts, g.counts)[:n+g.counts]
		clear(m.counts[n:])
	}
	if g.joins > 0 {
		n := len(m.joins)
		m.joins = slices.Grow(m.joins, g.joins)[:n+g.joins]
		for i := n; i < len(m.joins); i++ {
			m.joins[i] = m.joins[i][:0] // its room is used again
		}
	}
}

// ends says that the element of the innermost open record, at depth, has ended.
func (m *machine) ends(depth int) {
	if n := len(m.open) - 1; n >= 0 && m.open[n].depth == depth {
		m.open = m.open[:n]
	}
}

// take takes a value to the open record whose element is at depth, or to the document.
func (m *machine) take(a *action, depth int, v value) {
	if a.up < 0 {
		if m.globals[a.to.at] == nil && len(v.bytes) > 0 {
			m.globals[a.to.at] = hold(&m.globalBytes, v)
			m.unknown--
		}
		return
	}
	for i := len(m.open) - 1; i >= 0 && m.open[i].depth >= depth; i-- {
		if m.open[i].depth == depth {
			m.store(m.open[i].at, a.to, a.sep, v)
			return
		}
	}
}

// store puts a value into a queued record.
func (m *machine) store(record int, to source, sep string, v value) {
	switch to.kind {
	case fromCount:
		m.counts[record*m.group.counts+to.at]++
	case fromJoin:
		if j := &m.joins[record*m.group.joins+to.at]; len(v.bytes) > 0 {
			if len(*j) > 0 {
				*j = append(*j, sep...)
			}
			*j = append(*j, v.bytes...)
			m.joined += len(sep) + len(v.bytes)
		}
	default:
		if p := &m.values[record*m.group.values+to.at]; *p == nil && len(v.bytes) > 0 {
			*p = hold(&m.bytes, v)
		}
	}
}

// hold returns v's bytes so that they last, in room if need be.
func hold(room *[]byte, v value) []byte {
	if v.stable {
		return v.bytes
	}
	n := len(*room)
	*room = append(*room, v.bytes...)
	return (*room)[n:len(*room):len(*room)]
}

// rootKnown says that the start tag of the root has been read: globals that are its attributes are known, also if absent.
func (m *machine) rootKnown() {
	for _, at := range m.group.rootGlobals {
		if m.globals[at] == nil {
			m.unknown--
		}
	}
}

// settle gives the queued records the values that come from kept nodes.
func (m *machine) settle() {
	if m.group.kept {
		m.look()
	}
	m.settled = len(m.queue)
}

// emit gives out the queue, unless a value of the document may still come.
func (m *machine) emit(d *Decoder, group int) error {
	if m.unknown > 0 {
		return nil
	}
	g := m.group
	d.row.Fields = slices.Grow(d.row.Fields[:0], len(g.fields))[:len(g.fields)]
	for i := range m.queue {
		q := &m.queue[i]
		if q.dropped {
			continue
		}
		for f, sources := range g.fields {
			var v []byte
			for _, s := range sources {
				if v = m.value(i, s); v != nil {
					break
				}
			}
			d.row.Fields[f] = v
		}
		m.rows++
		d.row.Group, d.row.Line, d.row.Row = group, q.line, m.rows
		if err := d.emit(&d.row); err != nil {
			return err
		}
	}
	m.reset()
	return nil
}

// value returns what a source holds for a queued record; nil if nothing.
func (m *machine) value(record int, s source) []byte {
	switch s.kind {
	case fromGlobal:
		return m.globals[s.at]
	case fromCount:
		n := len(m.bytes)
		m.bytes = strconv.AppendInt(m.bytes, int64(m.counts[record*m.group.counts+s.at]), 10)
		return m.bytes[n:len(m.bytes):len(m.bytes)]
	case fromJoin:
		if j := m.joins[record*m.group.joins+s.at]; len(j) > 0 {
			return j
		}
		return nil
	}
	return m.values[record*m.group.values+s.at]
}
