package duckdb

import (
	"errors"

	"github.com/duckdb/duckdb-go/v2"

	"medlake/shared/lake"
	"medlake/shared/query"
)

// translate sorts DuckDB's errors into kinds.
func translate(err error) error {
	var d *duckdb.Error
	if !errors.As(err, &d) {
		return err
	}
	msg := pathText.ReplaceAllString(d.Msg, "(a file)")
	switch d.Type {
	case duckdb.ErrorTypeOutOfMemory:
		return &query.Error{Kind: query.ErrLimit, Message: "stopped: the statement used more memory than it may"}
	case duckdb.ErrorTypePermission:
		return &query.Error{Kind: lake.ErrDenied, Message: msg}
	case duckdb.ErrorTypeCatalog:
		return &query.Error{Kind: lake.ErrNotFound, Message: msg}
	case duckdb.ErrorTypeFatal, duckdb.ErrorTypeInternal, duckdb.ErrorTypeIO:
		return errors.New(msg)
	}
	return &query.Error{Kind: lake.ErrInvalid, Message: msg}
}
