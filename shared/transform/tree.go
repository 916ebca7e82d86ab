package transform

import "github.com/expr-lang/expr/ast"

// givesList reports whether an expression is a list, which only the expr VM knows.
func givesList(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.ChainNode:
		return givesList(n.Node)
	case *ast.ArrayNode, *ast.MapNode:
		return true
	case *ast.BuiltinNode:
		return n.Name == "filter"
	}
	name, _, ok := callOf(n)
	return ok && name == "split"
}

// callOf takes a call by name apart.
func callOf(n ast.Node) (name string, args []ast.Node, ok bool) {
	call, ok := n.(*ast.CallNode)
	if !ok {
		return "", nil, false
	}
	id, ok := call.Callee.(*ast.IdentifierNode)
	if !ok {
		return "", nil, false
	}
	return id.Value, call.Arguments, true
}

// literal reads a constant of the source. "" is null, as it is in a field.
func literal(n ast.Node) (value, bool) {
	switch n := n.(type) {
	case *ast.NilNode:
		return value{}, true
	case *ast.StringNode:
		return orNull([]byte(n.Value)), true
	case *ast.IntegerNode:
		return longOf(int64(n.Value)), true
	case *ast.FloatNode:
		return floatOf(n.Value), true
	case *ast.BoolNode:
		return boolOf(n.Value), true
	case *ast.UnaryNode:
		if v, ok := literal(n.Node); ok && n.Operator == "-" && (v.kind == long || v.kind == double) {
			v.num, v.float = -v.num, -v.float
			return v, true
		}
	}
	return value{}, false
}
