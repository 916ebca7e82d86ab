package transform

import (
	"errors"
	"fmt"

	"github.com/expr-lang/expr/ast"
)

// constantText reads an argument that must be a text in quotes.
func constantText(n ast.Node) (string, error) {
	s, ok := n.(*ast.StringNode)
	if !ok {
		return "", errors.New("this argument is a text in quotes, the same for all rows")
	}
	return s.Value, nil
}

// separator reads an argument that must be a text in quotes and not empty.
func separator(n ast.Node) ([]byte, error) {
	s, err := constantText(n)
	if err != nil {
		return nil, err
	}
	if s == "" {
		return nil, errors.New("the text to look for is empty")
	}
	return []byte(s), nil
}

// constantInt reads an argument that must be a whole number.
func constantInt(n ast.Node, low, high int) (int, error) {
	v, ok := literal(n)
	if !ok || v.kind != long || v.num < int64(low) || v.num > int64(high) {
		return 0, fmt.Errorf("this argument is a whole number from %d to %d", low, high)
	}
	return int(v.num), nil
}
