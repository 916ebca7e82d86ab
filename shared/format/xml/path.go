package xml

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"medlake/shared/lake"
)

// Path is a parsed path expression: one term, or several of which the first with a value counts.
//
//	expression = term { "|" term }
//	term       = location | "count(" location ")" | "join(" location "," literal ")"
//	location   = [ "/" | "//" | "./" | ".//" | { "../" } ] step { ( "/" | "//" ) step } [ "/" ( "@" name | "text()" ) ] | "." | "@" name
//	step       = ( name | "*" ) { "[" predicate "]" }
//	predicate  = position | test | "not(" test ")"
//	test       = location [ ( "=" | "!=" ) ( literal | number | "{" list "}" ) ]
type Path struct {
	terms []term
}

type function uint8

const (
	first function = iota // the first value that is not empty
	count                 // how many there are
	join                  // all values that are not empty, with a separator
)

type term struct {
	fn  function
	sep string
	location
}

// location says where values stand: from the document (absolute) or from a context element, up levels above it.
type location struct {
	absolute bool
	up       int
	steps    []step
	attr     *name // nil: the text of the element
}

type name struct {
	prefix, local string // local "*": any
}

type step struct {
	deep  bool // any level below, not only the next
	name  name
	preds []predicate
}

// predicate is a position, or a test of what stands in the element. A test without values is for existence.
type predicate struct {
	position int
	not      bool // the whole test is turned round
	differs  bool // != instead of =
	values   []string
	list     string
	at       location
}

// ParsePath reads a path expression. The error's message is for the author of the metadata.
func ParsePath(s string) (*Path, error) {
	p := parser{src: s, rest: s}
	path, err := p.path()
	if err != nil {
		return nil, fmt.Errorf("path %q: %w", s, err)
	}
	return path, nil
}

type parser struct {
	src, rest string
}

func (p *parser) fault(format string, a ...any) error {
	return fmt.Errorf("%s at character %d: %w", fmt.Sprintf(format, a...), 1+utf8.RuneCountInString(p.src[:len(p.src)-len(p.rest)]), lake.ErrInvalid)
}

func (p *parser) space() { p.rest = strings.TrimLeft(p.rest, " \t\r\n") }

// take consumes tok, and space before it.
func (p *parser) take(tok string) bool {
	p.space()
	if !strings.HasPrefix(p.rest, tok) {
		return false
	}
	p.rest = p.rest[len(tok):]
	return true
}

func (p *parser) path() (*Path, error) {
	path := &Path{}
	for {
		t, err := p.term()
		if err != nil {
			return nil, err
		}
		path.terms = append(path.terms, t)
		if p.take("|") {
			continue
		}
		if p.space(); p.rest != "" {
			return nil, p.fault("%q does not belong here", p.rest)
		}
		return path, nil
	}
}

func (p *parser) term() (t term, err error) {
	switch {
	case p.take("count("):
		t.fn = count
	case p.take("join("):
		t.fn = join
	}
	if t.location, err = p.location(); err != nil || t.fn == first {
		return t, err
	}
	if t.fn == join {
		if !p.take(",") {
			return t, p.fault("join needs a comma and the separator in quotes")
		}
		if t.sep, err = p.literal(); err != nil {
			return t, err
		}
	}
	if !p.take(")") {
		return t, p.fault("a closing parenthesis is missing")
	}
	return t, nil
}

func (p *parser) location() (l location, err error) {
	deep := false
	switch {
	case p.take("//"):
		l.absolute, deep = true, true
	case p.take("/"):
		l.absolute = true
	case p.take(".//"):
		deep = true
	case p.take("./"):
	case p.take("../"):
		for l.up = 1; p.take("../"); l.up++ {
		}
		if p.take("/") { // ..//x
			deep = true
		}
	case p.take(".."):
		l.up = 1
		return l, nil
	case p.take("."):
		return l, nil
	}
	for {
		switch {
		case !deep && p.take("@"):
			n, err := p.name()
			l.attr = &n
			return l, err
		case !deep && p.take("text()"):
			return l, nil
		case p.take(".."):
			return l, p.fault("`..` may stand at the start of a path only")
		}
		s := step{deep: deep}
		if s.name, err = p.name(); err != nil {
			return l, err
		}
		for p.take("[") {
			pr, err := p.predicate()
			if err != nil {
				return l, err
			}
			s.preds = append(s.preds, pr)
		}
		l.steps = append(l.steps, s)
		switch {
		case p.take("//"):
			deep = true
		case p.take("/"):
			deep = false
		default:
			return l, nil
		}
	}
}

func (p *parser) name() (n name, err error) {
	if p.take("*") {
		return name{local: "*"}, nil
	}
	p.space()
	i := 0
	for i < len(p.rest) && nameByte[p.rest[i]]&inName != 0 {
		i++
	}
	full := p.rest[:i]
	prefix, local, found := strings.Cut(full, ":")
	if !found {
		prefix, local = "", full
	}
	if local == "" || found && prefix == "" || strings.Contains(local, ":") || nameByte[full[0]]&startsName == 0 {
		return n, p.fault("a name is expected")
	}
	p.rest = p.rest[i:]
	return name{prefix, local}, nil
}

func (p *parser) predicate() (pr predicate, err error) {
	p.space()
	if digits := leadingDigits(p.rest); digits != "" {
		pr.position, err = strconv.Atoi(digits)
		if err != nil || pr.position < 1 {
			return pr, p.fault("a position is a number from 1")
		}
		p.rest = p.rest[len(digits):]
	} else {
		pr.not = p.take("not(")
		if pr.at, err = p.location(); err != nil {
			return pr, err
		}
		if pr.at.absolute || pr.at.up > 0 {
			return pr, p.fault("a predicate looks at the element itself and below")
		}
		if pr.differs = p.take("!="); pr.differs || p.take("=") {
			if err := p.values(&pr); err != nil {
				return pr, err
			}
		}
		if pr.not && !p.take(")") {
			return pr, p.fault("a closing parenthesis is missing")
		}
	}
	if !p.take("]") {
		return pr, p.fault("a closing bracket is missing")
	}
	return pr, nil
}

func leadingDigits(s string) string { return s[:len(s)-len(strings.TrimLeft(s, "0123456789"))] }

func (p *parser) values(pr *predicate) error {
	p.space()
	if p.take("{") {
		i := strings.IndexByte(p.rest, '}')
		if i < 0 {
			return p.fault("a closing brace is missing")
		}
		pr.list, p.rest = strings.TrimSpace(p.rest[:i]), p.rest[i+1:]
		return nil
	}
	if digits := leadingDigits(p.rest); digits != "" {
		pr.values, p.rest = []string{digits}, p.rest[len(digits):]
		return nil
	}
	v, err := p.literal()
	pr.values = []string{v}
	return err
}

func (p *parser) literal() (string, error) {
	p.space()
	if p.rest == "" || p.rest[0] != '"' && p.rest[0] != '\'' {
		return "", p.fault("a value in quotes is expected")
	}
	v, rest, ok := strings.Cut(p.rest[1:], p.rest[:1])
	if !ok {
		return "", p.fault("a closing quote is missing")
	}
	p.rest = rest
	return v, nil
}
