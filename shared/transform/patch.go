package transform

import (
	"errors"
	"fmt"
	"regexp"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/conf"
	"github.com/expr-lang/expr/types"
)

// patch rewrites a syntax tree, leaves first, so that the expr VM computes what the native ops would: names become
// numbered variables, and operators and functions become calls of ours.
type patch struct {
	c         *lowerer
	cfg       *conf.Config
	env       types.Map
	variables map[string]bool // of let
	callees   map[ast.Node]bool
	out       *virtual
	calls     int
	err       error
}

func (p *patch) fail(err error) {
	if p.err == nil {
		p.err = err
	}
}

// Visit is called for every node after its children.
func (p *patch) Visit(node *ast.Node) {
	if p.err != nil {
		return
	}
	switch n := (*node).(type) {
	case *ast.IdentifierNode:
		p.identifier(node, n.Value)
	case *ast.CallNode:
		p.call(node)
	case *ast.MemberNode:
		p.member(node, n)
	case *ast.ChainNode:
		*node = n.Node
	case *ast.BinaryNode:
		p.binary(node, n)
	case *ast.UnaryNode:
		p.unary(node, n)
	case *ast.ConditionalNode:
		p.condition(&n.Cond)
	case *ast.BuiltinNode:
		p.raw(&n.Arguments[0], elements, n.Arguments[0])
	case *ast.PredicateNode:
		p.condition(&n.Node)
	}
}

func (p *patch) identifier(node *ast.Node, name string) {
	if p.callees[*node] || p.variables[name] || name == frameName || p.env[name] != nil {
		return
	}
	in, err := p.c.name(name)
	if err != nil {
		p.fail(err)
		return
	}
	variable := fmt.Sprintf(variableName, len(p.out.inputs))
	p.out.inputs = append(p.out.inputs, in)
	p.out.names = append(p.out.names, variable)
	p.env[variable] = types.Any
	ast.Patch(node, &ast.IdentifierNode{Value: variable})
}

func (p *patch) call(node *ast.Node) {
	name, args, ok := callOf(*node)
	if !ok {
		p.fail(errors.New("only functions can be called"))
		return
	}
	if name == "ref" {
		return // its column is still to come: see member
	}
	d, err := function(name)
	if err != nil {
		p.fail(err)
		return
	}
	prepared, err := d.prepare(name, args)
	switch {
	case err != nil:
		p.fail(err)
	case d.lists != nil:
		native := prepared
		p.raw(node, func(f *frame, a []any) (any, error) {
			out, err := d.lists(f, a)
			if errors.Is(err, errNoList) && native.fn != nil {
				return f.boxedCall(native.fn, a[:len(native.dynamic)], native.null)
			}
			return out, err
		}, args...)
	default:
		p.native(node, prepared.fn, prepared.null, prepared.dynamic...)
	}
}

func (p *patch) member(node *ast.Node, n *ast.MemberNode) {
	name, args, ok := callOf(n.Node)
	if ok && name == "ref" {
		l, code, err := p.c.bindReference(args, n.Property)
		if err != nil {
			p.fail(err)
			return
		}
		p.native(node, l.apply, false, code)
		return
	}
	p.raw(node, element, n.Node, n.Property)
}

func (p *patch) binary(node *ast.Node, n *ast.BinaryNode) {
	switch n.Operator {
	case "and", "&&", "or", "||":
		p.condition(&n.Left)
		p.condition(&n.Right)
		return
	case "??":
		return
	case "in":
		p.raw(node, contained, n.Left, n.Right)
		return
	case "not in":
		p.raw(node, notContained, n.Left, n.Right)
		return
	case "matches":
		s, err := constantText(n.Right)
		if err != nil {
			p.fail(errors.New("matches needs a pattern in quotes on its right"))
			return
		}
		re, err := regexp.Compile(s)
		if err != nil {
			p.fail(fmt.Errorf("matches: %w", err))
			return
		}
		p.native(node, func(f *frame, a []value) value { return boolOf(re.Match(f.textOf(a[0]))) }, false, n.Left)
		return
	}
	fn, ok := binaryOperators[n.Operator]
	if !ok {
		p.fail(fmt.Errorf("operator %s is not available", n.Operator))
		return
	}
	p.native(node, fn, n.Operator == "==" || n.Operator == "!=", n.Left, n.Right)
}

func (p *patch) unary(node *ast.Node, n *ast.UnaryNode) {
	switch n.Operator {
	case "not", "!":
		p.condition(&n.Node)
	case "-":
		if _, ok := literal(n); !ok {
			p.native(node, binaryOperators["-"], false, &ast.IntegerNode{}, n.Node)
		}
	}
}

// condition makes a node true or false for the VM: null is false.
func (p *patch) condition(node *ast.Node) {
	p.raw(node, func(f *frame, a []any) (any, error) {
		v := truth(f.unboxed(a[0]))
		if v.kind == bad {
			return nil, errBad
		}
		return v.isTrue(), nil
	}, *node)
}

// native replaces a node by a call of fn.
func (p *patch) native(node *ast.Node, fn apply, takesNull bool, args ...ast.Node) {
	p.raw(node, func(f *frame, a []any) (any, error) { return f.boxedCall(fn, a, takesNull) }, args...)
}

// raw replaces a node by a call of fn, which gets the frame and the arguments as the VM has them.
func (p *patch) raw(node *ast.Node, fn func(*frame, []any) (any, error), args ...ast.Node) {
	name := fmt.Sprintf(callName, p.calls)
	p.calls++
	declare(p.cfg, name, func(a ...any) (any, error) {
		f, ok := a[0].(*frame)
		if !ok {
			return nil, errBad
		}
		return fn(f, a[1:])
	})
	ast.Patch(node, &ast.CallNode{
		Callee:    &ast.IdentifierNode{Value: name},
		Arguments: append([]ast.Node{&ast.IdentifierNode{Value: frameName}}, args...),
	})
}

func (f *frame) boxedCall(fn apply, args []any, takesNull bool) (any, error) {
	base := len(f.stack)
	defer func() { f.stack = f.stack[:base] }()
	for _, a := range args {
		v := f.unboxed(a)
		switch {
		case v.kind == bad:
			return nil, errBad
		case v.kind == null && !takesNull:
			return nil, nil
		}
		f.stack = append(f.stack, v)
	}
	v := fn(f, f.stack[base:])
	if v.kind == bad {
		return nil, errBad
	}
	return v.boxed(), nil
}
