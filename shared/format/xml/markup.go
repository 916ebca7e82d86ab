package xml

import (
	"bytes"

	"medlake/shared/format"
	"medlake/shared/lake"
)

// declaration passes over <?xml …?>.
func (d *Decoder) declaration() (int, error) {
	if !bytes.HasPrefix(d.data, []byte("<?xml")) || len(d.data) < 6 || nameByte[d.data[5]]&inName != 0 {
		return 0, nil
	}
	end := bytes.Index(d.data, []byte("?>"))
	if end < 0 || !isSpace(d.data[5]) || !legal(d.data[:end]) {
		return 0, d.malformed(0)
	}
	if _, v, ok := bytes.Cut(d.data[:end], []byte("version")); !ok || !versionOne(v) {
		return 0, d.malformed(0)
	}
	return end + 2, nil
}

// versionOne reports whether v begins with ="1.x".
func versionOne(v []byte) bool {
	v = bytes.TrimLeft(v, " \t\r\n")
	if len(v) == 0 || v[0] != '=' {
		return false
	}
	v = bytes.TrimLeft(v[1:], " \t\r\n")
	return bytes.HasPrefix(v, []byte(`"1.`)) || bytes.HasPrefix(v, []byte(`'1.`))
}

// other passes over a comment, a CDATA section or a processing instruction at data[i].
func (d *Decoder) other(i int) (int, error) {
	rest := d.data[i:]
	switch {
	case bytes.HasPrefix(rest, []byte("<!--")):
		e := bytes.Index(rest[4:], []byte("--"))
		if e < 0 || 4+e+2 >= len(rest) || rest[4+e+2] != '>' {
			return i, d.malformed(i)
		}
		return d.passed(i, rest[4:4+e], i+4+e+3)
	case bytes.HasPrefix(rest, []byte("<![CDATA[")):
		e := bytes.Index(rest[9:], []byte("]]>"))
		if e < 0 || d.depth == 0 {
			return i, d.malformed(i)
		}
		if d.wanted > 0 {
			d.text = appendLines(d.text, rest[9:9+e])
		}
		return d.passed(i, rest[9:9+e], i+9+e+3)
	case rest[1] == '?':
		j := nameEnd(rest, 2)
		e := bytes.Index(rest, []byte("?>"))
		if j == 2 || e < j || e > j && !isSpace(rest[j]) || bytes.EqualFold(rest[2:j], []byte("xml")) {
			return i, d.malformed(i)
		}
		return d.passed(i, rest[j:e], i+e+2)
	case bytes.HasPrefix(rest, []byte("<!DOCTYPE")):
		return i, d.refuse(lake.Doctype, i)
	}
	return i, d.malformed(i)
}

func (d *Decoder) passed(i int, content []byte, next int) (int, error) {
	if len(content) > format.MaxToken {
		return i, d.refuse(lake.TooLarge, i)
	}
	if !legal(content) {
		return i, d.malformed(i)
	}
	d.frames[d.depth].pieces = true
	return next, nil
}
