package query

import (
	"fmt"
	"slices"
	"strings"

	"medlake/shared/lake"
	"medlake/shared/metadata"
)

// fold makes the view of a changing table: each key's log rows, folded in their total order. The latest row gives the
// values; a column under `keep` takes the latest value that is not null, a column under `only` the latest value of a row
// for which its expression holds; a key whose latest row is a delete is hidden. The order is that of DESIGN: the columns
// of `order` (the larger wins, nulls first), then _arrived_at, _load, _entry, _row, so that no two rows tie.
func fold(t *metadata.Table) (View, error) {
	s := t.Schema()
	conditions, faults := compile(t)
	if len(faults) > 0 {
		return View{}, faults[0]
	}
	var outer, inner []string
	for _, c := range s.Columns {
		outer = append(outer, Ident(c.Name))
		inner = append(inner, columnSQL(t, c.Name, conditions))
	}
	deleted := "false"
	if d, ok := conditions[deleteKey]; ok {
		deleted = d
	}
	return View{Name: t.ID(), SQL: fmt.Sprintf(
		"SELECT %s FROM (SELECT %s, row_number() OVER latest AS _medlake_n, %s AS _medlake_deleted FROM %s AS t WINDOW latest AS (PARTITION BY %s ORDER BY %s)) AS folded WHERE _medlake_n = 1 AND NOT _medlake_deleted",
		strings.Join(outer, ", "), strings.Join(inner, ", "), deleted, Idents(t.Target()), keySQL(t), orderSQL(t))}, nil
}

// columnSQL is a column's value in the latest row of its key.
func columnSQL(t *metadata.Table, name string, conditions map[string]string) string {
	col := "t." + Ident(name)
	var when []string
	if cond, ok := conditions[name]; ok {
		when = append(when, cond)
	}
	if slices.Contains(t.Change.Keep, name) {
		when = append(when, col+" IS NOT NULL")
	}
	if len(when) == 0 {
		return col
	}
	// The struct tells a null that a row may set from a row that may not set anything.
	return fmt.Sprintf("struct_extract(first_value(CASE WHEN %s THEN struct_pack(v := %s) END IGNORE NULLS) OVER (latest ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING), 'v') AS %s",
		strings.Join(when, " AND "), col, Ident(name))
}

func keySQL(t *metadata.Table) string {
	cols := []string{"t." + Ident(lake.ColCustomer)}
	for _, k := range t.Key {
		if k != lake.ColCustomer {
			cols = append(cols, "t."+Ident(k))
		}
	}
	return strings.Join(cols, ", ")
}

func orderSQL(t *metadata.Table) string {
	var cols []string
	for _, c := range slices.Concat(t.Change.Order, []string{lake.ColArrivedAt, lake.ColLoad, lake.ColEntry, lake.ColRow}) {
		cols = append(cols, "t."+Ident(c)+" DESC NULLS LAST")
	}
	return strings.Join(cols, ", ")
}
