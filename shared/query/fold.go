package query

import (
	"fmt"
	"slices"
	"strings"

	"medlake/shared/lake"
	"medlake/shared/metadata"
)

// Columns of a history besides the table's own.
const (
	colValidFrom = "_valid_from"
	colValidTo   = "_valid_to"
)

// historyOf is the name of the view of all versions of a changing table's rows.
func historyOf(t *metadata.Table) string { return t.ID() + "_history" }

// current makes the view of what a changing table shows: each key's log rows, folded in their total order. The latest row
// gives the values; a column under `keep` takes the latest value that is not null, a column under `only` the latest value
// of a row for which its expression holds; a key is hidden if its latest row is a delete, or one that merged it into
// another key. The columns of `order` count most (the larger wins, nulls first), then _arrived_at, _load, _entry, _row, so
// that no two rows tie.
func current(t *metadata.Table) (View, error) {
	versions, err := versionsOf(t)
	return View{Name: t.ID(), SQL: "SELECT " + columnsSQL(t) + " FROM (" + versions + ") AS folded WHERE _medlake_n = 1 AND NOT _medlake_hidden"}, err
}

// history makes the view of all that a changing table would have shown if its rows had come in order: each row with the
// time, by the first column of `order`, from which and up to which it held; to is null for what holds now. What held for
// no time is left out, and so are the times in which a key was deleted.
func history(t *metadata.Table) (View, error) {
	versions, err := versionsOf(t)
	return View{Name: historyOf(t), SQL: "SELECT " + columnsSQL(t) + ", " + colValidFrom + ", " + colValidTo + " FROM (" + versions +
		") AS folded WHERE NOT _medlake_hidden AND (_medlake_n = 1 OR " + colValidFrom + " IS DISTINCT FROM " + colValidTo + ")"}, err
}

func columnsSQL(t *metadata.Table) string {
	var out []string
	for _, c := range t.Schema().Columns {
		out = append(out, Ident(c.Name))
	}
	return strings.Join(out, ", ")
}

// versionsOf selects each log row as its key stood after it, with _medlake_n, which is 1 in the latest,
// _medlake_hidden, _valid_from and _valid_to.
func versionsOf(t *metadata.Table) (string, error) {
	conditions, faults := compile(t)
	if len(faults) > 0 {
		return "", faults[0]
	}
	if len(t.Change.Replace) > 0 {
		return snapshotsOf(t), nil
	}
	var cols []string
	for _, c := range t.Schema().Columns {
		cols = append(cols, columnSQL(t, c.Name, conditions))
	}
	hidden := "t._medlake_merged"
	if d, ok := conditions[deleteKey]; ok {
		hidden += " OR " + d
	}
	at := "t." + Ident(slices.Concat(t.Change.Order, []string{lake.ColArrivedAt})[0])
	return fmt.Sprintf("SELECT %s, row_number() OVER latest AS _medlake_n, (%s) AS _medlake_hidden, %s AS %s, lag(%s) OVER latest AS %s FROM %s AS t WINDOW latest AS (PARTITION BY %s ORDER BY %s)",
		strings.Join(cols, ", "), hidden, at, colValidFrom, at, colValidTo, rowsSQL(t, conditions), keySQL(t.Key), orderSQL(t)), nil
}

// snapshotsOf selects each log row of a table with `replace`: it holds until another load brings rows of its group.
func snapshotsOf(t *metadata.Table) string {
	return fmt.Sprintf("SELECT *, CASE WHEN %[1]s IS NULL THEN 1 ELSE 2 END AS _medlake_n, false AS _medlake_hidden FROM (SELECT t.*, t.%[2]s AS %[3]s, min(t.%[2]s) OVER (PARTITION BY %[4]s ORDER BY t.%[2]s, t.%[5]s GROUPS BETWEEN 1 FOLLOWING AND 1 FOLLOWING) AS %[1]s FROM %[6]s AS t)",
		colValidTo, Ident(lake.ColArrivedAt), colValidFrom, keySQL(t.Change.Replace), Ident(lake.ColLoad), Idents(t.Target()))
}

// rowsSQL is the log, with every row that merges keys a second time: under the key it merges away.
func rowsSQL(t *metadata.Table, conditions map[string]string) string {
	log := Idents(t.Target())
	when, ok := conditions[mergeKey]
	if !ok {
		return "(SELECT *, false AS _medlake_merged FROM " + log + ")"
	}
	key, from := Ident(t.Key[len(t.Key)-1]), "t."+Ident(t.Change.MergeOn.From)
	return fmt.Sprintf("(SELECT *, false AS _medlake_merged FROM %s UNION ALL SELECT * REPLACE (%s AS %s), true FROM %s AS t WHERE %s AND %s IS NOT NULL AND %s IS DISTINCT FROM t.%s)",
		log, from, key, log, when, from, from, key)
}

// columnSQL is a column's value after a row.
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
	when = append(when, "NOT t._medlake_merged")
	// The struct tells a null that a row may set from a row that may not set anything.
	return fmt.Sprintf("struct_extract(first_value(CASE WHEN %s THEN struct_pack(v := %s) END IGNORE NULLS) OVER (latest ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING), 'v') AS %s",
		strings.Join(when, " AND "), col, Ident(name))
}

// keySQL lists the columns that tell keys apart.
func keySQL(columns []string) string {
	cols := []string{"t." + Ident(lake.ColCustomer)}
	for _, k := range columns {
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
