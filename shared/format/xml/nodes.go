package xml

import "unsafe"

// nodes are an arena: the kept elements of some groups, in document order. They are only those that late paths look at,
// inside the element at whose end the records are known. Levels between them may be missing; depth tells.
type nodes struct {
	scopes int // open elements at whose end records are known

	all   []node
	open  []int32
	attrs []nodeAttr
	tests []int
	bytes []byte
}

type node struct {
	sym    int32
	depth  int32
	scope  bool  // records in it are known at its end
	parent int32 // the nearest kept one, -1 none
	end    int32 // index behind the last node inside; 0 while open
	attrs  [2]int32
	tests  [2]int32
	text   []byte
}

type nodeAttr struct {
	id    int
	value []byte
}

func (n *nodes) reset() {
	n.all, n.open, n.attrs, n.tests, n.bytes = n.all[:0], n.open[:0], n.attrs[:0], n.tests[:0], n.bytes[:0]
}

// room is roughly how many bytes are allocated.
func (n *nodes) room() int {
	return cap(n.all)*int(unsafe.Sizeof(node{})) + cap(n.attrs)*int(unsafe.Sizeof(nodeAttr{})) + cap(n.bytes)
}

// size is roughly how many bytes are held.
func (n *nodes) size() int {
	return len(n.all)*int(unsafe.Sizeof(node{})) + len(n.attrs)*int(unsafe.Sizeof(nodeAttr{})) + len(n.tests)*8 + len(n.bytes)
}

// add keeps the element on top.
func (n *nodes) add(depth int, sym int32, k *keep, tests []int, names []attrName, values []value) {
	x := node{sym: sym, depth: int32(depth), scope: k.scope, parent: -1}
	if o := len(n.open); o > 0 {
		x.parent = n.open[o-1]
	}
	x.tests[0] = int32(len(n.tests))
	n.tests = append(n.tests, tests...)
	x.tests[1] = int32(len(n.tests))
	x.attrs[0] = int32(len(n.attrs))
	for _, p := range k.attrs {
		if v := values[p]; v.found {
			n.attrs = append(n.attrs, nodeAttr{names[p].id, hold(&n.bytes, v)})
		}
	}
	x.attrs[1] = int32(len(n.attrs))
	n.open = append(n.open, int32(len(n.all)))
	n.all = append(n.all, x)
}

// top returns the kept node of the open element at depth.
func (n *nodes) top(depth int) int32 {
	if k := len(n.open); k > 0 && n.all[n.open[k-1]].depth == int32(depth) {
		return n.open[k-1]
	}
	return -1
}

// setText gives the open node at depth its text.
func (n *nodes) setText(depth int, v value) {
	if i := n.top(depth); i >= 0 {
		n.all[i].text = hold(&n.bytes, v)
	}
}

// close ends the open node at depth.
func (n *nodes) close(depth int) {
	if i := n.top(depth); i >= 0 {
		n.all[i].end = int32(len(n.all))
		n.open = n.open[:len(n.open)-1]
	}
}

// end returns the index behind the nodes inside i.
func (n *nodes) end(i int32) int32 {
	if e := n.all[i].end; e > 0 {
		return e
	}
	return int32(len(n.all))
}

// attr returns an attribute of a node, nil if it has none.
func (n *nodes) attr(i int32, id int) []byte {
	for _, a := range n.attrs[n.all[i].attrs[0]:n.all[i].attrs[1]] {
		if a.id == id {
			return a.value
		}
	}
	return nil
}

func (n *nodes) holds(i int32, test int) bool {
	for _, t := range n.tests[n.all[i].tests[0]:n.all[i].tests[1]] {
		if t == test {
			return true
		}
	}
	return false
}
