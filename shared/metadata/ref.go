package metadata

import "medlake/shared/lake"

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

// Lookup returns the row of reference name for key: from the customer's own file first, then from the shared one. The
// row has the columns that Ref returns.
func (s *Set) Lookup(customer, name, key string) (row []string, ok bool) {
	if r := s.refs[customer+"/"+name]; r != nil {
		if row, ok := r.Rows[key]; ok {
			return row, true
		}
	}
	if r := s.refs[name]; r != nil {
		row, ok = r.Rows[key]
	}
	return row, ok
}
