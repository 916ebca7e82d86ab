package duckdb

import (
	"errors"
	"strings"
	"testing"

	"github.com/duckdb/duckdb-go/v2"

	"medlake/shared/lake"
	"medlake/shared/query"
)

func TestErrorsNameNoPaths(t *testing.T) {
	t.Parallel()
	for msg, want := range map[string]string{
		`IO Error: Cannot open file "/data/tables/customer=beta/x.parquet": No such file`: `IO Error: Cannot open file "(a file)": No such file`,
		`in [file:///data/lake/a b, /data/lake/c]`:                                        `in [(a file) b, (a file)]`,
		`LINE 1: select a/b / c, d/e/f from t`:                                            `LINE 1: select a/b / c, d/e/f from t`,
	} {
		if got := translate(&duckdb.Error{Type: duckdb.ErrorTypeBinder, Msg: msg}); got.Error() != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

// A file that is gone or broken is a trouble of ours, not of the statement, and still names nothing.
func TestBrokenFiles(t *testing.T) {
	t.Parallel()
	s := lake.Schema{Table: "lake.events", Partition: []string{"customer"}, Columns: []lake.Column{{ID: 1, Name: "customer", Type: lake.Type{Kind: lake.String}}}}
	for url, kind := range map[string]error{
		"file:///nowhere/customer=acme/x.parquet": nil,
		"s3://bucket/x.parquet":                   lake.ErrInvalid,
		"mem://lake/x.parquet":                    lake.ErrInvalid,
		"file://host/x.parquet":                   lake.ErrInvalid,
		"file:///a/../b.parquet":                  lake.ErrInvalid,
		"x.parquet":                               lake.ErrInvalid,
	} {
		p, err := Engine{}.Prepare(t.Context(), query.Statement{SQL: "select * from events", Customer: "acme"})
		if err != nil {
			t.Fatal(err)
		}
		_, err = p.Run(t.Context(), query.Catalog{Customer: "acme", Tables: []query.Table{{Schema: s, Files: []query.File{{URL: url, Customer: "acme"}}}}})
		var q *query.Error
		if err == nil || kind != nil && !errors.Is(err, kind) || kind == nil && errors.As(err, &q) || strings.Contains(err.Error(), "parquet") {
			t.Errorf("%s: got %v", url, err)
		}
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestOneCustomerAStatement(t *testing.T) {
	t.Parallel()
	p, err := Engine{}.Prepare(t.Context(), query.Statement{SQL: "select 1", Customer: "acme"})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = p.Close() }()
	if _, err := p.Run(t.Context(), query.Catalog{Customer: "beta"}); err == nil {
		t.Error("acme's statement ran over beta's catalog")
	}
}
