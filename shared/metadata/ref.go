package metadata

import (
	"encoding/csv"
	"errors"
	"io"
	"path"
	"slices"
	"strconv"
	"strings"

	"medlake/shared/lake"
)

// Ref is a reference CSV: the first column is the key, unique in the file.
type Ref struct {
	Columns []string
	Types   []lake.Type         // one a column; string, but long for id and beds of facilities
	Rows    map[string][]string // key -> the row's values, Columns long; an empty value is a null
}

// Ref returns the columns and types of the reference called name; every customer's file of that name has the same.
func (s *Set) Ref(name string) (columns []string, types []lake.Type, ok bool) {
	r := s.shapes[name]
	if r == nil {
		return nil, nil, false
	}
	return r.Columns, r.Types, true
}

// Refs returns the reference called name as customer sees it: the customer's own file, which comes first, and the shared
// one; nil where there is none.
func (s *Set) Refs(customer, name string) [2]*Ref {
	return [2]*Ref{s.refs[customer+"/"+name], s.refs[name]}
}

// Lookup returns the row of reference name for key: from the customer's own file first, then from the shared one. The
// row has the columns that Ref returns.
func (s *Set) Lookup(customer, name, key string) (row []string, ok bool) {
	for _, r := range s.Refs(customer, name) {
		if r != nil {
			if row, ok := r.Rows[key]; ok {
				return row, true
			}
		}
	}
	return nil, false
}

const facilitiesRef = "facilities"

var facilityColumns = []string{"code", "id", "name", "kind", "zone", "npi", "beds"}

func emptyFacilities() *Ref {
	r := &Ref{Columns: facilityColumns}
	for _, c := range facilityColumns {
		t := lake.Type{Kind: lake.String}
		if c == "id" || c == "beds" {
			t.Kind = lake.Long
		}
		r.Types = append(r.Types, t)
	}
	return r
}

// readRefs reads ref/*.csv and the CSV files of every customer.
func (l *loader) readRefs() {
	from := map[string]string{} // reference -> the file that fixed its columns
	for _, file := range l.glob("ref", ".csv") {
		if name := refName(file); name == facilitiesRef {
			l.add(Pos{file, 1}, "facilities belong to a customer: put the file into its folder")
		} else {
			l.ref(file, name, name, from)
		}
	}
	for _, c := range l.set.Customers {
		for _, file := range l.glob(path.Dir(c.File), ".csv") {
			name := refName(file)
			rows := l.ref(file, name, c.ID+"/"+name, from)
			if name == facilitiesRef {
				l.facilities(c, file, rows)
			}
		}
	}
}

func refName(file string) string { return strings.TrimSuffix(path.Base(file), ".csv") }

// refRow is a row with its line.
type refRow struct {
	line   int
	values []string
}

func (l *loader) ref(file, name, key string, from map[string]string) []refRow {
	text, ok := l.read(file)
	if !ok {
		return nil
	}
	if !isName(name) {
		l.add(Pos{file, 1}, "%q is not a name: lower case letters, digits and _, starting with a letter", name)
	}
	columns, rows, ok := l.csv(file, text)
	if !ok {
		return nil
	}
	shape := l.set.shapes[name]
	switch {
	case shape == nil:
		shape = &Ref{Columns: columns, Types: make([]lake.Type, len(columns))}
		for i := range shape.Types {
			shape.Types[i].Kind = lake.String
		}
		l.set.shapes[name], from[name] = shape, file
	case !slices.Equal(columns, shape.Columns) && name == facilitiesRef:
		l.add(Pos{file, 1}, "the columns of facilities.csv are %s", strings.Join(shape.Columns, ","))
		return nil
	case !slices.Equal(columns, shape.Columns):
		l.add(Pos{file, 1}, "the columns are not those of %s: %s", from[name], strings.Join(shape.Columns, ","))
		return nil
	}
	r := &Ref{Columns: shape.Columns, Types: shape.Types, Rows: make(map[string][]string, len(rows))}
	lines := map[string]int{}
	for _, row := range rows {
		k := row.values[0]
		if first, twice := lines[k]; twice {
			l.add(Pos{file, row.line}, "key %q stands twice, first in line %d", k, first)
			continue
		}
		lines[k] = row.line
		if k == "" {
			l.add(Pos{file, row.line}, "the key in column %s is empty", columns[0])
		}
		r.Rows[k] = row.values
	}
	l.set.refs[key] = r
	return rows
}

func (l *loader) csv(file, text string) (columns []string, rows []refRow, ok bool) {
	r := csv.NewReader(strings.NewReader(text))
	r.FieldsPerRecord = -1
	for {
		rec, err := r.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			line := 1
			var p *csv.ParseError
			if errors.As(err, &p) {
				line, err = max(p.Line, 1), p.Err
			}
			l.add(Pos{file, line}, "not CSV: %v", err)
			return nil, nil, false
		}
		line, _ := r.FieldPos(0)
		if columns == nil {
			columns = rec
			continue
		}
		if len(rec) != len(columns) {
			l.add(Pos{file, line}, "the row has %d fields, the header %d", len(rec), len(columns))
			continue
		}
		rows = append(rows, refRow{line, rec})
	}
	if columns == nil {
		l.add(Pos{file, 1}, "the file is empty: the first line names the columns")
		return nil, nil, false
	}
	for i, c := range columns {
		if !isIdentifier(c) {
			l.add(Pos{file, 1}, "column %q is not a name of letters, digits and _", c)
		}
		if slices.Contains(columns[:i], c) {
			l.add(Pos{file, 1}, "column %s stands twice", c)
		}
	}
	return columns, rows, true
}

// facilities turns the rows of facilities.csv into the customer's facilities. One facility (id) may have several codes.
func (l *loader) facilities(c *Customer, file string, rows []refRow) {
	number := func(row refRow, i int, empty bool) int64 {
		if empty && row.values[i] == "" {
			return 0
		}
		n, err := strconv.ParseInt(row.values[i], 10, 64)
		if err != nil || n < 0 {
			l.add(Pos{file, row.line}, "column %s: %q is not a whole number", facilityColumns[i], row.values[i])
		}
		return n
	}
	for _, row := range rows {
		v := row.values
		f := Facility{Code: v[0], ID: number(row, 1, false), Name: v[2], Kind: v[3], NPI: v[5], Beds: number(row, 6, true)}
		if v[4] != "" {
			f.Zone = l.zone(Text{v[4], Pos{file, row.line}})
		}
		c.Facilities = append(c.Facilities, f)
	}
}
