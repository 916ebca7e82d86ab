package metadata

import (
	"slices"

	"medlake/shared/lake"
)

// expect checks the wanted rows against their tables.
func (l *loader) expect(y *feedYAML, f *Feed, tables []*Table) []Expect {
	if len(y.Expect) > 0 && len(y.Sample) == 0 {
		l.add(y.Expect[0].Pos, "expect needs a sample")
	}
	for _, s := range y.Sample {
		wanted := slices.ContainsFunc(f.Into, func(in *Into) bool { _, ok := in.Entry.Match(s.Name); return ok })
		if s.Name != "" && !wanted {
			l.add(s.Pos, "sample: no table wants a member called %s", s.Name)
		}
	}
	var out []Expect
	for _, e := range y.Expect {
		t := l.expected(e, tables)
		if t != nil {
			e.Expect.Table = t.ID()
			for _, v := range e.Values {
				if t.Column(v.Name) == nil && v.Name != lake.ColExtra {
					l.add(v.Pos, "expect: table %s has no column %s%s", t.Name, v.Name, Meant(v.Name, t.columnNames()))
				}
			}
			if e.Rejected != "" {
				known := slices.Clone(builtinRules)
				for _, c := range t.Checks {
					known = append(known, c.Name)
				}
				if !slices.Contains(known, e.Rejected) {
					l.add(e.Pos, "expect: table %s has no rule %s%s", t.Name, e.Rejected, Meant(e.Rejected, known))
				}
			}
		}
		out = append(out, e.Expect)
	}
	return out
}

func (l *loader) expected(e expectYAML, tables []*Table) *Table {
	if e.Table == "" {
		if len(tables) == 1 {
			return tables[0]
		}
		l.add(e.Pos, "expect: the feed fills %d tables, so say which: table: name", len(tables))
		return nil
	}
	var known []string
	for _, t := range tables {
		if t == nil {
			return nil
		}
		if t.ID() == e.Table || t.ID() == "lake."+e.Table {
			return t
		}
		known = append(known, t.Name)
	}
	l.add(e.table.Pos, "expect: the feed does not fill table %s%s", e.Table, Meant(e.Table, known))
	return nil
}
