package transform

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/expr-lang/expr/ast"

	"medlake/shared/metadata"
)

// lowerer turns expressions into ops. What has a native op is lowered to it, down to the parts that need the expr VM.
type lowerer struct {
	set   *metadata.Set
	scope scope
	refs  *refNames
	// facility is set to what gives a row's facility, at the first ref("facilities", …).
	facility *op
}

func (c *lowerer) lower(n ast.Node) (op, error) {
	if v, ok := literal(n); ok {
		return constant{v}, nil
	}
	switch n := n.(type) {
	case *ast.IdentifierNode:
		return c.name(n.Value)
	case *ast.ChainNode:
		return c.lower(n.Node)
	case *ast.UnaryNode:
		return c.unary(n)
	case *ast.BinaryNode:
		return c.binary(n)
	case *ast.ConditionalNode:
		ops, err := c.lowerAll(n.Cond, n.Exp1, n.Exp2)
		if err != nil {
			return nil, err
		}
		return choice{ops[0], ops[1], ops[2]}, nil
	case *ast.CallNode:
		return c.call(n)
	case *ast.MemberNode:
		if name, args, ok := callOf(n.Node); ok && name == "ref" {
			return c.reference(args, n.Property)
		}
	}
	return c.virtual(n)
}

func (c *lowerer) lowerAll(nodes ...ast.Node) ([]op, error) {
	out := make([]op, len(nodes))
	var all error
	for i, n := range nodes {
		var err error
		if out[i], err = c.lower(n); err != nil {
			all = errors.Join(all, err)
		}
	}
	return out, all
}

// name finds what an identifier stands for.
func (c *lowerer) name(name string) (op, error) {
	if o := c.scope.find(name); o != nil {
		return o, nil
	}
	if _, ok := functions[name]; ok {
		return nil, fmt.Errorf("%s is a function: write %s(…)", name, name)
	}
	return nil, fmt.Errorf("there is no %s %s%s", c.scope.what(), name, metadata.Meant(name, c.scope.names()))
}

func (c *lowerer) unary(n *ast.UnaryNode) (op, error) {
	of, err := c.lower(n.Node)
	if err != nil {
		return nil, err
	}
	switch n.Operator {
	case "not", "!":
		return negation{of}, nil
	case "-":
		return &call{fn: binaryOperators["-"], args: []op{constant{longOf(0)}, of}, kind: unknown}, nil
	}
	return of, nil
}

func (c *lowerer) binary(n *ast.BinaryNode) (op, error) {
	switch n.Operator {
	case "in", "not in":
		if o, ok, err := c.membership(n); ok {
			return o, err
		}
		return c.virtual(n)
	case "matches":
		if pattern, ok := n.Right.(*ast.StringNode); ok {
			return c.matches(n.Left, pattern.Value)
		}
		return nil, errors.New("matches needs a pattern in quotes on its right")
	}
	if givesList(n.Left) || givesList(n.Right) {
		return c.virtual(n)
	}
	ops, err := c.lowerAll(n.Left, n.Right)
	if err != nil {
		return nil, err
	}
	l, r := ops[0], ops[1]
	switch n.Operator {
	case "and", "&&":
		return both{l, r}, nil
	case "or", "||":
		return either{l, r}, nil
	case "??":
		return firstOf{l, r}, nil
	}
	fn, ok := binaryOperators[n.Operator]
	if !ok {
		return nil, fmt.Errorf("operator %s is not available", n.Operator)
	}
	if o, ok := fieldIsOf(n.Operator, l, r); ok {
		return o, nil
	}
	if l, r, err = alike(n.Operator, l, r); err != nil {
		return nil, err
	}
	if o, ok := versusOf(n.Operator, l, r); ok {
		return o, nil
	}
	return &call{fn: fn, args: []op{l, r}, kind: operatorKind(n.Operator, l.result(), r.result()), null: n.Operator == "==" || n.Operator == "!="}, nil
}

func isArithmetic(operator string) bool { return strings.Contains("+-*/%", operator) }

func operatorKind(operator string, l, r kind) kind {
	switch {
	case !isArithmetic(operator):
		return boolean
	case l == long && r == long && operator != "/":
		return long
	}
	return unknown
}

// alike reads a constant text that is compared with a date, time or truth value once, at compile time.
func alike(operator string, l, r op) (op, op, error) {
	if isArithmetic(operator) || operator == "contains" || operator == "startsWith" || operator == "endsWith" {
		return l, r, nil
	}
	for _, side := range []struct{ a, b *op }{{&l, &r}, {&r, &l}} {
		k, ok := (*side.a).(constant)
		want := (*side.b).result()
		if !ok || k.v.kind != text || want == text || want >= list || want < text {
			continue
		}
		v := k.v.like(want)
		if v.kind == bad {
			return nil, nil, fmt.Errorf("%q cannot be compared with a %s", k.v.text, kindNames[want])
		}
		*side.a = constant{v}
	}
	return l, r, nil
}

var kindNames = map[kind]string{
	text: "string", long: "long", double: "double", decimal: "decimal", date: "date (2006-01-02)",
	timestamp: "timestamp (2006-01-02T15:04:05Z)", boolean: "boolean",
}

// membership lowers `x in [constants]`; ok is false if the right side is no such list.
func (c *lowerer) membership(n *ast.BinaryNode) (o op, ok bool, err error) {
	array, isArray := n.Right.(*ast.ArrayNode)
	if !isArray || givesList(n.Left) {
		return nil, false, nil
	}
	m := &member{texts: map[string]struct{}{}}
	for _, e := range array.Nodes {
		v, isConstant := literal(e)
		if !isConstant {
			return nil, false, nil
		}
		m.add(v)
	}
	if m.of, err = c.lower(n.Left); err != nil {
		return nil, true, err
	}
	if n.Operator == "not in" {
		return negation{m}, true, nil
	}
	return m, true, nil
}

func (c *lowerer) matches(left ast.Node, pattern string) (op, error) {
	re, err := regexp.Compile(pattern)
	if err != nil {
		return nil, fmt.Errorf("matches: %w", err)
	}
	of, err := c.lower(left)
	if err != nil {
		return nil, err
	}
	fn := func(f *frame, a []value) value { return boolOf(re.Match(f.textOf(a[0]))) }
	return &call{fn: fn, args: []op{of}, kind: boolean}, nil
}

// call lowers a call of one of our functions.
func (c *lowerer) call(n *ast.CallNode) (op, error) {
	name, nodes, ok := callOf(n)
	if !ok {
		return nil, errors.New("only functions can be called")
	}
	fn, err := function(name)
	if err != nil {
		return nil, err
	}
	if name == "ref" {
		return nil, errors.New(`ref needs the column wanted: ref("facilities", code).id`)
	}
	p, err := fn.prepare(name, nodes)
	if err != nil {
		return nil, err
	}
	if p.fn == nil || slices.ContainsFunc(p.dynamic, givesList) {
		return c.virtual(n)
	}
	args, err := c.lowerAll(p.dynamic...)
	if err != nil {
		return nil, err
	}
	switch name {
	case "coalesce":
		return firstOf(args), nil
	case "ts", "day":
		layouts, err := layoutsOf(nodes[1:])
		return &moment{of: args[0], layouts: layouts, day: name == "day"}, err
	}
	return &call{fn: p.fn, args: args, kind: p.kind, null: p.null}, nil
}
