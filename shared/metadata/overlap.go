package metadata

import (
	"slices"
	"strings"
)

// overlaps says which feeds would take the same upload.
func (l *loader) overlaps() {
	for i, f := range l.set.Feeds {
		for _, g := range l.set.Feeds[:i] {
			if f.From == nil || g.From == nil || !f.From.Overlaps(g.From) {
				continue
			}
			at := f.From.Pos
			if at.File != f.File { // inherited
				at = f.Pos
			}
			if who, some := common(f.customers(), g.customers()); some {
				l.add(at, "from takes the same uploads%s as feed %s (%s): one upload has one feed", who, g.Name, g.From.Pos)
			}
		}
	}
}

// customers lists the customers a feed is for; nil: all.
func (f *Feed) customers() []string {
	list := []string{}
	for _, g := range f.From.globs {
		first, _, _ := strings.Cut(g.text, "/")
		switch {
		case first == "{customer}":
			return f.For
		case f.For == nil || slices.Contains(f.For, first):
			list = append(list, first)
		}
	}
	return list
}

// common reports whether two lists of customers have one in common, and says which.
func common(a, b []string) (who string, some bool) {
	if a == nil || b == nil {
		return "", true
	}
	for _, c := range a {
		if slices.Contains(b, c) {
			return " for customer " + c, true
		}
	}
	return "", false
}

// overlaps reports whether some name matches both globs. It walks both side by side as automata; `/` is the only character
// that wildcards treat differently, so three classes of characters are enough.
func (g *glob) overlaps(other *glob) bool {
	a, b := g.automaton(), other.automaton()
	type pair struct{ i, j int }
	seen := map[pair]bool{}
	todo := []pair{{0, 0}}
	for len(todo) > 0 {
		at := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if seen[at] {
			continue
		}
		seen[at] = true
		if at.i == len(a)-1 && at.j == len(b)-1 {
			return true
		}
		for _, i := range a[at.i].skip {
			todo = append(todo, pair{i, at.j})
		}
		for _, j := range b[at.j].skip {
			todo = append(todo, pair{at.i, j})
		}
		for _, e := range a[at.i].edges {
			for _, f := range b[at.j].edges {
				if e.meets(f) {
					todo = append(todo, pair{e.to, f.to})
				}
			}
		}
	}
	return false
}

// state is one state of a pattern's automaton; the last is the accepting one.
type state struct {
	skip  []int // states reached without a character
	edges []edge
}

// edge takes one character: a literal, any but "/", or any.
type edge struct {
	char string // literal; empty: any
	name bool   // any but "/"
	to   int
}

func (e edge) meets(f edge) bool {
	switch {
	case e.char != "" && f.char != "":
		return e.char == f.char
	case e.char != "":
		return !f.name || e.char != "/"
	case f.char != "":
		return !e.name || f.char != "/"
	}
	return true
}

func (g *glob) automaton() []state {
	out := make([]state, 1, len(g.parts)+1)
	for _, t := range g.parts {
		at := len(out) - 1
		to := at + 1
		switch t.kind {
		case literal:
			out[at].edges = append(out[at].edges, edge{char: t.text, to: to})
		case star:
			out[at].edges = append(out[at].edges, edge{name: true, to: at})
			out[at].skip = append(out[at].skip, to)
		case deep:
			out[at].edges = append(out[at].edges, edge{to: at})
			out[at].skip = append(out[at].skip, to)
		case folders: // nothing, or anything that ends with "/"
			out[at].skip = append(out[at].skip, to+1, to)
			out = append(out, state{edges: []edge{{to: to}, {char: "/", to: to + 1}}})
		case capture:
			out[at].edges = append(out[at].edges, edge{name: true, to: at}, edge{name: true, to: to})
		}
		out = append(out, state{})
	}
	return out
}
