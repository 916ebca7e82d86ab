package metadata

import "gopkg.in/yaml.v3"

// The forms below can be written in more than one way.

// intoMap is the name of one table, or tables with keys of their own.
type intoMap []entry[intoYAML]

func (m *intoMap) decode(d *decoder, n *yaml.Node) {
	if n.Kind == yaml.ScalarNode {
		var t Text
		if t.decode(d, n); t.set() {
			*m = intoMap{{Key: t, Value: intoYAML{Pos: t.Pos}}}
		}
		return
	}
	if n.Kind == yaml.MappingNode {
		for i := 1; i < len(n.Content); i += 2 { // `conditions:` with nothing below takes everything from the feed
			if v := n.Content[i]; v.Kind == yaml.ScalarNode && v.Tag == "!!null" && v.Anchor == "" {
				v.Kind, v.Tag, v.Value = yaml.MappingNode, "!!map", ""
			}
		}
	}
	d.into(n, (*[]entry[intoYAML])(m))
}

// column is a type, or {type:, doc:}.
type column struct {
	Pos
	columnYAML
}

func (c *column) decode(d *decoder, n *yaml.Node) {
	c.Pos = d.pos(n)
	if n.Kind == yaml.ScalarNode {
		c.Type.decode(d, n)
		return
	}
	d.into(n, &c.columnYAML)
	if n.Kind == yaml.MappingNode && !c.Type.set() {
		d.fault(n.Line, "the column has no type")
	}
}

// samples is one text, or a text for each member.
type samples []Named

func (s *samples) decode(d *decoder, n *yaml.Node) {
	if n.Kind != yaml.MappingNode {
		var t Text
		if t.decode(d, n); t.set() {
			*s = samples{{Text: t}}
		}
		return
	}
	var m []entry[Text]
	d.into(n, &m)
	*s = named(m)
}

// expectYAML is one wanted row.
type expectYAML struct {
	Expect
	table Text
}

func (e *expectYAML) decode(d *decoder, n *yaml.Node) {
	e.Pos = d.pos(n)
	if !d.isMapping(n, nil) {
		return
	}
	e.Nulls = map[string]bool{}
	d.pairs(n, func(key, value *yaml.Node) {
		if value.Kind == yaml.ScalarNode && value.Tag == "!!null" && value.Anchor == "" {
			e.Nulls[key.Value] = true
			e.Values = append(e.Values, Named{key.Value, Text{"", d.pos(value)}})
			return
		}
		text, ok := d.scalar(value)
		if !ok {
			return
		}
		switch key.Value {
		case "table":
			e.Table, e.table = text, Text{text, d.pos(value)}
		case "rejected":
			e.Rejected = text
		case "filtered":
			if text != "true" {
				d.fault(value.Line, "filtered is true, or not written")
			}
			e.Filtered = true
		default:
			e.Values = append(e.Values, Named{key.Value, Text{text, d.pos(value)}})
		}
	})
	if (e.Filtered || e.Rejected != "") && len(e.Nulls) > 0 || e.Filtered && (e.Rejected != "" || len(e.Values) > 0) {
		d.fault(n.Line, "a row is filtered, rejected, or has values")
	}
}

func named(m []entry[Text]) []Named {
	if m == nil {
		return nil
	}
	out := make([]Named, len(m))
	for i, e := range m {
		out[i] = Named{e.Key.Value, e.Value}
	}
	return out
}

func values(list []Text) []string {
	if list == nil {
		return nil
	}
	out := make([]string, len(list))
	for i, t := range list {
		out[i] = t.Value
	}
	return out
}
