package metadata

import (
	"errors"
	"io"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

// decoder turns the YAML of one file into the structs of keys_*.go and notes where every word stands. It uses reflection:
// the structs are also what schema.json and the reference page are made from, and metadata is read once a version.
type decoder struct {
	file   string
	faults *faults
	known  map[reflect.Type][]key // of structs that were read before
	usable bool                   // the document was YAML: later checks can go on in spite of faults
}

// custom is a value that reads itself from YAML.
type custom interface {
	decode(d *decoder, n *yaml.Node)
}

// entry is one key of a mapping whose keys are the author's own names, in file order.
type entry[T any] struct {
	Key   Text
	Value T
}

func (e *entry[T]) slots() (*Text, any) { return &e.Key, &e.Value }

// keyed is a pointer to an entry.
type keyed interface{ slots() (*Text, any) }

var yamlLine = regexp.MustCompile(`^yaml: (?:line (\d+): )?`)

// parse reads one YAML document into the struct that out points to.
func (d *decoder) parse(data string, out any) {
	dec := yaml.NewDecoder(strings.NewReader(data))
	var doc yaml.Node
	if err := dec.Decode(&doc); err != nil {
		d.syntax(err)
		return
	}
	if err := dec.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		d.fault(1, "one file describes one thing: split the documents")
		return
	}
	if len(doc.Content) == 1 {
		d.usable = doc.Content[0].Kind == yaml.MappingNode
		d.value(doc.Content[0], reflect.ValueOf(out).Elem())
	}
}

func (d *decoder) syntax(err error) {
	if errors.Is(err, io.EOF) {
		d.fault(1, "the file is empty")
		return
	}
	line, text := 1, err.Error()
	if m := yamlLine.FindStringSubmatch(text); m != nil {
		text = text[len(m[0]):]
		if n, err := strconv.Atoi(m[1]); err == nil {
			line = n
		}
	}
	d.fault(line, "not YAML: %s", text)
}

// into reads a node into the value that out points to.
func (d *decoder) into(n *yaml.Node, out any) { d.value(n, reflect.ValueOf(out).Elem()) }

func (d *decoder) fault(line int, format string, args ...any) {
	d.faults.add(Pos{d.file, line}, format, args...)
}

func (d *decoder) pos(n *yaml.Node) Pos { return Pos{d.file, n.Line} }

// value reads a node into v by v's type.
func (d *decoder) value(n *yaml.Node, v reflect.Value) {
	if n.Kind == yaml.AliasNode || n.Anchor != "" {
		d.fault(n.Line, "anchors and aliases are not used here: write the value out, or use like: in feeds")
		return
	}
	if c, ok := v.Addr().Interface().(custom); ok {
		c.decode(d, n)
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		d.block(n, v)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		d.value(n, v.Elem())
	case reflect.Slice:
		if reflect.PointerTo(v.Type().Elem()).Implements(reflect.TypeFor[keyed]()) {
			d.mapping(n, v)
			return
		}
		d.list(n, v)
	default:
		panic("metadata: no YAML form for " + v.Type().String())
	}
}

// block reads a mapping of known keys.
func (d *decoder) block(n *yaml.Node, v reflect.Value) {
	fields := d.keys(v.Type())
	if !d.isMapping(n, fields) {
		return
	}
	d.pairs(n, func(key, value *yaml.Node) {
		for _, f := range fields {
			if f.name == key.Value {
				d.value(value, v.FieldByIndex(f.index))
				d.words(f, value)
				return
			}
		}
		d.fault(key.Line, "unknown key %s%s", key.Value, Meant(key.Value, names(fields)))
	})
	if p := v.FieldByName("Pos"); p.IsValid() {
		p.Set(reflect.ValueOf(d.pos(n)))
	}
}

func (d *decoder) keys(t reflect.Type) []key {
	keys, ok := d.known[t]
	if !ok {
		keys = keysOf(t)
		d.known[t] = keys
	}
	return keys
}

// words checks a value, or each of a list, against the words that key k may have.
func (d *decoder) words(k key, n *yaml.Node) {
	if k.words == nil {
		return
	}
	values := []*yaml.Node{n}
	if n.Kind == yaml.SequenceNode {
		values = n.Content
	}
	for _, v := range values {
		if v.Kind == yaml.ScalarNode && v.Tag != "!!null" && !slices.Contains(k.words, v.Value) {
			d.fault(v.Line, "%s is %s, not %q%s", k.name, either(k.words), v.Value, Closest(v.Value, k.words))
		}
	}
}

// mapping reads a mapping of the author's own names.
func (d *decoder) mapping(n *yaml.Node, v reflect.Value) {
	if !d.isMapping(n, nil) {
		return
	}
	d.pairs(n, func(key, value *yaml.Node) {
		e := reflect.New(v.Type().Elem())
		k, slot := e.Interface().(keyed).slots()
		*k = Text{key.Value, d.pos(key)}
		d.value(value, reflect.ValueOf(slot).Elem())
		v.Set(reflect.Append(v, e.Elem()))
	})
}

// list reads a sequence; a single scalar is a list of one.
func (d *decoder) list(n *yaml.Node, v reflect.Value) {
	items := n.Content
	if n.Kind != yaml.SequenceNode {
		if n.Kind != yaml.ScalarNode {
			d.fault(n.Line, "a list is wanted here: [a, b]")
			return
		}
		items = []*yaml.Node{n}
	}
	for _, item := range items {
		e := reflect.New(v.Type().Elem())
		d.value(item, e.Elem())
		v.Set(reflect.Append(v, e.Elem()))
	}
	if v.IsNil() {
		v.Set(reflect.MakeSlice(v.Type(), 0, 0))
	}
}

func (d *decoder) isMapping(n *yaml.Node, keys []key) bool {
	if n.Kind == yaml.MappingNode {
		return true
	}
	want := "name: value"
	if len(keys) > 0 {
		want = strings.Join(names(keys[:min(len(keys), 4)]), ", ")
	}
	d.fault(n.Line, "keys with values are wanted here: %s", want)
	return false
}

// pairs calls f for each key of a mapping, once.
func (d *decoder) pairs(n *yaml.Node, f func(key, value *yaml.Node)) {
	seen := map[string]int{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		switch {
		case key.Kind != yaml.ScalarNode:
			d.fault(key.Line, "a key must be a word")
			continue
		case key.Tag == "!!null":
			d.fault(key.Line, "YAML reads the key %q as no value; the setting for words that mean null is empty: (put another name in quotes)", key.Value)
			continue
		case key.Tag == "!!merge":
			d.fault(key.Line, "<< is not used here: write the keys out, or use like: in feeds")
			continue
		case seen[key.Value] != 0:
			d.fault(key.Line, "key %s stands twice, first in line %d", key.Value, seen[key.Value])
			continue
		}
		seen[key.Value] = key.Line
		f(key, value)
	}
}

// scalar returns the text of a node that must be a single value.
func (d *decoder) scalar(n *yaml.Node) (string, bool) {
	switch {
	case n.Kind == yaml.AliasNode || n.Anchor != "":
		d.fault(n.Line, "anchors and aliases are not used here: write the value out, or use like: in feeds")
	case n.Kind != yaml.ScalarNode:
		d.fault(n.Line, "a single value is wanted here (quote expressions that contain braces, brackets or colons)")
	case n.Tag == "!!null":
		d.fault(n.Line, "the key has no value: write one, or leave the key out")
	default:
		return n.Value, true
	}
	return "", false
}

func (t *Text) decode(d *decoder, n *yaml.Node) {
	if s, ok := d.scalar(n); ok {
		*t = Text{s, d.pos(n)}
	}
}

// set reports whether the key was written.
func (t Text) set() bool { return t.Pos.Line > 0 }

// key is one documented key of a YAML struct.
type key struct {
	name     string
	doc      string // the doc tag
	words    []string
	required bool
	own      bool // not inherited through like
	index    []int
	typ      reflect.Type
}

// keysOf lists the keys of a YAML struct: its fields with a yaml tag, and those of embedded structs.
func keysOf(t reflect.Type) []key {
	var out []key
	for _, f := range reflect.VisibleFields(t) {
		name, options, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		if name == "" {
			continue
		}
		k := key{name: name, doc: f.Tag.Get("doc"), index: f.Index, typ: f.Type}
		k.required = strings.Contains(options, "required")
		k.own = strings.Contains(options, "own")
		if w := f.Tag.Get("words"); w != "" {
			k.words = strings.Split(w, " ")
		}
		out = append(out, k)
	}
	return out
}

func names(keys []key) []string {
	out := make([]string, len(keys))
	for i, k := range keys {
		out[i] = k.name
	}
	return out
}
