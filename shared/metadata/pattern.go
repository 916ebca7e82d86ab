package metadata

import (
	"errors"
	"maps"
	"slices"
	"strings"
)

// Pattern matches names: `from` patterns match <customer>/<path>/<name> of an upload, `entry` patterns match the name of
// an archive's member. {name} takes one or more characters of one folder or file name and captures them, * stands for any
// number within one name, ** for any number across folders, and a folder called ** for any number of folders, also none.
// a|b matches what either matches. Letter case is ignored. A pattern is immutable and safe for concurrent use.
type Pattern struct {
	Pos
	text     string
	globs    []*glob
	captures []string
}

// ParsePattern reads a pattern over whole names.
func ParsePattern(text string) (*Pattern, error) {
	p := &Pattern{text: text}
	for i, t := range strings.Split(text, "|") {
		g, err := parseGlob(strings.TrimSpace(t))
		if err != nil {
			return nil, err
		}
		if i == 0 {
			p.captures = g.captures
		} else if !slices.Equal(slices.Sorted(slices.Values(g.captures)), slices.Sorted(slices.Values(p.captures))) {
			return nil, errors.New("both sides of | must capture the same names")
		}
		p.globs = append(p.globs, g)
	}
	return p, nil
}

// ParseEntry reads a pattern over the names of members. Without a slash it is matched against the last part of the name.
func ParseEntry(text string) (*Pattern, error) {
	p, err := ParsePattern(text)
	if err != nil {
		return nil, err
	}
	for _, g := range p.globs {
		g.base = !strings.Contains(g.text, "/")
	}
	return p, nil
}

// String returns the pattern as written; empty for nil.
func (p *Pattern) String() string {
	if p == nil {
		return ""
	}
	return p.text
}

// Captures returns the names between braces, in the order of the pattern.
func (p *Pattern) Captures() []string {
	if p == nil {
		return nil
	}
	return slices.Clone(p.captures)
}

// Match reports whether the pattern matches the whole name, and what its captures took. A nil pattern matches
// everything.
func (p *Pattern) Match(name string) (captures map[string]string, ok bool) {
	if p == nil {
		return nil, true
	}
	for _, g := range p.globs {
		if captures, ok := g.match(name); ok {
			return captures, true
		}
	}
	return nil, false
}

// Overlaps reports whether some name matches both patterns.
func (p *Pattern) Overlaps(q *Pattern) bool {
	return slices.ContainsFunc(p.globs, func(a *glob) bool { return slices.ContainsFunc(q.globs, a.overlaps) })
}

// Expand replaces each {name} of text by its capture.
func Expand(text string, captures map[string]string) string {
	var pairs []string
	for _, k := range slices.Sorted(maps.Keys(captures)) {
		pairs = append(pairs, "{"+k+"}", captures[k])
	}
	return strings.NewReplacer(pairs...).Replace(text)
}
