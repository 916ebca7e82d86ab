package query

import (
	"fmt"
	"strings"

	"medlake/shared/lake"
)

// translate turns an expression of the metadata language into an SQL condition over alias t that is never null. It knows
// columns, text, number, true, false and nil literals, == != < <= > >=, in and not in with a list, and or not (also && || !)
// and parentheses. Nil is as in the metadata language: it equals nil only, a comparison of order with it is nil, and so on
// through and, or and not; in the end nil does not hold.
func translate(expr string, kinds map[string]lake.Kind) (string, error) {
	toks, err := lex(expr)
	if err != nil {
		return "", err
	}
	p := &translator{toks: toks, kinds: kinds}
	v, err := p.or()
	if err != nil {
		return "", err
	}
	if p.peek().kind != tokEnd {
		return "", fmt.Errorf("%s is not supported here", p.peek())
	}
	sql, err := v.condition()
	if v.null {
		sql = "coalesce(" + sql + ", false)"
	}
	return sql, err
}

// A value is SQL with the kind of what it yields; 0 is nil.
type value struct {
	sql     string
	kind    lake.Kind
	null    bool // it may be null
	literal bool
}

func (v value) condition() (string, error) {
	if v.kind != lake.Boolean {
		return "", fmt.Errorf("must be true or false")
	}
	return v.sql, nil
}

type translator struct {
	toks  []token
	kinds map[string]lake.Kind
	depth int
}

func (p *translator) peek() token { return p.toks[0] }
func (p *translator) next() token { t := p.toks[0]; p.toks = p.toks[1:]; return t }

// accept takes the next token if it is one of these operators or words.
func (p *translator) accept(ops ...string) bool {
	for _, op := range ops {
		if t := p.peek(); t.kind == tokOp && t.text == op {
			p.next()
			return true
		}
	}
	return false
}

func (p *translator) or() (value, error)  { return p.chain(p.and, "OR", "or", "||") }
func (p *translator) and() (value, error) { return p.chain(p.compare, "AND", "and", "&&") }

func (p *translator) chain(sub func() (value, error), sql string, ops ...string) (value, error) {
	left, err := sub()
	if err != nil {
		return left, err
	}
	for p.accept(ops...) {
		right, err := sub()
		if err != nil {
			return right, err
		}
		l, err := left.condition()
		if err != nil {
			return left, fmt.Errorf("both sides of %s %w", ops[0], err)
		}
		r, err := right.condition()
		if err != nil {
			return right, fmt.Errorf("both sides of %s %w", ops[0], err)
		}
		left = value{sql: "(" + l + " " + sql + " " + r + ")", kind: lake.Boolean, null: left.null || right.null}
	}
	return left, nil
}

var comparisons = map[string]string{"==": "IS NOT DISTINCT FROM", "!=": "IS DISTINCT FROM", "<": "<", "<=": "<=", ">": ">", ">=": ">="}

func (p *translator) compare() (value, error) {
	left, err := p.unary()
	if err != nil {
		return left, err
	}
	t := p.peek()
	if t.kind != tokOp {
		return left, nil
	}
	if sql, ok := comparisons[t.text]; ok {
		p.next()
		right, err := p.unary()
		if err != nil {
			return right, err
		}
		if !alike(left.kind, right.kind) {
			return left, fmt.Errorf("the two sides of %s are of different kinds", t.text)
		}
		return value{sql: "(" + left.sql + " " + sql + " " + right.sql + ")", kind: lake.Boolean, null: !strings.Contains(sql, "DISTINCT")}, nil
	}
	switch {
	case p.accept("in"):
		return p.in(left, "coalesce(%s IN (%s), false)")
	case t.text == "not" && p.toks[1].kind == tokOp && p.toks[1].text == "in":
		p.next()
		p.next()
		return p.in(left, "(NOT coalesce(%s IN (%s), false))")
	}
	return left, nil
}

func (p *translator) in(left value, format string) (value, error) {
	if !p.accept("[") {
		return left, fmt.Errorf("in needs a list: [a, b]")
	}
	var items []string
	for !p.accept("]") {
		v, err := p.primary()
		if err != nil {
			return v, err
		}
		if !v.literal {
			return v, fmt.Errorf("the list after in holds more than constants")
		}
		if !alike(left.kind, v.kind) || v.kind == 0 {
			return v, fmt.Errorf("the list after in holds another kind than the column")
		}
		items = append(items, v.sql)
		if !p.accept(",") && !(p.peek().kind == tokOp && p.peek().text == "]") {
			return v, fmt.Errorf("the list after in does not end")
		}
	}
	if len(items) == 0 {
		return left, fmt.Errorf("the list after in is empty")
	}
	return value{sql: fmt.Sprintf(format, left.sql, strings.Join(items, ", ")), kind: lake.Boolean}, nil
}

func (p *translator) unary() (value, error) {
	if p.depth++; p.depth > 100 {
		return value{}, fmt.Errorf("is nested too deep")
	}
	defer func() { p.depth-- }()
	if p.accept("not", "!") {
		v, err := p.unary()
		if err != nil {
			return v, err
		}
		c, err := v.condition()
		if err != nil {
			return v, fmt.Errorf("what follows not %w", err)
		}
		return value{sql: "(NOT " + c + ")", kind: lake.Boolean, null: v.null}, nil
	}
	if p.accept("(") {
		v, err := p.or()
		if err != nil {
			return v, err
		}
		if !p.accept(")") {
			return v, fmt.Errorf("a parenthesis is not closed")
		}
		return v, nil
	}
	return p.primary()
}

func (p *translator) primary() (value, error) {
	t := p.next()
	switch t.kind {
	case tokText:
		return value{sql: Literal(t.text), kind: lake.String, literal: true}, nil
	case tokNumber:
		return value{sql: t.text, kind: lake.Long, literal: true}, nil
	case tokName:
		switch t.text {
		case "true", "false":
			return value{sql: t.text, kind: lake.Boolean, literal: true}, nil
		case "nil":
			return value{sql: "NULL", null: true, literal: true}, nil
		}
		kind, ok := p.kinds[t.text]
		if !ok {
			return value{}, fmt.Errorf("%s is not a column of the table", t)
		}
		if n := p.peek(); n.kind == tokOp && n.text == "(" {
			return value{}, fmt.Errorf("calls are not supported here")
		}
		return value{sql: "t." + Ident(t.text), kind: kind, null: true}, nil
	}
	return value{}, fmt.Errorf("%s is not supported here", t)
}

// alike reports whether SQL compares two kinds as the metadata language does.
func alike(a, b lake.Kind) bool {
	number := func(k lake.Kind) bool { return k == lake.Long || k == lake.Double || k == lake.Decimal }
	return a == b || a == 0 || b == 0 || number(a) && number(b)
}
