package transform

import (
	"errors"
	"fmt"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/checker"
	"github.com/expr-lang/expr/compiler"
	"github.com/expr-lang/expr/conf"
	"github.com/expr-lang/expr/parser"
	"github.com/expr-lang/expr/types"
	"github.com/expr-lang/expr/vm"
)

var errBad = errors.New("a value does not fit")

// machine runs expr programs for one run.
type machine struct {
	vm  vm.VM
	env map[string]any
}

// virtual is what has no native op: a program of the expr VM over the fields it names.
type virtual struct {
	program *vm.Program
	inputs  []op // of the variables
	names   []string
	kind    kind
}

// The VM's own names cannot be written by an author.
const (
	frameName    = "@frame"
	variableName = "@%d"
	callName     = "@call%d"
)

func (o *virtual) eval(f *frame) value {
	if f.env == nil {
		f.env = map[string]any{}
	}
	for i, in := range o.inputs {
		v := in.eval(f)
		if v.kind == bad {
			return v
		}
		f.env[o.names[i]] = v.boxed()
	}
	f.env[frameName] = f
	out, err := f.vm.Run(o.program, f.env)
	if err != nil {
		return value{kind: bad} // the error may hold the value: it goes no further
	}
	return f.unboxed(out)
}

func (o *virtual) result() kind { return o.kind }

// boxed is v as the VM sees it. Dates, times and decimals stay ours: only our operators work on them.
func (v value) boxed() any {
	switch v.kind {
	case null:
		return nil
	case text:
		return string(v.text)
	case long:
		return int(v.num)
	case double:
		return v.float
	case boolean:
		return v.num == 1
	}
	return v
}

func (f *frame) unboxed(x any) value {
	switch x := x.(type) {
	case nil:
		return value{}
	case value:
		return x
	case string:
		if x == "" {
			return value{}
		}
		start := len(f.buf)
		f.buf = append(f.buf, x...)
		return f.made(start)
	case int:
		return longOf(int64(x))
	case float64:
		return floatOf(x)
	case bool:
		return boolOf(x)
	}
	return value{kind: bad}
}

// virtual compiles an expression for the expr VM.
func (c *lowerer) virtual(n ast.Node) (op, error) {
	p := &patch{
		c: c, cfg: language(), env: types.Map{frameName: types.Any}, variables: map[string]bool{}, callees: map[ast.Node]bool{},
		out: &virtual{kind: unknown},
	}
	if givesList(n) {
		p.out.kind = list
	}
	p.scan(n, false)
	if p.err == nil {
		ast.Walk(&n, p)
	}
	if p.err != nil {
		return nil, p.err
	}
	expr.Env(p.env)(p.cfg)
	tree := &parser.Tree{Node: n}
	if _, err := checker.Check(tree, p.cfg); err != nil {
		return nil, errors.New(sentence(err))
	}
	var err error
	if p.out.program, err = compiler.Compile(tree, p.cfg); err != nil {
		return nil, errors.New(sentence(err))
	}
	return p.out, nil
}

// declare makes fn callable as name.
func declare(cfg *conf.Config, name string, fn func(...any) (any, error)) {
	expr.Function(name, fn)(cfg)
}

// scan refuses what could run long, and collects the variables of `let`.
func (p *patch) scan(n ast.Node, inPredicate bool) {
	switch n := n.(type) {
	case *ast.BuiltinNode:
		if !predicates[n.Name] {
			p.fail(fmt.Errorf("function %s is not available", n.Name))
		} else if inPredicate {
			p.fail(fmt.Errorf("%s stands inside another function with a condition", n.Name))
		}
	case *ast.BinaryNode:
		if n.Operator == ".." {
			p.fail(errors.New("ranges (..) are not available"))
		}
	case *ast.SliceNode:
		p.fail(errors.New("slices are not available: write left(x, n), right(x, n) or part(x, separator, n)"))
	case *ast.CallNode:
		p.callees[n.Callee] = true
	case *ast.BytesNode:
		p.fail(errors.New("b\"…\" is not available"))
	case *ast.VariableDeclaratorNode:
		p.variables[n.Name] = true
	case *ast.PredicateNode:
		inPredicate = true
	}
	for _, child := range children(n) {
		p.scan(child, inPredicate)
	}
}

// predicates are expr's functions with a condition that may be used.
var predicates = map[string]bool{"all": true, "any": true, "none": true, "one": true, "filter": true, "find": true, "count": true}

func children(n ast.Node) []ast.Node {
	switch n := n.(type) {
	case *ast.UnaryNode:
		return []ast.Node{n.Node}
	case *ast.BinaryNode:
		return []ast.Node{n.Left, n.Right}
	case *ast.ChainNode:
		return []ast.Node{n.Node}
	case *ast.MemberNode:
		return []ast.Node{n.Node, n.Property}
	case *ast.CallNode:
		return n.Arguments
	case *ast.BuiltinNode:
		return n.Arguments
	case *ast.PredicateNode:
		return []ast.Node{n.Node}
	case *ast.ConditionalNode:
		return []ast.Node{n.Cond, n.Exp1, n.Exp2}
	case *ast.VariableDeclaratorNode:
		return []ast.Node{n.Value, n.Expr}
	case *ast.SequenceNode:
		return n.Nodes
	case *ast.ArrayNode:
		return n.Nodes
	case *ast.MapNode:
		return n.Pairs
	case *ast.PairNode:
		return []ast.Node{n.Key, n.Value}
	}
	return nil
}
