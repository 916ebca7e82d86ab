package transform

import (
	"bytes"
	"errors"
	"strings"
	"unicode/utf8"
)

// errNoList says that an argument is no list: the function's form for values applies.
var errNoList = errors.New("no list")

func listOf(x any) ([]any, error) {
	switch x := x.(type) {
	case nil:
		return nil, nil
	case []any:
		return x, nil
	}
	return nil, errNoList
}

// elements is what a condition goes over: a list, or nothing for null.
func elements(_ *frame, a []any) (any, error) {
	l, err := listOf(a[0])
	if err != nil {
		return nil, errBad
	}
	if l == nil {
		l = []any{}
	}
	return l, nil
}

func listSplit(f *frame, a []any) (any, error) {
	v, by := f.unboxed(a[0]), f.unboxed(a[1])
	if v.kind == null || by.kind == null {
		return nil, nil
	}
	if v.kind == bad || by.kind != text {
		return nil, errBad
	}
	var out []any
	for _, part := range bytes.Split(f.textOf(v), by.text) {
		if len(part) == 0 {
			out = append(out, nil)
		} else {
			out = append(out, string(part))
		}
	}
	return out, nil
}

func listJoin(f *frame, a []any) (any, error) {
	l, err := listOf(a[0])
	by, ok := a[1].(string)
	if err != nil || !ok {
		return nil, errBad
	}
	var b strings.Builder
	n := 0
	for _, x := range l {
		v := f.unboxed(x)
		if v.kind == null {
			continue
		}
		if v.kind == bad {
			return nil, errBad
		}
		if n > 0 {
			b.WriteString(by)
		}
		n++
		b.Write(f.textOf(v))
	}
	if n == 0 {
		return nil, nil
	}
	return b.String(), nil
}

func listLength(_ *frame, a []any) (any, error) {
	switch x := a[0].(type) {
	case nil:
		return nil, nil
	case string:
		return utf8.RuneCountInString(x), nil
	}
	l, err := listOf(a[0])
	return len(l), err
}

func listFirst(_ *frame, a []any) (any, error) {
	l, err := listOf(a[0])
	if len(l) == 0 {
		return nil, err
	}
	return l[0], nil
}

func listLast(_ *frame, a []any) (any, error) {
	l, err := listOf(a[0])
	if len(l) == 0 {
		return nil, err
	}
	return l[len(l)-1], nil
}

// element is list[i] (from 0, or from the end with -1) and map[key]; null if there is none.
func element(f *frame, a []any) (any, error) {
	switch x := a[0].(type) {
	case nil:
		return nil, nil
	case []any:
		i, ok := a[1].(int)
		if !ok {
			return nil, errBad
		}
		if i < 0 {
			i += len(x)
		}
		if i < 0 || i >= len(x) {
			return nil, nil
		}
		return x[i], nil
	case map[string]any:
		key := f.unboxed(a[1])
		if key.kind == null {
			return nil, nil
		}
		return x[string(f.textOf(key))], nil
	}
	return nil, errBad
}

func contained(f *frame, a []any) (any, error) {
	l, err := listOf(a[1])
	if err != nil {
		return nil, errBad
	}
	v := f.unboxed(a[0])
	for _, x := range l {
		if equal(v, f.unboxed(x)) {
			return true, nil
		}
	}
	return false, nil
}

func notContained(f *frame, a []any) (any, error) {
	in, err := contained(f, a)
	return in == false, err
}
