package transform

import (
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/expr-lang/expr/conf"
	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/parser"
)

// Limits of one expression. With ranges off and predicates not nested, its time is bounded by the length of the values.
const (
	maxNodes = 500
	maxText  = 8 << 10
)

// compile lowers one expression.
func (c *lowerer) compile(src string) (op, error) {
	if len(src) > maxText {
		return nil, fmt.Errorf("the expression is longer than %d bytes", maxText)
	}
	tree, err := parser.ParseWithConfig(src, grammar())
	if err != nil {
		return nil, errors.New(sentence(err))
	}
	return c.lower(tree.Node)
}

// grammar is what all expressions are parsed with. Parsing does not change it.
var grammar = sync.OnceValue(language)

// language is a configuration with our functions and the predicates, nothing else.
func language() *conf.Config {
	cfg := conf.CreateNew()
	cfg.MaxNodes = maxNodes
	for name := range cfg.Builtins {
		cfg.Disabled[name] = true
	}
	for name := range functions {
		declare(cfg, name, func(...any) (any, error) { return nil, errBad })
	}
	return cfg
}

// sentence is an expr error without the excerpt of the source.
func sentence(err error) string {
	var fe *file.Error
	if errors.As(err, &fe) {
		if strings.Contains(fe.Message, "unexpected token EOF") {
			return fmt.Sprintf("the expression ends too early, at character %d (if it holds a #, quote it: YAML takes # for a comment)", fe.Column+1)
		}
		return fmt.Sprintf("%s, at character %d", fe.Message, fe.Column+1)
	}
	return err.Error()
}
