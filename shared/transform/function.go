package transform

import (
	"fmt"
	"maps"
	"slices"

	"github.com/expr-lang/expr/ast"

	"medlake/shared/metadata"
)

// definition is one function of the language.
type definition struct {
	min, max int    // arguments; max -1: any number
	usage    string // as an author writes it
	doc      string // a sentence or two for authors
	kind     kind
	fn       apply // for functions without constant arguments
	null     bool  // fn takes nulls
	// bind makes fn from constant arguments; it returns the arguments left to work out for each row.
	bind func(args []ast.Node) (apply, []ast.Node, error)
	// lists is the form for the expr VM if an argument or the result may be a list; fn nil: there is no other form.
	lists func(f *frame, args []any) (any, error)
}

// prepared is a function with its constant arguments bound.
type prepared struct {
	fn      apply
	dynamic []ast.Node
	kind    kind
	null    bool
}

// function finds a function or says which one was meant.
func function(name string) (*definition, error) {
	if d, ok := functions[name]; ok {
		return d, nil
	}
	return nil, fmt.Errorf("there is no function %s%s", name, metadata.Meant(name, slices.Sorted(maps.Keys(functions))))
}

func (d *definition) prepare(name string, args []ast.Node) (prepared, error) {
	if len(args) < d.min || d.max >= 0 && len(args) > d.max {
		return prepared{}, fmt.Errorf("%s has the wrong number of arguments: write %s", name, d.usage)
	}
	p := prepared{fn: d.fn, dynamic: args, kind: d.kind, null: d.null}
	if d.bind == nil {
		return p, nil
	}
	var err error
	if p.fn, p.dynamic, err = d.bind(args); err != nil {
		return prepared{}, fmt.Errorf("%s: %w", name, err)
	}
	return p, nil
}
