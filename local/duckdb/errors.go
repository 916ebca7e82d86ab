package duckdb

import (
	"errors"
	"regexp"

	"github.com/duckdb/duckdb-go/v2"

	"medlake/shared/lake"
	"medlake/shared/query"
)

// A path in an error message: after a quote or a space, with two parts or more. It names a customer's or a table's folder.
var pathText = regexp.MustCompile(`(^|["'(\s\[])(?:file://)?/[^\s"'/]+/[^\s"'\]]+`)

// translate sorts DuckDB's errors into kinds.
func translate(err error) error {
	var d *duckdb.Error
	if !errors.As(err, &d) {
		return err
	}
	msg := pathText.ReplaceAllString(d.Msg, "${1}(a file)")
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
