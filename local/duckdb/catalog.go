package duckdb

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"medlake/shared/lake"
	"medlake/shared/query"
)

// build makes the catalog and locks the database down. Tables whose files hold other customers' rows too are copied into
// memory first, filtered: only then can a customer's statement be kept from every file that is not the customer's.
func (s *statement) build(c query.Catalog) error {
	var before, after, allowed []string
	schemas := map[string]bool{}
	for _, t := range c.Tables {
		ns, _, _ := strings.Cut(t.Schema.Table, ".")
		schemas[ns] = true
		def, files, err := definition(&t, c)
		if err != nil {
			return err
		}
		if err := s.checkDeletes(&t, c.Local); err != nil {
			return err
		}
		if c.Customer != "" && t.Shared() {
			before = append(before, "CREATE TABLE "+query.Idents(t.Schema.Table)+" AS "+def)
			continue
		}
		after = append(after, "CREATE VIEW "+query.Idents(t.Schema.Table)+" AS "+def)
		allowed = append(allowed, files...)
	}
	for _, v := range c.Views {
		ns, _, _ := strings.Cut(v.Name, ".")
		schemas[ns] = true
		after = append(after, "CREATE VIEW "+query.Idents(v.Name)+" AS "+v.SQL)
	}
	schemas[query.Namespace] = true
	var create []string
	for ns := range schemas {
		create = append(create, "CREATE SCHEMA "+query.Ident(ns))
	}
	slices.Sort(create)
	return s.exec(slices.Concat(create, before, []string{
		"SET allowed_paths = " + list(allowed),
		"SET enable_external_access = false",
	}, after, []string{
		"SET schema = " + query.Literal(query.Namespace),
		"SET lock_configuration = true",
	})...)
}

// definition is the SELECT that reads a table, and the files it reads.
func definition(t *query.Table, c query.Catalog) (sql string, files []string, err error) {
	if len(t.Files) == 0 {
		return empty(t), nil, nil
	}
	var cols, types []string
	for _, col := range t.Schema.Columns {
		cols = append(cols, "t."+query.Ident(col.Name))
		types = append(types, fmt.Sprintf("%d: {name: %s, type: %s, default_value: NULL}", col.ID, query.Literal(col.Name), query.Literal(sqlType(col.Type))))
	}
	if files, err = locals(t, c.Local, len(t.Files), func(i int) string { return t.Files[i].URL }); err != nil {
		return "", nil, err
	}
	schema := ", schema = MAP {" + strings.Join(types, ", ") + "}"
	from := "read_parquet(" + list(files) + schema + ") AS t"
	if len(t.Deletes) > 0 {
		rows, deletes, err := deleted(t, c.Local)
		if err != nil {
			return "", nil, err
		}
		from = "read_parquet(" + list(files) + schema + ", filename = '_medlake_file', file_row_number = true) AS t ANTI JOIN " +
			"(SELECT m.path, d.pos FROM " + rows + " AS d JOIN " + names(t, files) + " ON d.file_path = m.url) AS gone " +
			"ON t._medlake_file = gone.path AND t.file_row_number = gone.pos"
		files = append(files, deletes...)
	}
	return "SELECT " + strings.Join(cols, ", ") + " FROM " + from + where(t, c), files, nil
}

// locals are the paths of n files of a table, of which fetched has those that are not in a bucket of this machine.
func locals(t *query.Table, fetched map[string]string, n int, url func(int) string) ([]string, error) {
	paths := make([]string, n)
	for i := range paths {
		var ok bool
		if paths[i], ok = fetched[url(i)]; ok {
			continue
		}
		var err error
		if paths[i], err = local(url(i)); err != nil {
			return nil, fmt.Errorf("table %s: %w", t.Schema.Table, err)
		}
	}
	return paths, nil
}

// where keeps a statement to its customer and moment.
func where(t *query.Table, c query.Catalog) string {
	var conds []string
	if c.Customer != "" {
		conds = append(conds, "t."+query.Ident(lake.ColCustomer)+" = "+query.Literal(c.Customer))
	}
	if !c.At.IsZero() && t.Has(lake.ColArrivedAt) {
		conds = append(conds, "t."+query.Ident(lake.ColArrivedAt)+" <= "+query.Moment(c.At))
	}
	if len(conds) == 0 {
		return ""
	}
	return " WHERE " + strings.Join(conds, " AND ")
}

// empty is a table without files: reading an empty list of files is an error.
func empty(t *query.Table) string {
	var cols []string
	for _, c := range t.Schema.Columns {
		cols = append(cols, fmt.Sprintf("CAST(NULL AS %s) AS %s", sqlType(c.Type), query.Ident(c.Name)))
	}
	return "SELECT " + strings.Join(cols, ", ") + " WHERE false"
}

// Field ids of the two columns of a position delete file, reserved by Iceberg.
const deleteSchema = "MAP {2147483546: {name: 'file_path', type: 'VARCHAR', default_value: NULL}, 2147483545: {name: 'pos', type: 'BIGINT', default_value: NULL}}"

// deleted reads the table's position deletes.
func deleted(t *query.Table, fetched map[string]string) (sql string, files []string, err error) {
	if files, err = locals(t, fetched, len(t.Deletes), func(i int) string { return t.Deletes[i] }); err != nil {
		return "", nil, err
	}
	return "read_parquet(" + list(files) + ", schema = " + deleteSchema + ")", files, nil
}

// names maps the files' URLs, which delete files use, to the paths DuckDB knows them by.
func names(t *query.Table, paths []string) string {
	rows := make([]string, len(paths))
	for i, p := range paths {
		rows[i] = "(" + query.Literal(t.Files[i].URL) + ", " + query.Literal(p) + ")"
	}
	return "(VALUES " + strings.Join(rows, ", ") + ") AS m(url, path)"
}

// checkDeletes fails if a delete names a file that is not the table's: spelled another way, it would delete nothing, and
// rows would come back unnoticed. Deletes of files that are no longer in the table are as usual.
func (s *statement) checkDeletes(t *query.Table, fetched map[string]string) error {
	if len(t.Deletes) == 0 {
		return nil
	}
	rows, _, err := deleted(t, fetched)
	if err != nil {
		return err
	}
	var strange int64
	q := "SELECT count(*) FROM " + rows + " WHERE NOT starts_with(file_path, " + query.Literal(strings.TrimSuffix(t.Schema.Location, "/")+"/") + ")"
	if err := s.conn.QueryRowContext(s.ctx, q).Scan(&strange); err != nil {
		return err
	}
	if strange > 0 {
		return fmt.Errorf("table %s: %d deletes name files outside the table", t.Schema.Table, strange)
	}
	return nil
}

func list(items []string) string {
	out := make([]string, len(items))
	for i, s := range items {
		out[i] = query.Literal(s)
	}
	return "[" + strings.Join(out, ", ") + "]"
}

const remote = "this engine reads tables in a file bucket only: for tables in a cloud bucket set an engine that reads there, such as Trino"

// local is the path of a file: URL. Table formats spell it without escapes, so it is cut, not parsed.
func local(u string) (string, error) {
	p, ok := strings.CutPrefix(u, "file://")
	if p = strings.TrimPrefix(p, "localhost"); !ok || !path.IsAbs(p) || p != path.Clean(p) {
		return "", &query.Error{Kind: lake.ErrInvalid, Message: remote}
	}
	return p, nil
}

// sqlType is DuckDB's type of a column.
func sqlType(t lake.Type) string {
	switch t.Kind {
	case lake.Long:
		return "BIGINT"
	case lake.Double:
		return "DOUBLE"
	case lake.Decimal:
		return fmt.Sprintf("DECIMAL(%d,%d)", t.Precision, t.Scale)
	case lake.Date:
		return "DATE"
	case lake.Timestamp:
		return "TIMESTAMP WITH TIME ZONE"
	case lake.Boolean:
		return "BOOLEAN"
	}
	return "VARCHAR"
}
