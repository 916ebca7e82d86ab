package transform

import (
	"bytes"
	"errors"
	"slices"
	"unicode"
	"unicode/utf8"

	"github.com/expr-lang/expr/ast"

	"medlake/shared/format"
)

// textOf spells a value that is no text.
func (f *frame) textOf(v value) []byte {
	if v.kind == text {
		return v.text
	}
	start := len(f.buf)
	f.buf = v.appendText(f.buf)
	return f.buf[start:len(f.buf):len(f.buf)]
}

// orNull makes empty text null: a value never is the empty text.
func orNull(b []byte) value {
	if len(b) == 0 {
		return value{}
	}
	return textOf(b)
}

func upper(f *frame, a []value) value { return f.mapped(a[0], 'a', 'z', unicode.ToUpper) }

func lowered(f *frame, a []value) value { return f.mapped(a[0], 'A', 'Z', unicode.ToLower) }

// mapped changes the letter case of text; ASCII letters from first to last change, others if to says so.
func (f *frame) mapped(v value, first, last byte, to func(rune) rune) value {
	b := f.textOf(v)
	start := len(f.buf)
	f.buf = append(f.buf, b...)
	out := f.buf[start:]
	for i, c := range out {
		if c >= utf8.RuneSelf {
			f.buf = f.buf[:start+i]
			for i < len(b) {
				r, n := utf8.DecodeRune(b[i:])
				f.buf = utf8.AppendRune(f.buf, to(r))
				i += n
			}
			break
		}
		if first <= c && c <= last {
			out[i] = c ^ 0x20
		}
	}
	return f.made(start)
}

func spelled(f *frame, a []value) value { return textOf(f.textOf(a[0])) }

func bindTrim(args []ast.Node) (apply, []ast.Node, error) {
	cut := " \t\r\n"
	if len(args) == 2 {
		var err error
		if cut, err = constantText(args[1]); err != nil {
			return nil, nil, err
		}
	}
	return func(f *frame, a []value) value { return orNull(bytes.Trim(f.textOf(a[0]), cut)) }, args[:1], nil
}

// bindConcat: nulls are left out; the result is null if all arguments but the constant ones are.
func bindConcat(args []ast.Node) (apply, []ast.Node, error) {
	fixed := make([]bool, len(args))
	for i, a := range args {
		_, fixed[i] = literal(a)
	}
	allFixed := !slices.Contains(fixed, false)
	return func(f *frame, a []value) value {
		some := allFixed
		start := len(f.buf)
		for i, v := range a {
			some = some || v.kind != null && !fixed[i]
			f.buf = v.appendText(f.buf)
		}
		if !some {
			return value{}
		}
		return orNull(f.made(start).text)
	}, args, nil
}

func after(f *frame, a []value) value {
	_, rest, ok := bytes.Cut(f.textOf(a[0]), f.textOf(a[1]))
	if !ok {
		return value{}
	}
	return orNull(rest)
}

func before(f *frame, a []value) value {
	start, _, ok := bytes.Cut(f.textOf(a[0]), f.textOf(a[1]))
	if !ok {
		return value{}
	}
	return orNull(start)
}

// bindPart: part(x, "^", 2) is the second part; -1 the last; null if there is none.
func bindPart(args []ast.Node) (apply, []ast.Node, error) {
	separator, err := separator(args[1])
	if err != nil {
		return nil, nil, err
	}
	n, err := constantInt(args[2], -1000, 1000)
	if err != nil || n == 0 {
		return nil, nil, errors.New("the third argument is the part's number: 1, 2, … or -1 for the last")
	}
	return func(f *frame, a []value) value { return orNull(partOf(f.textOf(a[0]), separator, n)) }, args[:1], nil
}

func partOf(b, separator []byte, n int) []byte {
	for ; n < -1; n++ {
		i := bytes.LastIndex(b, separator)
		if i < 0 {
			return nil
		}
		b = b[:i]
	}
	if n == -1 {
		if i := bytes.LastIndex(b, separator); i >= 0 {
			return b[i+len(separator):]
		}
		return b
	}
	for ; n > 1; n-- {
		_, rest, ok := bytes.Cut(b, separator)
		if !ok {
			return nil
		}
		b = rest
	}
	part, _, _ := bytes.Cut(b, separator)
	return part
}

// bindFirst: first(x, sep) is what stands before the first sep, or all; first(x) is the first element of a list.
func bindFirst(args []ast.Node) (apply, []ast.Node, error) { return bindEnd(args, 1) }

// bindLast: last(x, sep) is what stands after the last sep, or all.
func bindLast(args []ast.Node) (apply, []ast.Node, error) { return bindEnd(args, -1) }

func bindEnd(args []ast.Node, n int) (apply, []ast.Node, error) {
	if len(args) == 1 {
		return nil, args, nil
	}
	separator, err := separator(args[1])
	if err != nil {
		return nil, nil, err
	}
	return func(f *frame, a []value) value { return orNull(partOf(f.textOf(a[0]), separator, n)) }, args[:1], nil
}

func bindLeft(args []ast.Node) (apply, []ast.Node, error) {
	n, err := constantInt(args[1], 0, 1<<20)
	return func(f *frame, a []value) value {
		b := f.textOf(a[0])
		end := 0
		for i := 0; i < n && end < len(b); i++ {
			_, size := utf8.DecodeRune(b[end:])
			end += size
		}
		return orNull(b[:end])
	}, args[:1], err
}

func bindRight(args []ast.Node) (apply, []ast.Node, error) {
	n, err := constantInt(args[1], 0, 1<<20)
	return func(f *frame, a []value) value {
		b := f.textOf(a[0])
		start := len(b)
		for i := 0; i < n && start > 0; i++ {
			_, size := utf8.DecodeLastRune(b[:start])
			start -= size
		}
		return orNull(b[start:])
	}, args[:1], err
}

// bindPad: pad(x, 5, "0") puts zeros before x until it has 5 characters.
func bindPad(args []ast.Node) (apply, []ast.Node, error) {
	n, err := constantInt(args[1], 0, 1000)
	if err != nil {
		return nil, nil, err
	}
	with := "0"
	if len(args) == 3 {
		if with, err = constantText(args[2]); err != nil || utf8.RuneCountInString(with) != 1 {
			return nil, nil, errors.New("the third argument is one character in quotes")
		}
	}
	return func(f *frame, a []value) value {
		b := f.textOf(a[0])
		start := len(f.buf)
		for i := utf8.RuneCount(b); i < n; i++ {
			f.buf = append(f.buf, with...)
		}
		f.buf = append(f.buf, b...)
		return f.made(start)
	}, args[:1], nil
}

func bindReplace(args []ast.Node) (apply, []ast.Node, error) {
	old, err := separator(args[1])
	if err != nil {
		return nil, nil, err
	}
	with, err := constantText(args[2])
	return func(f *frame, a []value) value {
		b := f.textOf(a[0])
		start := len(f.buf)
		for {
			head, rest, ok := bytes.Cut(b, old)
			f.buf = append(f.buf, head...)
			if !ok {
				return orNull(f.made(start).text)
			}
			f.buf = append(f.buf, with...)
			if len(f.buf)-start > format.MaxToken {
				return value{kind: bad}
			}
			b = rest
		}
	}, args[:1], err
}

func digits(f *frame, a []value) value {
	b := f.textOf(a[0])
	start := len(f.buf)
	for _, c := range b {
		if '0' <= c && c <= '9' {
			f.buf = append(f.buf, c)
		}
	}
	return orNull(f.made(start).text)
}

// sparse are the three-digit ZIP areas of 20,000 people or fewer, which the HIPAA safe harbour method turns into 000
// (US Department of Health and Human Services, guidance on de-identification, 2012; census of 2000).
var sparse = map[string]bool{
	"036": true, "059": true, "063": true, "102": true, "203": true, "556": true, "692": true, "790": true, "821": true,
	"823": true, "830": true, "831": true, "878": true, "879": true, "884": true, "890": true, "893": true,
}

// zip3 keeps the first three digits of a ZIP code.
func zip3(f *frame, a []value) value {
	b := f.textOf(a[0])
	if len(b) < 3 || b[0]-'0' > 9 || b[1]-'0' > 9 || b[2]-'0' > 9 {
		return value{}
	}
	if sparse[string(b[:3])] {
		return f.join([]byte("000"))
	}
	return textOf(b[:3])
}

func length(f *frame, a []value) value { return longOf(int64(utf8.RuneCount(f.textOf(a[0])))) }

func textTest(holds func(b, part []byte) bool) apply {
	return func(f *frame, a []value) value { return boolOf(holds(f.textOf(a[0]), f.textOf(a[1]))) }
}

func containsText(b, part []byte) bool { return bytes.Contains(b, part) }
func startsWith(b, part []byte) bool   { return bytes.HasPrefix(b, part) }
func endsWith(b, part []byte) bool     { return bytes.HasSuffix(b, part) }
