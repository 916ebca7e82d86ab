package transform

// The logic is SQL's: a comparison with null is null, and null is neither true nor false; but == and != compare with null
// as with any value, so that `x == nil` and `event != "TEST"` say what they seem to say.

// both is `and`; its right side is worked out only if it matters.
type both struct{ left, right op }

func (o both) eval(f *frame) value {
	l := truth(o.left.eval(f))
	if l.kind == boolean && l.num == 0 || l.kind == bad {
		return l
	}
	r := truth(o.right.eval(f))
	if r.kind == boolean && r.num == 0 || r.kind == bad {
		return r
	}
	if l.kind == null {
		return l
	}
	return r
}

func (o both) result() kind { return boolean }

// either is `or`.
type either struct{ left, right op }

func (o either) eval(f *frame) value {
	l := truth(o.left.eval(f))
	if l.isTrue() || l.kind == bad {
		return l
	}
	r := truth(o.right.eval(f))
	if r.isTrue() || r.kind == bad {
		return r
	}
	if l.kind == null {
		return l
	}
	return r
}

func (o either) result() kind { return boolean }

type negation struct{ of op }

func (o negation) eval(f *frame) value {
	v := truth(o.of.eval(f))
	if v.kind == boolean {
		v.num = 1 - v.num
	}
	return v
}

func (o negation) result() kind { return boolean }

// truth reads a value as true or false; null stays null.
func truth(v value) value {
	if v.kind == text {
		return v.like(boolean)
	}
	if v.kind != boolean && v.kind != null {
		return value{kind: bad}
	}
	return v
}

// choice is `cond ? yes : no`; a null condition chooses no.
type choice struct{ cond, yes, no op }

func (o choice) eval(f *frame) value {
	c := truth(o.cond.eval(f))
	if c.kind == bad {
		return c
	}
	if c.isTrue() {
		return o.yes.eval(f)
	}
	return o.no.eval(f)
}

func (o choice) result() kind { return common(o.yes.result(), o.no.result()) }

// firstOf is `a ?? b` and coalesce(a, b, …): the first that is not null.
type firstOf []op

func (o firstOf) eval(f *frame) value {
	for _, a := range o {
		if v := a.eval(f); v.kind != null {
			return v
		}
	}
	return value{}
}

func (o firstOf) result() kind {
	k := o[0].result()
	for _, a := range o[1:] {
		k = common(k, a.result())
	}
	return k
}

func common(a, b kind) kind {
	switch {
	case a == b || b == null:
		return a
	case a == null:
		return b
	}
	return unknown
}

// fieldIs is `field == "text"`, or != if not is set.
type fieldIs struct {
	slot int
	text string
	not  bool
}

func fieldIsOf(operator string, l, r op) (fieldIs, bool) {
	if _, ok := l.(constant); ok {
		l, r = r, l
	}
	f, isField := l.(field)
	c, isConstant := r.(constant)
	ok := isField && isConstant && (operator == "==" || operator == "!=") && (c.v.kind == text || c.v.kind == null)
	return fieldIs{slot: f.slot, text: string(c.v.text), not: operator == "!="}, ok
}

// A null field is like an empty one here: neither is ever a text that has characters.
func (o fieldIs) eval(f *frame) value {
	return boolOf((string(f.field(o.slot)) == o.text) != o.not)
}

func (o fieldIs) result() kind { return boolean }

// versus compares with a constant.
type versus struct {
	of    op
	with  value
	holds func(order int) bool // nil: == or !=
	not   bool                 // !=
}

// turned is the operator that holds with the sides exchanged.
var turned = map[string]string{"==": "==", "!=": "!=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}

func versusOf(operator string, l, r op) (*versus, bool) {
	if _, ok := l.(constant); ok {
		l, r, operator = r, l, turned[operator]
	}
	c, ok := r.(constant)
	holds, ordered := orders[operator]
	ok = ok && (ordered || operator == "==" || operator == "!=")
	return &versus{of: l, with: c.v, holds: holds, not: operator == "!="}, ok
}

func (o *versus) eval(f *frame) value {
	v := o.of.eval(f)
	switch {
	case v.kind == bad:
		return v
	case o.holds == nil:
		return boolOf(equal(v, o.with) != o.not)
	case v.kind == null || o.with.kind == null:
		return value{}
	}
	c, ok := compare(v, o.with)
	if !ok {
		return value{kind: bad}
	}
	return boolOf(o.holds(c))
}

func (o *versus) result() kind { return boolean }

// member is `x in [constants]`.
type member struct {
	of     op
	texts  map[string]struct{}
	others []value // constants that are no text
	null   bool    // nil is in the list
	texty  []value // the texts again, for values that are no text
}

func (o *member) eval(f *frame) value {
	v := o.of.eval(f)
	switch v.kind {
	case bad:
		return v
	case null:
		return boolOf(o.null)
	case text:
		if _, ok := o.texts[string(v.text)]; ok {
			return boolOf(true)
		}
	default:
		for _, w := range o.texty {
			if equal(v, w) {
				return boolOf(true)
			}
		}
	}
	for _, w := range o.others {
		if equal(v, w) {
			return boolOf(true)
		}
	}
	return boolOf(false)
}

func (o *member) result() kind { return boolean }

// add puts a constant into the list.
func (o *member) add(v value) {
	switch v.kind {
	case null:
		o.null = true
	case text:
		o.texts[string(v.text)] = struct{}{}
		o.texty = append(o.texty, v)
	default:
		o.others = append(o.others, v)
	}
}
