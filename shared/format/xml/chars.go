package xml

import "bytes"

// Classes of bytes in names. Every byte of a character beyond ASCII counts as part of a name.
const (
	startsName = 1 << iota
	inName
)

var nameByte = func() (t [256]uint8) {
	for c := range t {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c == '_', c == ':', c >= 0x80:
			t[c] = startsName | inName
		case c >= '0' && c <= '9', c == '-', c == '.':
			t[c] = inName
		}
	}
	return t
}()

// Classes of bytes in text and attribute values. Zero needs no attention.
const (
	plain = iota
	space // tab and newline
	carriage
	ampersand
	less
	bracket // ]
	illegal // control characters
)

var textByte = func() (t [256]uint8) {
	for c := range 0x20 {
		t[c] = illegal
	}
	t['\t'], t['\n'], t['\r'] = space, space, carriage
	t['&'], t['<'], t[']'] = ampersand, less, bracket
	return t
}()

func isSpace(c byte) bool { return c == ' ' || c == '\n' || c == '\t' || c == '\r' }

// trim cuts white space off both ends.
func trim(b []byte) []byte {
	for len(b) > 0 && isSpace(b[0]) {
		b = b[1:]
	}
	for len(b) > 0 && isSpace(b[len(b)-1]) {
		b = b[:len(b)-1]
	}
	return b
}

// noncharacter returns the index of the first U+FFFE or U+FFFF, which XML forbids; -1 if there is none.
func noncharacter(b []byte) int {
	for i := 0; ; i += 2 {
		k := bytes.Index(b[i:], []byte("\xef\xbf"))
		if k < 0 {
			return -1
		}
		if i += k; i+2 < len(b) && b[i+2] >= 0xBE {
			return i
		}
	}
}

// legal reports whether b holds no control character that XML forbids.
func legal(b []byte) bool {
	for _, c := range b {
		if textByte[c] == illegal {
			return false
		}
	}
	return true
}
