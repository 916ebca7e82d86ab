package duckdb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"medlake/shared/lake"
	"medlake/shared/query"
)

// Run builds the catalog, locks the database down and runs the statement.
func (s *statement) Run(ctx context.Context, c query.Catalog) (*query.Result, error) {
	if c.Customer != s.Customer {
		return nil, errors.New("the catalog is not the statement's customer's")
	}
	if err := s.allowed(c); err != nil {
		return nil, err
	}
	if err := s.build(c); err != nil {
		return nil, s.trouble(err)
	}
	run, cancel := context.WithCancel(s.ctx)
	stop := context.AfterFunc(ctx, cancel)
	end := func() { stop(); cancel() }
	text, documents := s.exact(run)
	rows, err := s.conn.QueryContext(run, text)
	if err != nil {
		end()
		return nil, s.explain(err)
	}
	types, err := rows.ColumnTypes()
	if err != nil {
		end()
		return nil, errors.Join(s.explain(err), rows.Close())
	}
	cols := columns(types)
	for _, i := range documents {
		cols[i].Type, cols[i].Kind = "JSON", query.JSON
	}
	res := &query.Result{Columns: cols, Stop: func() error { end(); return rows.Close() }}
	res.Rows = func(yield func([]query.Cell, error) bool) { s.rows(rows, res.Columns, yield) }
	return res, nil
}

var mayYieldJSON = regexp.MustCompile(`(?i)json|->`)

// exact returns the statement so that columns of type JSON, whose places come with it, are read as text: the driver parses
// them, and numbers past 53 bits would change.
func (s *statement) exact(ctx context.Context) (text string, documents []int) {
	if !mayYieldJSON.MatchString(s.SQL) {
		return s.SQL, nil
	}
	inner := "(\n" + strings.TrimRight(s.SQL, "; \t\r\n") + "\n)" // the line feeds end a comment
	rows, err := s.conn.QueryContext(ctx, "SELECT column_name, column_type FROM (DESCRIBE FROM "+inner+")")
	if err != nil {
		return s.SQL, nil // running it tells its author what is wrong
	}
	defer func() { _ = rows.Close() }()
	var cols []string
	for i := 0; rows.Next(); i++ {
		var name, typ string
		if err := rows.Scan(&name, &typ); err != nil {
			return s.SQL, nil
		}
		col := fmt.Sprintf("#%d", i+1)
		if typ == "JSON" {
			documents = append(documents, i)
			col = "CAST(" + col + " AS VARCHAR)"
		}
		cols = append(cols, col+" AS "+query.Ident(name))
	}
	if rows.Err() != nil || len(documents) == 0 {
		return s.SQL, nil
	}
	return "SELECT " + strings.Join(cols, ", ") + " FROM " + inner, documents
}

func (s *statement) rows(rows *sql.Rows, cols []query.Column, yield func([]query.Cell, error) bool) {
	values := make([]any, len(cols))
	into := make([]any, len(cols))
	for i := range values {
		into[i] = &values[i]
	}
	cells := make([]query.Cell, len(cols))
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			yield(nil, s.explain(err))
			return
		}
		for i, v := range values {
			cells[i] = cell(v, cols[i].Type)
		}
		if !yield(cells, nil) {
			return
		}
	}
	if err := rows.Err(); err != nil {
		yield(nil, s.explain(err))
	}
}

// allowed refuses a customer's statement that names anything but the catalog's tables. DuckDB would take other names for
// files, for tables of its own, or for another database.
func (s *statement) allowed(c query.Catalog) error {
	if s.Customer == "" {
		return nil
	}
	system, err := s.systemTables()
	if err != nil {
		return err
	}
	for _, name := range s.tree.with {
		if slices.Contains(system, name) {
			return denied("%s is a name of the engine's own: choose another after WITH", name)
		}
	}
	for _, r := range s.tree.tables {
		id := r.id()
		ok := r.catalog == "" && (slices.Contains(informationSchema, id) ||
			slices.ContainsFunc(c.Tables, func(t query.Table) bool { return strings.EqualFold(t.Schema.Table, id) }) ||
			slices.ContainsFunc(c.Views, func(v query.View) bool { return strings.EqualFold(v.Name, id) }) ||
			r.schema == "" && slices.Contains(s.tree.with, strings.ToLower(r.name)))
		if !ok {
			name := "of this name" // an odd name may be a path: it is not repeated
			if plainName.MatchString(r.name) && (r.schema == "" || plainName.MatchString(r.schema)) {
				name = strings.TrimPrefix(id, query.Namespace+".")
			}
			return &query.Error{Kind: lake.ErrNotFound, Message: "there is no table " + name + ": SHOW TABLES lists them"}
		}
	}
	return nil
}

// systemTables are the engine's own tables that a name without a schema can mean.
func (s *statement) systemTables() (names []string, err error) {
	rows, err := s.conn.QueryContext(s.ctx, "SELECT lower(view_name) FROM duckdb_views() WHERE internal UNION ALL SELECT lower(table_name) FROM duckdb_tables()")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var n string
		if err := rows.Scan(&n); err != nil {
			return nil, err
		}
		names = append(names, n)
	}
	return names, rows.Err()
}

// explain makes an error of DuckDB one for the statement's author: its message without paths.
func (s *statement) explain(err error) error {
	var q *query.Error
	switch {
	case errors.As(err, &q):
		return err
	case errors.Is(s.ctx.Err(), context.DeadlineExceeded):
		return &query.Error{Kind: query.ErrLimit, Message: "stopped: the statement ran longer than it may"}
	case s.ctx.Err() != nil:
		return s.ctx.Err()
	}
	return translate(err)
}

// trouble makes an error that is not the author's doing one without the SQL we wrote; limits are the author's.
func (s *statement) trouble(err error) error {
	var q *query.Error
	if errors.As(err, &q) {
		return err
	}
	if err = s.explain(err); errors.Is(err, query.ErrLimit) || s.ctx.Err() != nil {
		return err
	}
	line, _, _ := strings.Cut(err.Error(), "\n")
	return errors.New("open the tables of a statement: " + line)
}
