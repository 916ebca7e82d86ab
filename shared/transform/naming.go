package transform

import (
	"bytes"
	"slices"

	"medlake/shared/format"
	"medlake/shared/format/csv"
)

// identifying are the kinds of protected columns that say who a row is about.
var identifying = []string{"id", "mrn", "member"}

// Identifying lists the columns of the set's tables that say who a row is about, by table as it is stored.
func (l *Library) Identifying() map[string][]string {
	of := map[string][]string{}
	for _, t := range l.set.Tables {
		for _, c := range t.Columns {
			if slices.Contains(identifying, c.PHI) {
				of[t.Target()] = append(of[t.Target()], c.Name)
			}
		}
	}
	return of
}

// Naming finds the records of a member, by format.Row.Row, that name somebody by an id in a field of which an identifying
// column is made, whether the table takes them, rejects them or leaves them out. A row of XML stands for the member as a
// whole: 0. read is false if no table wants the member. The error is a *lake.Refusal if the member is at fault.
func (m *Match) Naming(name string, src format.Source, id string) (rows []int64, read bool, err error) {
	p := m.Program
	slots := map[int][]int{} // of fields that identify, by group of XML; all are group 0 for CSV
	for i, pl := range p.plans {
		if _, ok := pl.into.Entry.Match(name); !ok {
			continue
		}
		if read = true; p.xml == nil {
			i = 0
		}
		for _, c := range pl.columns {
			if slices.Contains(identifying, c.PHI) {
				slots[i] = append(slots[i], slotsOf(c.op)...)
			}
		}
	}
	if len(slots) == 0 {
		return nil, read, nil
	}
	find := func(r *format.Row) error {
		if !slices.ContainsFunc(slots[r.Group], func(s int) bool { return s < len(r.Fields) && string(bytes.TrimSpace(r.Fields[s])) == id }) {
			return nil
		}
		row := r.Row
		if p.xml != nil {
			row = 0
		}
		if len(rows) == 0 || rows[len(rows)-1] != row {
			rows = append(rows, row)
		}
		return nil
	}
	if p.xml != nil {
		err = p.xml.NewDecoder().Decode(src, find)
		return rows, read, err
	}
	d, err := p.csv.NewDecoder(p.wants)
	if err != nil {
		return nil, read, err
	}
	err = d.Decode(src, find)
	return rows, read, err
}

// Text tells how the feed's members are read, if they are delimited text.
func (p *Program) Text() (cfg csv.Config, ok bool) { return p.csv, p.xml == nil }
