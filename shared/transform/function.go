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

// functions is the language's list. All are pure, and null in, null out unless they say otherwise.
var functions = map[string]*definition{
	// times
	"ts":  {min: 1, max: -1, usage: `ts(field, "01/02/2006 15:04")`, kind: timestamp, bind: bindTimestamp},
	"day": {min: 1, max: -1, usage: `day(field, "01/02/2006")`, kind: date, bind: bindDay},
	// numbers
	"num":   {min: 1, max: 1, usage: "num(field)", kind: unknown, fn: numberOf},
	"dec":   {min: 2, max: 2, usage: "dec(field, 2)", kind: decimal, bind: bindDecimal},
	"int":   {min: 1, max: 1, usage: "int(field)", kind: long, fn: integerOf},
	"float": {min: 1, max: 1, usage: "float(field)", kind: double, fn: floatingOf},
	"round": {min: 1, max: 2, usage: "round(number, 1)", kind: unknown, bind: bindRound},
	"abs":   {min: 1, max: 1, usage: "abs(number)", kind: unknown, fn: absolute},
	"floor": {min: 1, max: 1, usage: "floor(number)", kind: long, fn: floor},
	"ceil":  {min: 1, max: 1, usage: "ceil(number)", kind: long, fn: ceiling},
	"min":   {min: 2, max: -1, usage: "min(a, b)", kind: unknown, fn: smallest},
	"max":   {min: 2, max: -1, usage: "max(a, b)", kind: unknown, fn: largest},
	// text
	"upper":   {min: 1, max: 1, usage: "upper(field)", kind: text, fn: upper},
	"lower":   {min: 1, max: 1, usage: "lower(field)", kind: text, fn: lowered},
	"trim":    {min: 1, max: 2, usage: `trim(field) or trim(field, "0")`, kind: text, bind: bindTrim},
	"concat":  {min: 1, max: -1, usage: `concat(last, ", ", first)`, kind: text, bind: bindConcat, null: true},
	"after":   {min: 2, max: 2, usage: `after(field, "/")`, kind: text, fn: after},
	"before":  {min: 2, max: 2, usage: `before(field, "/")`, kind: text, fn: before},
	"part":    {min: 3, max: 3, usage: `part(field, "^", 2)`, kind: text, bind: bindPart},
	"left":    {min: 2, max: 2, usage: "left(field, 3)", kind: text, bind: bindLeft},
	"right":   {min: 2, max: 2, usage: "right(field, 4)", kind: text, bind: bindRight},
	"pad":     {min: 2, max: 3, usage: `pad(field, 11, "0")`, kind: text, bind: bindPad},
	"replace": {min: 3, max: 3, usage: `replace(field, "-", "")`, kind: text, bind: bindReplace},
	"digits":  {min: 1, max: 1, usage: "digits(field)", kind: text, fn: digits},
	"zip3":    {min: 1, max: 1, usage: "zip3(zip)", kind: text, fn: zip3},
	"string":  {min: 1, max: 1, usage: "string(number)", kind: text, fn: spelled},
	"len":     {min: 1, max: 1, usage: "len(field)", kind: long, fn: length, lists: listLength},
	"first":   {min: 1, max: 2, usage: `first(field, " ")`, kind: text, bind: bindFirst, lists: listFirst},
	"last":    {min: 1, max: 2, usage: `last(field, " ")`, kind: text, bind: bindLast, lists: listLast},
	// lists, in the expr VM only
	"split": {min: 2, max: 2, usage: `split(field, "~")`, kind: list, lists: listSplit},
	"join":  {min: 2, max: 2, usage: `join(list, ", ")`, kind: text, lists: listJoin},
	// choices
	"map":      {min: 2, max: 3, usage: `map(field, {"A": "admit", "D": "discharge"})`, kind: unknown, bind: bindMap, null: true},
	"coalesce": {min: 1, max: -1, usage: "coalesce(a, b)", kind: unknown, fn: firstValue, null: true},
	"ref":      {min: 2, max: 2, usage: `ref("facilities", code).id`, kind: unknown},
}
