package metadata

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// glob is one alternative of a pattern.
type glob struct {
	text     string
	captures []string
	parts    []part
	names    []string       // the glob cut at "/" in lower case, if neither ** nor captures are in it
	re       *regexp.Regexp // otherwise
	base     bool           // matches the last part of the name only
}

// part is a literal character or a wildcard.
type part struct {
	kind kind
	text string // literal: the character in lower case; capture: its name
}

type kind uint8

const (
	literal kind = iota
	star         // *
	deep         // **
	folders      // **/ at the start of a folder
	capture      // {name}
)

func parseGlob(text string) (*glob, error) {
	g := &glob{text: text}
	if err := g.parse(); err != nil {
		return nil, err
	}
	if !slices.ContainsFunc(g.parts, func(t part) bool { return t.kind > star }) {
		g.names = strings.Split(strings.ToLower(text), "/")
		return g, nil
	}
	var b strings.Builder
	b.WriteString("(?is)^")
	for _, t := range g.parts {
		switch t.kind {
		case literal:
			b.WriteString(regexp.QuoteMeta(t.text))
		case star:
			b.WriteString("[^/]*")
		case deep:
			b.WriteString(".*")
		case folders:
			b.WriteString("(?:.*/)?")
		case capture:
			b.WriteString("([^/]+)")
		}
	}
	re, err := regexp.Compile(b.String() + "$")
	if err != nil {
		return nil, errors.New("the pattern is too long")
	}
	g.re = re
	return g, nil
}

func (g *glob) parse() error {
	s := g.text
	switch {
	case s == "":
		return errors.New("the pattern is empty")
	case len(s) > 1024:
		return errors.New("the pattern is too long")
	case strings.HasPrefix(s, "/"):
		return errors.New("the pattern starts with a slash: names do not")
	case strings.Contains(s, "//"):
		return errors.New("the pattern has an empty folder name")
	}
	for i := 0; i < len(s); {
		n, err := g.next(s[i:], i == 0 || s[i-1] == '/')
		if err != nil {
			return err
		}
		i += n
	}
	return nil
}

// next reads one part from the start of s and returns its length.
func (g *glob) next(s string, folder bool) (int, error) {
	switch {
	case strings.HasPrefix(s, "***"):
		return 0, errors.New("write * (within one name) or ** (across folders)")
	case folder && strings.HasPrefix(s, "**/"):
		g.parts = append(g.parts, part{kind: folders})
		return 3, nil
	case strings.HasPrefix(s, "**"):
		g.parts = append(g.parts, part{kind: deep})
		return 2, nil
	case s[0] == '*':
		g.parts = append(g.parts, part{kind: star})
		return 1, nil
	case s[0] == '{':
		return g.capture(s)
	case s[0] == '}':
		return 0, errors.New("a } has no {")
	}
	r, n := utf8.DecodeRuneInString(s)
	if r == utf8.RuneError {
		return 0, errors.New("the pattern is not UTF-8")
	}
	g.parts = append(g.parts, part{literal, strings.ToLower(s[:n])})
	return n, nil
}

func (g *glob) capture(s string) (int, error) {
	name, _, ok := strings.Cut(s[1:], "}")
	switch {
	case !ok:
		return 0, errors.New("a { has no }")
	case !isIdentifier(name):
		return 0, fmt.Errorf("capture {%s} is not a name of letters, digits and _", name)
	case slices.Contains(g.captures, name):
		return 0, fmt.Errorf("capture {%s} stands twice", name)
	}
	g.captures = append(g.captures, name)
	g.parts = append(g.parts, part{capture, name})
	return len(name) + 2, nil
}

func (g *glob) match(name string) (captures map[string]string, ok bool) {
	if g.base {
		name = name[strings.LastIndexAny(name, `/\`)+1:]
	}
	if g.re == nil {
		return nil, matchFolders(g.names, strings.ToLower(name))
	}
	m := g.re.FindStringSubmatch(name)
	if m == nil {
		return nil, false
	}
	captures = make(map[string]string, len(g.captures))
	for i, c := range g.captures {
		captures[c] = m[i+1]
	}
	return captures, true
}

// matchFolders matches a name folder by folder against patterns of literals and *.
func matchFolders(patterns []string, name string) bool {
	for i, p := range patterns {
		got, rest, more := strings.Cut(name, "/")
		if more != (i < len(patterns)-1) || !matchName(p, got) {
			return false
		}
		name = rest
	}
	return true
}

// matchName matches one folder or file name; on a mismatch only the last * needs to take more.
func matchName(pattern, name string) bool {
	p, n := 0, 0
	backP, backN := -1, 0
	for n < len(name) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			backP, backN = p, n
			p++
		case p < len(pattern) && pattern[p] == name[n]:
			p++
			n++
		case backP >= 0:
			backN++
			p, n = backP+1, backN
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}
