package metadata

import (
	"bytes"
	"fmt"
	"reflect"
	"strings"
)

// Reference returns the reference page of the metadata language, in Markdown.
func Reference() []byte {
	var b bytes.Buffer
	b.WriteString("# Metadata reference\n\nEvery key of every kind of file. Made from the Go types in `shared/metadata`; do not edit. How to start stands in [README.md](README.md).\n")
	for _, t := range things {
		fmt.Fprintf(&b, "\n## %s\n\n%s It lies in `%s`.\n\n", title(t.name), t.about, t.place)
		keysPage(&b, title(t.name), t.keys)
	}
	b.WriteString("\n## Kinds of protected health information\n\n`phi(kind)` after a column's type, where kind is one of: " + strings.Join(phiKinds, ", ") + ".\n")
	return b.Bytes()
}

func title(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

// keysPage lists the keys of a block, then those of the blocks in it.
func keysPage(b *bytes.Buffer, of string, t reflect.Type) {
	for _, k := range keysOf(t) {
		fmt.Fprintf(b, "- `%s`: ", k.name)
		if k.required {
			b.WriteString("Required. ")
		}
		b.WriteString(strings.NewReplacer("<", `\<`, "*", `\*`, "_", `\_`).Replace(k.doc))
		if k.words != nil {
			fmt.Fprintf(b, " One of: `%s`.", strings.Join(k.words, "`, `"))
		}
		b.WriteString("\n")
	}
	for _, k := range keysOf(t) {
		if sub := blockOf(k.typ); sub != nil {
			fmt.Fprintf(b, "\n### %s: %s\n\n", of, k.name)
			keysPage(b, of+": "+k.name, sub)
		}
	}
}

// blockOf is the struct behind a key that has keys of its own; nil if it has none, or if they are the key's parent's.
func blockOf(t reflect.Type) reflect.Type {
	for {
		switch {
		case t == reflect.TypeFor[column]():
			return reflect.TypeFor[columnYAML]()
		case t == reflect.TypeFor[Text](), t == reflect.TypeFor[intoMap](), t == reflect.TypeFor[samples](), t == reflect.TypeFor[expectYAML]():
			return nil
		case t.Kind() == reflect.Slice && reflect.PointerTo(t.Elem()).Implements(reflect.TypeFor[keyed]()):
			f, _ := t.Elem().FieldByName("Value")
			t = f.Type
		case t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice:
			t = t.Elem()
		case t.Kind() == reflect.Struct:
			return t
		default:
			return nil
		}
	}
}
