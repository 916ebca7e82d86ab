package transform

import (
	"medlake/shared/lake"
	"medlake/shared/metadata"
	"medlake/shared/transform/column"
)

// Rejects is table ops.rejects: one row for every row that was not taken. It holds coordinates and the rule, never a value.
// It is one more table of every run.
func Rejects() *metadata.Table {
	s := lake.RejectsSchema()
	t := &metadata.Table{
		Name: "rejects", Namespace: "ops", Grain: "one row a rejected row", Doc: s.Doc,
		New: "ignore", Missing: "warn", Mismatch: "reject", Partition: s.Partition, Sort: s.Sort,
	}
	for _, c := range s.Columns[systemColumns : len(s.Columns)-1] { // between those that every table has
		t.Columns = append(t.Columns, metadata.Column{Name: c.Name, Type: c.Type, Required: c.Required, Doc: c.Doc})
	}
	return t
}

// reject notes a row that was not taken.
func (r *Run) reject(t *filling, rule, columnName string) error {
	t.rejected++
	row := r.frame.row
	b := r.rejects
	appendPlace(b, r.entry, row.Row)
	c := b.Columns[systemColumns:]
	c[0].AppendString(t.plan.table.ID())
	if row.Line > 0 {
		c[1].AppendInt(int64(row.Line))
	} else {
		c[1].AppendNull()
	}
	if columnName != "" {
		c[2].AppendString(columnName)
	} else {
		c[2].AppendNull()
	}
	c[3].AppendString(rule)
	c[4].AppendNull()
	b.EndRow()
	r.rejected++
	if b.Rows >= r.origin.BatchRows {
		return r.flush(len(r.tables), b)
	}
	return nil
}

// appendPlace adds the system columns that differ from row to row; flush fills the others.
func appendPlace(b *column.Batch, entry int, row int64) {
	b.Columns[atEntry].AppendInt(int64(entry))
	b.Columns[atRow].AppendInt(row)
}
