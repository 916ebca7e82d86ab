// Package duckdb is the query engine of one machine: DuckDB inside this process, over the exact files of one snapshot,
// without any extension. Every statement gets a database of its own in memory, which holds nothing but views. It reads
// files on this machine only: those of a cloud bucket must have been fetched. It is the only package with cgo.
package duckdb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"

	"github.com/duckdb/duckdb-go/v2"

	"medlake/shared/query"
)

// Engine runs statements with DuckDB. It is safe for concurrent use. For customers' statements run it in a query.Child:
// DuckDB's own limits do not hold for everything a statement can do.
type Engine struct{}

var _ query.Engine = Engine{}

// statement is one statement with its database.
type statement struct {
	query.Statement
	tree   tree
	cancel context.CancelFunc
	ctx    context.Context // ends the statement at its deadline
	db     *sql.DB
	conn   *sql.Conn
	spill  string // folder of temporary files
}

// Prepare opens a database and checks the statement with DuckDB's own parser.
func (Engine) Prepare(ctx context.Context, q query.Statement) (query.Prepared, error) {
	s := &statement{Statement: q}
	s.ctx, s.cancel = ctx, func() {}
	if q.Limits.Time > 0 {
		s.ctx, s.cancel = context.WithTimeout(ctx, q.Limits.Time)
	}
	if err := s.open(); err != nil {
		return nil, errors.Join(fmt.Errorf("open database for a statement: %w", err), s.Close())
	}
	if err := s.parse(); err != nil {
		return nil, errors.Join(s.explain(err), s.Close())
	}
	return s, nil
}

func (s *statement) open() error {
	var err error
	if s.spill, err = os.MkdirTemp("", "medlake-spill-"); err != nil {
		return err
	}
	c, err := duckdb.NewConnector("?autoinstall_known_extensions=false&autoload_known_extensions=false", nil)
	if err != nil {
		return err
	}
	s.db = sql.OpenDB(c)
	if s.conn, err = s.db.Conn(s.ctx); err != nil {
		return err
	}
	return s.exec(settings(s.Limits, s.spill)...)
}

// settings bound the database and make it read times as UTC.
func settings(l query.Limits, spill string) []string {
	set := []string{
		"SET TimeZone = 'UTC'",
		"SET temp_directory = " + query.Literal(spill),
		"SET force_mbedtls_unsafe = true", // the other module comes with an extension; its keys live as long as the statement
		"SET temp_file_encryption = true",
		"SET allow_community_extensions = false",
		"SET enable_progress_bar = false",
	}
	if l.Threads > 0 {
		set = append(set, fmt.Sprintf("SET threads = %d", l.Threads))
	}
	if l.Memory > 0 {
		set = append(set, fmt.Sprintf("SET memory_limit = '%dB'", l.Memory*3/4)) // the rest is for what DuckDB does not count
	}
	if l.Spill > 0 {
		set = append(set, fmt.Sprintf("SET max_temp_directory_size = '%dB'", l.Spill))
	}
	return set
}

func (s *statement) exec(statements ...string) error {
	for _, q := range statements {
		if _, err := s.conn.ExecContext(s.ctx, q); err != nil {
			return err
		}
	}
	return nil
}

// Reads says which tables the statement names.
func (s *statement) Reads() query.Names { return s.tree.names() }

// Close frees the database and its temporary files.
func (s *statement) Close() error {
	s.cancel()
	var errs []error
	if s.conn != nil {
		errs = append(errs, s.conn.Close())
		s.conn = nil
	}
	if s.db != nil {
		errs = append(errs, s.db.Close())
		s.db = nil
	}
	if s.spill != "" {
		errs = append(errs, os.RemoveAll(s.spill))
	}
	return errors.Join(errs...)
}
