package transform

import (
	"medlake/shared/lake"
	"medlake/shared/metadata"
	"medlake/shared/transform/column"
)

// Rejects is table ops.rejects: one row for every row that was not taken. It holds coordinates and the rule, never a value.
// It is one more table of every run.
func Rejects() *metadata.Table {
	str, long := lake.Type{Kind: lake.String}, lake.Type{Kind: lake.Long}
	return &metadata.Table{
		Name: "rejects", Namespace: "ops", Grain: "one row a rejected row",
		Doc: "Rows that were not taken, by coordinates and rule. The row itself is read from landing.",
		Columns: []metadata.Column{
			{Name: "table_name", Type: str, Required: true, Doc: "The table the row was meant for."},
			{Name: "line", Type: long, Doc: "Line the record begins at, from 1."},
			{Name: "column_name", Type: str, Doc: "The column at fault; null if the rule is about the row."},
			{Name: "rule", Type: str, Required: true, Doc: "The check that was broken, or type, required, ragged, quote."},
		},
		New: "ignore", Missing: "warn", Mismatch: "reject",
		Partition: []string{"customer", "month(_arrived_at)"},
	}
}

// keptRejects is how many rejects of a run are kept in memory for Run.Rejects.
const keptRejects = 1000

// reject notes a row that was not taken.
func (r *Run) reject(t *filling, rule, columnName string) error {
	t.rejected++
	row := r.frame.row
	if len(r.kept) < keptRejects {
		r.kept = append(r.kept, lake.Reject{
			Table: t.plan.table.ID(), Entry: r.entry, Row: row.Row, Line: int64(row.Line), Column: columnName, Rule: rule,
		})
	}
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
