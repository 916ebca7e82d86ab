package metadata

import (
	"bytes"
	"encoding/json"
	"reflect"
)

// object is a JSON Schema.
type object = map[string]any

// things are the kinds of files, with the folder each lies in.
var things = []struct {
	name, place, about string
	keys               reflect.Type
}{
	{"feed", "feeds/*.yaml", "A feed says how the files of one kind become rows.", reflect.TypeFor[feedYAML]()},
	{"table", "tables/*.yaml", "A table says what its rows and columns mean and which rows are good.", reflect.TypeFor[tableYAML]()},
	{"customer", "customers/<id>/customer.yaml", "A customer is who sends files and owns the rows in them. Beside it lies facilities.csv (code,id,name,kind,zone,npi,beds); every CSV file there can be looked up by ref().", reflect.TypeFor[customerYAML]()},
	{"report", "reports/*.yaml", "A report is a query that is run and delivered.", reflect.TypeFor[reportYAML]()},
}

// SchemaJSON returns the JSON Schema of all kinds of metadata files, for editors.
func SchemaJSON() []byte {
	var kinds []any
	defs := object{}
	for _, t := range things {
		defs[t.name] = schemaOf(t.keys)
		defs[t.name].(object)["title"] = t.place
		defs[t.name].(object)["description"] = t.about
		kinds = append(kinds, object{"if": object{"required": []string{t.name}}, "then": object{"$ref": "#/definitions/" + t.name}})
	}
	var required []any
	for _, t := range things {
		required = append(required, object{"required": []string{t.name}})
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", " ")
	if err := enc.Encode(object{
		"$schema":     "http://json-schema.org/draft-07/schema#",
		"title":       "Medlake metadata",
		"type":        "object",
		"anyOf":       required,
		"allOf":       kinds,
		"definitions": defs,
	}); err != nil {
		panic(err) // a map of strings can always be encoded
	}
	return b.Bytes()
}

func scalar() object { return object{"type": []string{"string", "number", "boolean"}} }

// schemaOf makes the schema of one type of the YAML structs.
func schemaOf(t reflect.Type) object {
	switch t {
	case reflect.TypeFor[Text]():
		return scalar()
	case reflect.TypeFor[intoMap]():
		table := schemaOf(reflect.TypeFor[intoYAML]())
		table["type"] = []string{"object", "null"}
		return object{"anyOf": []any{object{"type": "string"}, object{"type": "object", "additionalProperties": table}}}
	case reflect.TypeFor[column]():
		return object{"anyOf": []any{object{"type": "string"}, schemaOf(reflect.TypeFor[columnYAML]())}}
	case reflect.TypeFor[samples]():
		return object{"anyOf": []any{object{"type": "string"}, object{"type": "object", "additionalProperties": object{"type": "string"}}}}
	case reflect.TypeFor[expectYAML]():
		return object{"type": "object", "additionalProperties": object{"type": []string{"string", "number", "boolean", "null"}}}
	}
	switch t.Kind() {
	case reflect.Pointer:
		return schemaOf(t.Elem())
	case reflect.Slice:
		if reflect.PointerTo(t.Elem()).Implements(reflect.TypeFor[keyed]()) {
			f, _ := t.Elem().FieldByName("Value")
			return object{"type": "object", "additionalProperties": schemaOf(f.Type)}
		}
		items := schemaOf(t.Elem())
		return object{"anyOf": []any{object{"type": "array", "items": items}, items}}
	}
	props, required := object{}, []string{}
	for _, k := range keysOf(t) {
		p := schemaOf(k.typ)
		if k.words != nil {
			p = withWords(p, k)
		}
		p["description"] = k.doc
		props[k.name] = p
		if k.required {
			required = append(required, k.name)
		}
	}
	s := object{"type": "object", "properties": props, "additionalProperties": false}
	if len(required) > 0 {
		s["required"] = required
	}
	return s
}

// withWords narrows a value, or a list of values, to the words a key may have.
func withWords(p object, k key) object {
	one := object{"enum": k.words}
	if k.typ.Kind() == reflect.Slice {
		return object{"anyOf": []any{object{"type": "array", "items": one}, one}}
	}
	return one
}
