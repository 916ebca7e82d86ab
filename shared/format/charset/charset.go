// Package charset turns text of the encodings we accept into UTF-8. It never replaces bytes it cannot read: such text is
// undecodable. It does not guess: a byte order mark decides, else the declared name.
package charset

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"

	"medlake/shared/lake"
)

// ErrUndecodable says that bytes are not text of their encoding.
var ErrUndecodable = errors.New("undecodable text")

// Charset is one encoding. The zero value is UTF-8.
type Charset struct {
	order binary.ByteOrder // UTF-16 only
	table *[256]rune       // one-byte encodings only; -1 where a byte means nothing
}

var oneByte = map[string]*charmap.Charmap{
	"windows-1250": charmap.Windows1250,
	"windows-1251": charmap.Windows1251,
	"windows-1252": charmap.Windows1252,
	"iso-8859-1":   charmap.ISO8859_1,
	"iso-8859-2":   charmap.ISO8859_2,
	"iso-8859-15":  charmap.ISO8859_15,
	"ibm437":       charmap.CodePage437,
	"ibm850":       charmap.CodePage850,
}

var aliases = map[string]string{
	"utf8": "utf-8", "utf16": "utf-16", "ascii": "us-ascii", "ansi": "windows-1252",
	"cp1250": "windows-1250", "cp1251": "windows-1251", "cp1252": "windows-1252",
	"latin1": "iso-8859-1", "latin-1": "iso-8859-1", "iso8859-1": "iso-8859-1", "iso_8859-1": "iso-8859-1",
	"latin9": "iso-8859-15", "cp437": "ibm437", "cp850": "ibm850",
}

// Lookup finds an encoding by its name, in any letter case. The empty name is UTF-8. UTF-16 without "le" or "be" needs a
// byte order mark, and is little-endian without one.
func Lookup(name string) (Charset, error) {
	n := strings.ToLower(strings.TrimSpace(name))
	if a, ok := aliases[n]; ok {
		n = a
	}
	switch n {
	case "", "utf-8":
		return Charset{}, nil
	case "utf-16", "utf-16le":
		return Charset{order: binary.LittleEndian}, nil
	case "utf-16be":
		return Charset{order: binary.BigEndian}, nil
	case "us-ascii":
		t := new([256]rune)
		for i := range t {
			t[i] = -1
			if i < utf8.RuneSelf {
				t[i] = rune(i)
			}
		}
		return Charset{table: t}, nil
	}
	m, ok := oneByte[n]
	if !ok {
		return Charset{}, fmt.Errorf("encoding %q is not one of %s: %w", name, strings.Join(Names(), ", "), lake.ErrInvalid)
	}
	t := new([256]rune)
	for i := range t {
		t[i] = m.DecodeByte(byte(i))
		if t[i] == utf8.RuneError {
			t[i] = -1
		}
	}
	return Charset{table: t}, nil
}

// Names lists the encodings in alphabetical order, without their aliases.
func Names() []string {
	names := []string{"us-ascii", "utf-8", "utf-16", "utf-16be", "utf-16le"}
	for n := range oneByte {
		names = append(names, n)
	}
	slices.Sort(names)
	return names
}

// UTF8 reports whether text of this encoding needs no conversion.
func (c Charset) UTF8() bool { return c.order == nil && c.table == nil }

// UTF16 reports whether the encoding has two bytes a unit.
func (c Charset) UTF16() bool { return c.order != nil }

// BOM reads the byte order mark at the start of b. It returns the encoding the mark says and the mark's length, 0 if there
// is none.
func BOM(b []byte) (Charset, int) {
	switch {
	case len(b) >= 3 && b[0] == 0xEF && b[1] == 0xBB && b[2] == 0xBF:
		return Charset{}, 3
	case len(b) >= 2 && b[0] == 0xFF && b[1] == 0xFE:
		return Charset{order: binary.LittleEndian}, 2
	case len(b) >= 2 && b[0] == 0xFE && b[1] == 0xFF:
		return Charset{order: binary.BigEndian}, 2
	}
	return Charset{}, 0
}

// Append decodes src to the end of dst. It returns how many bytes of src it took: all of them, unless src ends inside a
// character and final is false. On ErrUndecodable dst holds what came before the fault.
func (c Charset) Append(dst, src []byte, final bool) ([]byte, int, error) {
	switch {
	case c.order != nil:
		return c.appendUTF16(dst, src, final)
	case c.table != nil:
		for i, b := range src {
			r := c.table[b]
			if r < 0 {
				return dst, i, ErrUndecodable
			}
			if r < utf8.RuneSelf {
				dst = append(dst, byte(r))
			} else {
				dst = utf8.AppendRune(dst, r)
			}
		}
		return dst, len(src), nil
	}
	n, bad := Valid(src)
	dst = append(dst, src[:n]...)
	if bad || final && n < len(src) {
		return dst, n, ErrUndecodable
	}
	return dst, n, nil
}

func (c Charset) appendUTF16(dst, src []byte, final bool) ([]byte, int, error) {
	i := 0
	for ; i+2 <= len(src); i += 2 {
		r := rune(c.order.Uint16(src[i:]))
		if utf16.IsSurrogate(r) {
			if i+4 > len(src) && !final {
				return dst, i, nil
			}
			if i+4 > len(src) {
				return dst, i, ErrUndecodable
			}
			if r = utf16.DecodeRune(r, rune(c.order.Uint16(src[i+2:]))); r == utf8.RuneError {
				return dst, i, ErrUndecodable
			}
			i += 2
		}
		dst = utf8.AppendRune(dst, r)
	}
	if final && i < len(src) {
		return dst, i, ErrUndecodable
	}
	return dst, i, nil
}

// Valid returns the length of the longest prefix of b that is whole UTF-8 characters. bad reports that what follows can
// never become one; else b ends inside a character, or n is len(b).
func Valid(b []byte) (n int, bad bool) {
	n = len(b)
	for k := 1; k < utf8.UTFMax && k <= len(b); k++ { // leave a cut last character out
		if t := b[len(b)-k:]; utf8.RuneStart(t[0]) {
			if !utf8.FullRune(t) {
				n -= k
			}
			break
		}
	}
	if utf8.Valid(b[:n]) {
		return n, false
	}
	for i := 0; i < n; {
		r, w := utf8.DecodeRune(b[i:n])
		if r == utf8.RuneError && w <= 1 {
			return i, true
		}
		i += w
	}
	return n, false
}
