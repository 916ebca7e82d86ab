package durable

import "strings"

const hexDigits = "0123456789ABCDEF"

// Escape spells a key as a path below the root. Letters, digits and ordinary punctuation stay as they are; a percent
// sign, control characters, and what a file system would take for something else (an empty name, "." and "..", a
// trailing slash, the hidden folder) become %XX.
func Escape(key string) string {
	var b strings.Builder
	for i := range len(key) {
		c := key[i]
		start := i == 0 || key[i-1] == '/'
		switch {
		case c < 0x20, c == 0x7f, c == '%', c == '/' && (start || i == len(key)-1):
		case c == '.' && start && dots(key[i:], i == 0):
		default:
			b.WriteByte(c)
			continue
		}
		b.WriteByte('%')
		b.WriteByte(hexDigits[c>>4])
		b.WriteByte(hexDigits[c&15])
	}
	return b.String()
}

// dots reports whether the name that s begins with must not stand as it is.
func dots(s string, top bool) bool {
	name, _, _ := strings.Cut(s, "/")
	return name == "." || name == ".." || top && name == hidden
}

// Unescape reads what Escape wrote. ok is false for a name that Escape never makes.
func Unescape(name string) (key string, ok bool) {
	if !strings.ContainsRune(name, '%') {
		return name, true
	}
	var b strings.Builder
	for i := 0; i < len(name); i++ {
		if name[i] != '%' {
			b.WriteByte(name[i])
			continue
		}
		if i+2 >= len(name) {
			return "", false
		}
		hi, lo := strings.IndexByte(hexDigits, name[i+1]), strings.IndexByte(hexDigits, name[i+2])
		if hi < 0 || lo < 0 {
			return "", false
		}
		b.WriteByte(byte(hi<<4 | lo))
		i += 2
	}
	return b.String(), true
}
