package xml

import (
	"fmt"
	"slices"
	"strings"
)

// trie is the tree of all mapped paths by axis and name: the states of a nondeterministic automaton. What hangs on a node
// happens at every element a path to the node leads to.
type trie struct {
	id     int
	parent *trie
	deep   bool
	name   nameTest
	kids   []*trie

	checks []trieCheck
	each   []eachMark
	scope  int // arena of the groups whose records in the element are known once it ends; -1 none
	keeps  map[int]*trieKeep
	acts   []trieAction
}

// nameTest is a resolved name: local "*" is any.
type nameTest struct {
	local string
	ns    int
}

type trieCheck struct {
	check
	attrID   int
	position int
}

type eachMark struct {
	group int
	needs []need
}

type trieKeep struct {
	text  bool
	attrs map[int]bool
}

type trieAction struct {
	action
	attrID int
	own    int // test of the element itself; -1 none
}

// child finds or makes the node one step below t.
func (b *builder) child(t *trie, deep bool, n nameTest) *trie {
	for _, k := range t.kids {
		if k.deep == deep && k.name == n {
			return k
		}
	}
	k := &trie{id: b.nodes, parent: t, deep: deep, name: n, scope: -1}
	b.nodes++
	t.kids = append(t.kids, k)
	return k
}

// arena returns the arena of the groups whose records are known at the end of t's elements.
func (b *builder) arena(t *trie) int {
	if t.scope < 0 {
		t.scope = len(b.prog.arenas)
		b.prog.arenas = append(b.prog.arenas, nil)
	}
	return t.scope
}

// up returns the nodes an element's parent may be at. Above a `//` step that is any element below its start.
func (b *builder) up(from []*trie) []*trie {
	var to []*trie
	add := func(t *trie) {
		if !slices.Contains(to, t) {
			to = append(to, t)
		}
	}
	for _, t := range from {
		if t.parent == nil {
			continue
		}
		add(t.parent)
		if t.deep {
			add(b.child(t.parent, true, nameTest{"*", anyNS}))
		}
	}
	return to
}

// keepAt marks nodes whose elements group g wants to keep.
func keepAt(g int, ts []*trie, text bool, attr int) {
	for _, t := range ts {
		if t.keeps == nil {
			t.keeps = map[int]*trieKeep{}
		}
		k := t.keeps[g]
		if k == nil {
			k = &trieKeep{attrs: map[int]bool{}}
			t.keeps[g] = k
		}
		k.text = k.text || text
		if attr >= 0 {
			k.attrs[attr] = true
		}
	}
}

// split parts the predicates of a step into those decided at the start tag and those that wait.
func split(preds []predicate) (now, later []predicate) {
	own := func(p predicate) bool { return p.position > 0 || len(p.at.steps) == 0 && p.at.attr != nil }
	if !slices.ContainsFunc(preds, func(p predicate) bool { return p.position > 0 }) {
		preds = slices.Clone(preds)
		slices.SortStableFunc(preds, func(x, y predicate) int {
			switch {
			case own(x) == own(y):
				return 0
			case own(x):
				return -1
			}
			return 1
		})
	}
	for i, p := range preds {
		if !own(p) {
			return preds[:i], preds[i:]
		}
	}
	return preds, nil
}

// test registers predicates decided at the start tag with the nodes and returns the number of the last, which includes
// the others; -1 if there are none.
func (b *builder) test(ts []*trie, preds []predicate) int {
	after := -1
	for _, p := range preds {
		c := trieCheck{check: check{after: after, not: p.not, differs: p.differs}, attrID: -1, position: p.position}
		var key string
		if p.position > 0 {
			counter := b.number(fmt.Sprintf("counter %v %d", ts[0].name, after), &b.counters)
			c.counter = counter
			key = fmt.Sprintf("position %d %d", counter, p.position)
		} else {
			c.attrID = b.attr(*p.at.attr)
			values := b.values(p)
			if values != nil {
				c.values = set(values)
			}
			key = fmt.Sprintf("attr %d %d %t %t %q", after, c.attrID, p.not, p.differs, strings.Join(values, "\x00"))
		}
		c.id = b.number(key, &b.tests)
		for _, t := range ts {
			if !slices.ContainsFunc(t.checks, func(x trieCheck) bool { return x.id == c.id }) {
				t.checks = append(t.checks, c)
			}
		}
		after = c.id
	}
	return after
}

// number gives each key a number of its own.
func (b *builder) number(key string, next *int) int {
	n, ok := b.numbers[key]
	if !ok {
		n = *next
		*next++
		b.numbers[key] = n
	}
	return n
}

func set(values []string) map[string]bool {
	m := make(map[string]bool, len(values))
	for _, v := range values {
		m[v] = true
	}
	return m
}
