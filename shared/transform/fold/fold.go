// Package fold works out what a changing table shows of a key: the key's rows in the log, folded in their total order. It
// is pure: rows are rows of batches, and where they come from and go to is not its concern. What it gives for a set of
// rows does not depend on how they are cut into batches. It is the twin of the views that package query makes.
package fold

import (
	"slices"

	"medlake/shared/lake"
	"medlake/shared/metadata"
	"medlake/shared/transform/column"
)

// Condition tells whether an expression holds in a row. It is safe for concurrent use.
type Condition func(r *Rows, row int) bool

// Conditions are the compiled expressions of a table's `change`.
type Conditions struct {
	Names  []string             // columns the conditions read, by the number they give Rows.Value
	Delete Condition            // nil: rows delete nothing
	Merge  Condition            // of merge_on; nil: rows merge nothing
	Only   map[string]Condition // by column
}

// Fold is the compiled `change` of one table. It is immutable and safe for concurrent use.
type Fold struct {
	version string
	columns []string
	key     []int // by columns; customer first
	order   []int // by columns; the total order, first counts most
	rules   []rule
	delete  Condition
	merge   Condition
	from    int // column with the key that is merged away; -1: none
	sets    bool
}

// rule is a column that not every row may change.
type rule struct {
	name string
	at   int       // in columns
	keep bool      // a null changes nothing
	only Condition // nil: any row
}

// Ref is a row and which of its keys is meant.
type Ref struct {
	Rows   *Rows
	Row    int
	Merged bool // the key that the row merges away; otherwise its own
}

// New makes the fold of a table that changes.
func New(t *metadata.Table, c Conditions) *Fold {
	f := &Fold{version: version(t), columns: slices.Clone(c.Names), delete: c.Delete, merge: c.Merge, from: -1, sets: len(t.Change.Replace) > 0}
	key, order := t.Key, t.Change.Order
	if f.sets {
		key, order = t.Change.Replace, nil
	}
	f.key = append(f.key, f.need(lake.ColCustomer))
	for _, k := range key {
		if k != lake.ColCustomer {
			f.key = append(f.key, f.need(k))
		}
	}
	for _, o := range slices.Concat(order, []string{lake.ColArrivedAt, lake.ColLoad, lake.ColEntry, lake.ColRow}) {
		f.order = append(f.order, f.need(o))
	}
	for _, col := range t.Columns {
		r := rule{name: col.Name, keep: slices.Contains(t.Change.Keep, col.Name), only: c.Only[col.Name]}
		if r.keep || r.only != nil {
			r.at = f.need(col.Name)
			f.rules = append(f.rules, r)
		}
	}
	if f.merge != nil {
		f.from = f.need(t.Change.MergeOn.From)
	}
	return f
}

// need is the number of a column the fold reads.
func (f *Fold) need(name string) int {
	if i := slices.Index(f.columns, name); i >= 0 {
		return i
	}
	f.columns = append(f.columns, name)
	return len(f.columns) - 1
}

// Version changes whenever the same rows could fold to something else.
func (f *Fold) Version() string { return f.version }

// Columns are the columns that a fold must see of every row, also of a row that is a state: the key, the order, the
// columns not every row may change, and what the conditions read. All others are those of the latest row.
func (f *Fold) Columns() []string { return f.columns }

// From is the column that may hold a second key of a row, in the place of the last key column; empty: rows have one key.
func (f *Fold) From() string {
	if f.from < 0 {
		return ""
	}
	return f.columns[f.from]
}

// Sets reports whether a key shows all rows of its latest load, instead of one row.
func (f *Fold) Sets() bool { return f.sets }

// Rows makes the rows of a batch accessible. The batch must have Columns and not change while the rows are in use.
func (f *Fold) Rows(b *column.Batch) *Rows {
	r := &Rows{batch: b, need: make([]int, len(f.columns)), places: make([][]int32, len(b.Columns))}
	for i, name := range f.columns {
		r.need[i] = slices.IndexFunc(b.Columns, func(c column.Column) bool { return c.Name == name })
	}
	return r
}

// Refs appends what a row touches: its own key, and the one it merges away, if it does.
func (f *Fold) Refs(r *Rows, row int, into []Ref) []Ref {
	into = append(into, Ref{Rows: r, Row: row})
	if f.merge == nil || !f.merge(r, row) {
		return into
	}
	last := f.key[len(f.key)-1]
	if _, i := r.Value(f.from, row); i < 0 || r.compare(f.from, row, r, last, row) == 0 {
		return into
	}
	return append(into, Ref{Rows: r, Row: row, Merged: true})
}

// Compare is the total order of rows: negative if a comes before b. Only the same row is equal.
func (f *Fold) Compare(a, b Ref) int {
	for _, col := range f.order {
		if c := a.Rows.compare(col, a.Row, b.Rows, col, b.Row); c != 0 {
			return c
		}
	}
	return 0
}
