package query

import (
	"fmt"
	"strconv"
	"strings"
)

type tokenKind uint8

const (
	tokEnd tokenKind = iota
	tokName
	tokText
	tokNumber
	tokOp // operators, and the words in, not, and, or
)

type token struct {
	kind tokenKind
	text string
}

// String names a token in a fault. The text of a literal is metadata, never a patient's value.
func (t token) String() string {
	if t.kind == tokEnd {
		return "the end"
	}
	return strconv.Quote(t.text)
}

const operators = "== != <= >= && || < > ! ( ) [ ] ,"

// lex splits an expression; the last token is the end.
func lex(s string) ([]token, error) {
	var out []token
next:
	for s = strings.TrimLeft(s, " \t\r\n"); s != ""; s = strings.TrimLeft(s, " \t\r\n") {
		switch c := s[0]; {
		case c == '"' || c == '\'' || c == '`':
			text, rest, err := lexText(s)
			if err != nil {
				return nil, err
			}
			out = append(out, token{tokText, text})
			s = rest
		case c >= '0' && c <= '9' || c == '-':
			n := span(s[1:], func(c byte) bool { return c >= '0' && c <= '9' || c == '.' }) + 1
			if _, err := strconv.ParseFloat(s[:n], 64); err != nil || s[n-1] == '.' {
				return nil, fmt.Errorf("%q is not a number", s[:n])
			}
			out = append(out, token{tokNumber, s[:n]})
			s = s[n:]
		case letter(c):
			n := span(s, func(c byte) bool { return letter(c) || c >= '0' && c <= '9' })
			t := token{tokName, s[:n]}
			if t.text == "in" || t.text == "not" || t.text == "and" || t.text == "or" {
				t.kind = tokOp
			}
			out = append(out, t)
			s = s[n:]
		default:
			for op := range strings.FieldsSeq(operators) {
				if strings.HasPrefix(s, op) {
					out = append(out, token{tokOp, op})
					s = s[len(op):]
					continue next
				}
			}
			return nil, fmt.Errorf("%q is not supported here", s[:1])
		}
	}
	return append(out, token{}, token{}), nil // two ends, so that one more may be looked at
}

func letter(c byte) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_' }

func span(s string, in func(byte) bool) int {
	n := 0
	for n < len(s) && in(s[n]) {
		n++
	}
	return n
}

// lexText reads a quoted text at the start of s: "…" and '…' with backslash escapes, `…` as it stands.
func lexText(s string) (text, rest string, err error) {
	q := s[0]
	for i := 1; i < len(s); i++ {
		switch {
		case s[i] == '\\' && q != '`':
			i++
		case s[i] == q:
			if q == '`' {
				return s[1:i], s[i+1:], nil
			}
			body := s[1:i]
			if q == '\'' {
				body = strings.ReplaceAll(strings.ReplaceAll(body, `\'`, `'`), `"`, `\"`)
			}
			text, err := strconv.Unquote(`"` + body + `"`)
			if err != nil {
				return "", "", fmt.Errorf("a text has a wrong escape")
			}
			return text, s[i+1:], nil
		}
	}
	return "", "", fmt.Errorf("a text does not end")
}
