package xml

import (
	"bytes"

	"medlake/shared/format"
	"medlake/shared/lake"
)

// document walks over the document once.
func (d *Decoder) document() error {
	d.begin()
	data, n := d.data, len(d.data)
	if at := noncharacter(data); at >= 0 {
		return d.malformed(at)
	}
	root := false
	i, err := d.declaration()
	for err == nil {
		start, flags := i, 0
		for {
			for i < n && textByte[data[i]] <= space {
				i++
			}
			if i == n || data[i] == '<' {
				break
			}
			switch textByte[data[i]] {
			case carriage:
				flags |= hasCarriage
			case ampersand:
				flags |= hasEntity
			case bracket:
				if bytes.HasPrefix(data[i:], []byte("]]>")) {
					return d.malformed(i)
				}
			default:
				return d.malformed(i)
			}
			i++
		}
		if d.depth == 0 && len(trim(data[start:i])) > 0 {
			return d.malformed(i)
		}
		if i-start > format.MaxToken {
			return d.refuse(lake.TooLarge, i)
		}
		if i+1 >= n {
			if i < n || d.depth > 0 || !root {
				return d.malformed(n)
			}
			return d.finish()
		}
		switch data[i+1] {
		case '/':
			i, err = d.endTag(start, i, flags)
			continue
		case '!', '?':
			if err = d.addText(start, i, flags); err == nil {
				i, err = d.other(i)
			}
			continue
		}
		if d.depth == 0 {
			if root {
				return d.malformed(i)
			}
			root = true
		}
		if err = d.addText(start, i, flags); err == nil {
			i, err = d.startTag(i)
		}
	}
	return err
}

// nameEnd returns the index behind the name that begins at b[i]; i itself if none does.
func nameEnd(b []byte, i int) int {
	if i >= len(b) || nameByte[b[i]]&startsName == 0 {
		return i
	}
	for i < len(b) && nameByte[b[i]]&inName != 0 {
		i++
	}
	return i
}

// qualified is nameEnd for names that may have a prefix: colon is its length, 0 if there is none, and ok is false if there
// is no name or more than one colon.
func qualified(b []byte, i int) (end, colon int, ok bool) {
	if i >= len(b) || nameByte[b[i]]&startsName == 0 {
		return i, 0, false
	}
	for end = i; end < len(b) && nameByte[b[end]]&inName != 0; end++ {
		if b[end] == ':' {
			if ok {
				return end, 0, false
			}
			colon, ok = end-i, true
		}
	}
	if colon == end-i-1 {
		colon = 0
	}
	return end, colon, true
}

// startTag takes in the tag at data[i].
func (d *Decoder) startTag(i int) (int, error) {
	data, n := d.data, len(d.data)
	j, colon, ok := qualified(data, i+1)
	if !ok {
		return i, d.malformed(i)
	}
	name := data[i+1 : j]
	if d.depth >= format.MaxDepth {
		return i, d.refuse(lake.TooDeep, i)
	}
	d.attrs = d.attrs[:0]
	for {
		k := j
		for j < n && isSpace(data[j]) {
			j++
		}
		if j >= n {
			return i, d.malformed(i)
		}
		if data[j] == '>' {
			return j + 1, d.openTag(i, j, name, colon)
		}
		if data[j] == '/' {
			if j+1 >= n || data[j+1] != '>' {
				return i, d.malformed(i)
			}
			if err := d.openTag(i, j, name, colon); err != nil {
				return i, err
			}
			return j + 2, d.close(nil, false)
		}
		if k == j {
			return i, d.malformed(i)
		}
		var err error
		if j, err = d.attribute(j); err != nil {
			return i, err
		}
	}
}

// openTag opens the element whose tag is data[i:j].
func (d *Decoder) openTag(i, j int, name []byte, colon int) error {
	if j-i > format.MaxToken {
		return d.refuse(lake.TooLarge, i)
	}
	return d.open(i, name, colon)
}

// attribute takes in the attribute at data[j] and returns the index behind it.
func (d *Decoder) attribute(j int) (int, error) {
	data, n := d.data, len(d.data)
	a := attr{}
	k, _, ok := qualified(data, j)
	if !ok {
		return j, d.malformed(j)
	}
	a.name = data[j:k]
	for k < n && isSpace(data[k]) {
		k++
	}
	if k >= n || data[k] != '=' {
		return j, d.malformed(j)
	}
	for k++; k < n && isSpace(data[k]); k++ {
	}
	if k >= n || data[k] != '"' && data[k] != '\'' {
		return j, d.malformed(j)
	}
	quote, start := data[k], k+1
	for k++; k < n && data[k] != quote; k++ {
		switch textByte[data[k]] {
		case less, illegal:
			return j, d.malformed(k)
		case ampersand, carriage, space:
			a.raw = true
		}
	}
	if k >= n {
		return j, d.malformed(j)
	}
	a.value = data[start:k]
	if a.raw && bytes.IndexByte(a.value, '&') >= 0 {
		var bad int
		if d.scratch, bad = unescape(d.scratch[:0], a.value, true); bad >= 0 {
			return j, d.malformed(start + bad)
		}
	}
	d.attrs = append(d.attrs, a)
	return k + 1, nil
}

// endTag takes in the tag at data[i], and the text from start before it.
func (d *Decoder) endTag(start, i, flags int) (int, error) {
	data, f := d.data, &d.frames[d.depth]
	j := i + 2 + len(f.name)
	if d.depth == 0 || j >= len(data) || string(data[i+2:j]) != string(f.name) {
		return i, d.malformed(i)
	}
	for data[j] != '>' {
		if !isSpace(data[j]) {
			return i, d.malformed(i)
		}
		if j++; j >= len(data) {
			return i, d.malformed(i)
		}
	}
	if !f.state.wantsText() {
		if err := d.addText(start, i, flags); err != nil {
			return i, err
		}
		return j + 1, d.close(nil, false)
	}
	if f.pieces || len(d.text) > f.text || flags != 0 {
		if err := d.addText(start, i, flags); err != nil {
			return i, err
		}
		return j + 1, d.close(d.text[f.text:], false)
	}
	if d.wanted > 1 { // an outer element wants the text too
		d.text = append(d.text, data[start:i]...)
	}
	return j + 1, d.close(data[start:i], true)
}

// addText takes in text between tags.
func (d *Decoder) addText(start, end, flags int) error {
	if start == end {
		return nil
	}
	switch {
	case flags&hasEntity != 0:
		to := &d.scratch
		if d.wanted > 0 {
			to = &d.text
		} else {
			d.scratch = d.scratch[:0]
		}
		var bad int
		if *to, bad = unescape(*to, d.data[start:end], false); bad >= 0 {
			return d.malformed(start + bad)
		}
	case d.wanted > 0:
		d.text = appendLines(d.text, d.data[start:end])
	}
	if d.wanted > 0 && len(d.text) > format.MaxToken {
		return d.refuse(lake.TooLarge, end)
	}
	return nil
}
