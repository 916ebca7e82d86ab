package transform

import (
	"slices"
	"unicode/utf8"

	"medlake/shared/lake"
)

// extra is a source column that no table asked for.
type extra struct {
	name []byte // as a JSON key: "NAME":
	slot int
}

// findExtras notes the member's unknown columns, in the order of the header, and what the table's contract says about
// them. A column that another table of the same member takes is known.
func (r *Run) findExtras(t *filling) error {
	t.extras = t.extras[:0]
	if t.plan.table.New == "ignore" {
		return nil
	}
	missing := r.csv.Missing()
	for slot, name := range r.program.wants {
		if !r.known(slot) && !slices.Contains(missing, slot) {
			t.extras = append(t.extras, extra{jsonKey(name), slot})
		}
	}
	for i, name := range r.csv.Extra() {
		t.extras = append(t.extras, extra{jsonKey(name), len(r.program.wants) + i})
	}
	if len(t.extras) > 0 && t.plan.table.New == "freeze" {
		t.extras = t.extras[:0]
		return &lake.Refusal{Reason: lake.Malformed, Where: lake.Where{Entry: -1, Line: 1, Rule: "new"}}
	}
	return nil
}

// known reports whether a table that wants the current member uses the field.
func (r *Run) known(slot int) bool {
	for _, t := range r.tables {
		if _, ok := t.plan.slots[slot]; ok && t.wanted {
			return true
		}
	}
	return false
}

// appendExtra fills _extra: the row's unknown columns that are not empty as a JSON object, or null.
func (t *filling) appendExtra(f *frame) {
	c := &t.batch.Columns[t.plan.extra]
	b := t.text[:0]
	for i := range t.extras {
		v := f.field(t.extras[i].slot)
		if len(v) == 0 {
			continue
		}
		if len(b) == 0 {
			b = append(b, '{')
		} else {
			b = append(b, ',')
		}
		b = append(b, t.extras[i].name...)
		b = appendJSON(b, v)
	}
	if len(b) == 0 {
		c.AppendNull()
		return
	}
	b = append(b, '}')
	c.AppendText(b)
	t.text = b
}

func jsonKey(name string) []byte { return append(appendJSON(nil, []byte(name)), ':') }

// appendJSON adds v as a JSON string.
func appendJSON(b, v []byte) []byte {
	const hex = "0123456789abcdef"
	b = append(b, '"')
	for i := 0; i < len(v); {
		c := v[i]
		switch {
		case c == '"' || c == '\\':
			b = append(b, '\\', c)
		case c == '\n':
			b = append(b, '\\', 'n')
		case c == '\r':
			b = append(b, '\\', 'r')
		case c == '\t':
			b = append(b, '\\', 't')
		case c < ' ':
			b = append(b, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		case c < utf8.RuneSelf:
			b = append(b, c)
		default:
			r, n := utf8.DecodeRune(v[i:])
			b = utf8.AppendRune(b, r)
			i += n
			continue
		}
		i++
	}
	return append(b, '"')
}
