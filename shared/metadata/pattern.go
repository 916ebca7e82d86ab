package metadata

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// Pattern matches names: `from` patterns match <customer>/<path>/<name> of an upload, `entry` patterns match the name of
// an archive's member. Words: {name} takes one or more characters of one folder or file name and captures them, * any
// number within one name, ** any number across folders, and a folder called ** stands for any number of folders,
// also none. Letter case is ignored. A pattern is immutable and safe for concurrent use.
type Pattern struct {
	Pos
	text     string
	captures []string
	parts    []part
	names    []string       // the pattern cut at "/", if neither ** nor captures are in it
	re       *regexp.Regexp // otherwise
	base     bool           // an entry pattern without a folder matches in every folder
}

type kind uint8

const (
	literal kind = iota // one character
	star                // *
	deep                // **
	folders             // **/ at the start of a folder
	capture             // {name}
)

type part struct {
	kind kind
	text string // literal: the character in lower case; capture: its name
}

// ParseEntry reads a pattern over the names of members. Without a slash it is matched against the last part of the name.
func ParseEntry(text string) (*Pattern, error) {
	p, err := ParsePattern(text)
	if err == nil {
		p.base = !strings.Contains(text, "/")
	}
	return p, err
}

// ParsePattern reads a pattern over whole names.
func ParsePattern(text string) (*Pattern, error) {
	p := &Pattern{text: text}
	if err := p.parse(); err != nil {
		return nil, err
	}
	if p.plain() {
		p.names = strings.Split(strings.ToLower(text), "/")
		return p, nil
	}
	var b strings.Builder
	b.WriteString("(?is)^")
	for _, t := range p.parts {
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
		return nil, fmt.Errorf("the pattern is too long: %w", err)
	}
	p.re = re
	return p, nil
}

func (p *Pattern) parse() error {
	s := p.text
	switch {
	case s == "":
		return errors.New("the pattern is empty")
	case strings.HasPrefix(s, "/"):
		return errors.New("the pattern starts with a slash: names do not")
	case strings.Contains(s, "//"):
		return errors.New("the pattern has an empty folder name")
	}
	for i := 0; i < len(s); {
		rest := s[i:]
		atStart := i == 0 || s[i-1] == '/'
		switch {
		case strings.HasPrefix(rest, "***"):
			return errors.New("write * (within one name) or ** (across folders)")
		case atStart && strings.HasPrefix(rest, "**/"):
			p.parts = append(p.parts, part{kind: folders})
			i += 3
		case strings.HasPrefix(rest, "**"):
			p.parts = append(p.parts, part{kind: deep})
			i += 2
		case rest[0] == '*':
			p.parts = append(p.parts, part{kind: star})
			i++
		case rest[0] == '{':
			end := strings.IndexByte(rest, '}')
			if end < 0 {
				return errors.New("a { has no }")
			}
			name := rest[1:end]
			if !isIdentifier(name) {
				return fmt.Errorf("capture {%s} is not a name of letters, digits and _", name)
			}
			if slices.Contains(p.captures, name) {
				return fmt.Errorf("capture {%s} stands twice", name)
			}
			p.captures = append(p.captures, name)
			p.parts = append(p.parts, part{capture, name})
			i += end + 1
		case rest[0] == '}':
			return errors.New("a } has no {")
		default:
			r, n := utf8.DecodeRuneInString(rest)
			if r == utf8.RuneError {
				return errors.New("the pattern is not UTF-8")
			}
			p.parts = append(p.parts, part{literal, strings.ToLower(string(r))})
			i += n
		}
	}
	return nil
}

func (p *Pattern) plain() bool {
	return !slices.ContainsFunc(p.parts, func(t part) bool { return t.kind == deep || t.kind == folders || t.kind == capture })
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
	if p.base {
		name = name[strings.LastIndexAny(name, `/\`)+1:]
	}
	if p.re == nil {
		return nil, matchFolders(p.names, strings.ToLower(name))
	}
	m := p.re.FindStringSubmatch(name)
	if m == nil {
		return nil, false
	}
	captures = make(map[string]string, len(p.captures))
	for i, c := range p.captures {
		captures[c] = m[i+1]
	}
	return captures, true
}

// Expand replaces each {name} of text by its capture.
func Expand(text string, captures map[string]string) string {
	for _, k := range slices.Sorted(maps.Keys(captures)) {
		text = strings.ReplaceAll(text, "{"+k+"}", captures[k])
	}
	return text
}

// matchFolders matches a name folder by folder against patterns of literals and *.
func matchFolders(names []string, name string) bool {
	for i, want := range names {
		got, rest, more := strings.Cut(name, "/")
		if more != (i < len(names)-1) || !matchName(want, got) {
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
	for p < len(pattern) && pattern[p] == '*' {
		p++
	}
	return p == len(pattern)
}
