package transform

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Reference is the page for authors on expressions and functions, as Markdown. TestReference writes it.
func Reference() []byte {
	var b strings.Builder
	b.WriteString(`# Expressions

What can stand in ` + "`when`, `set` and the rules of checks" + `. Made from the functions in ` + "`shared/transform`" + `; do not edit.

- Names: in ` + "`when` and `set`" + ` the source's fields, letter case ignored, and what ` + "`from`" + ` captured, such as ` + "`customer`" + `. In checks the table's columns.
- Values: ` + "`\"text\"`, `5`, `-2.5`, `true`, `nil`" + `. Fields are text without white space at the ends; empty ones are null. Quote the whole expression in YAML if it begins with a quote or holds a ` + "`#`, `: ` or, inside `{ }`, a comma" + `.
- ` + "`==` `!=` `<` `<=` `>` `>=` `in` `not in` `contains` `startsWith` `endsWith` `matches`" + `: text beside a number, date or time is read as one. ` + "`matches`" + ` takes a regular expression (RE2).
- ` + "`and` `or` `not`, `a ? b : c`, `a ?? b`, `+ - * / %`, `let x = …; …`, `x | upper()`" + `.
- Null: a comparison by size with null is null, and null is not true: ` + "`when`" + ` leaves the row out, a check lets it pass. ` + "`== nil` and `!= nil`" + ` ask for null.
- Lists: ` + "`split`, `join`, `x[0]`, and `all any none one find filter count` with a condition, in which `#` is the element: `any(split(codes, \"~\"), # startsWith \"E11\")`" + `.
- A value that does not fit its function or column rejects the row by rule ` + "`type`" + `, or becomes null if the table's contract says so.
- A plain field and the functions below are native and fast; lists, ` + "`let`" + ` and other rare forms run in an interpreter, at a microsecond or so each.

## Functions

Null in, null out, unless it says otherwise.

| write | it is |
| --- | --- |
`)
	for _, name := range slices.Sorted(maps.Keys(functions)) {
		d := functions[name]
		fmt.Fprintf(&b, "| `%s` | %s |\n", strings.ReplaceAll(d.usage, "|", `\|`), d.doc)
	}
	return []byte(b.String())
}
