package xml

import (
	"bytes"
	"unicode/utf8"
)

// What a piece of text holds beside ordinary characters.
const (
	hasCarriage = 1 << iota
	hasEntity
)

// appendLines appends text with its line ends as LF.
func appendLines(dst, s []byte) []byte {
	for {
		k := bytes.IndexByte(s, '\r')
		if k < 0 {
			return append(dst, s...)
		}
		dst = append(append(dst, s[:k]...), '\n')
		s = s[k+1:]
		if len(s) > 0 && s[0] == '\n' {
			s = s[1:]
		}
	}
}

// unescape appends text with its entities resolved and its line ends as LF; in an attribute white space becomes spaces.
// bad is the index of what is no entity, -1 if all is well.
func unescape(dst, s []byte, attribute bool) (to []byte, bad int) {
	for i := 0; i < len(s); i++ {
		c := s[i]
		if from := i; textByte[c] == plain { // a run of ordinary characters
			for i < len(s) && textByte[s[i]] == plain {
				i++
			}
			dst = append(dst, s[from:i]...)
			i--
			continue
		}
		switch {
		case c == '&':
			r, w := entity(s[i:])
			if w == 0 {
				return dst, i
			}
			dst = utf8.AppendRune(dst, r)
			i += w - 1
			continue
		case c == '\r':
			if i+1 < len(s) && s[i+1] == '\n' {
				continue
			}
			c = '\n'
		}
		if attribute && (c == '\n' || c == '\t') {
			c = ' '
		}
		dst = append(dst, c)
	}
	return dst, -1
}

// entity reads the character or predefined entity at the start of s. w is its length, 0 if there is none.
func entity(s []byte) (r rune, w int) {
	e := bytes.IndexByte(s[:min(len(s), 32)], ';')
	if e < 0 {
		return 0, 0
	}
	switch ent := s[1:e]; string(ent) {
	case "amp":
		return '&', e + 1
	case "lt":
		return '<', e + 1
	case "gt":
		return '>', e + 1
	case "quot":
		return '"', e + 1
	case "apos":
		return '\'', e + 1
	default:
		if r, ok := reference(ent); ok {
			return r, e + 1
		}
	}
	return 0, 0
}

// reference reads #123 or #x7b.
func reference(s []byte) (r rune, ok bool) {
	if len(s) < 2 || s[0] != '#' {
		return 0, false
	}
	s = s[1:]
	base := rune(10)
	if s[0] == 'x' {
		s, base = s[1:], 16
	}
	if len(s) == 0 {
		return 0, false
	}
	for _, c := range s {
		v := rune(99)
		switch {
		case c >= '0' && c <= '9':
			v = rune(c - '0')
		case c >= 'a' && c <= 'f':
			v = rune(c-'a') + 10
		case c >= 'A' && c <= 'F':
			v = rune(c-'A') + 10
		}
		if v >= base {
			return 0, false
		}
		if r = r*base + v; r > utf8.MaxRune {
			return 0, false
		}
	}
	control := r < 0x20 && r != '\t' && r != '\n' && r != '\r'
	return r, !control && utf8.ValidRune(r) && r != 0xFFFE && r != 0xFFFF
}
