package duckdb

import (
	"context"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"medlake/shared/query"
)

// ask runs a statement over no tables.
func ask(t *testing.T, customer, sql string) (*query.Result, [][]query.Cell) {
	t.Helper()
	p, err := Engine{}.Prepare(t.Context(), query.Statement{SQL: sql, Customer: customer})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close() })
	res, err := p.Run(t.Context(), query.Catalog{Customer: customer})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = res.Close() })
	var out [][]query.Cell
	for cells, err := range res.Rows {
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, slices.Clone(cells))
	}
	return res, out
}

func TestCellsAreExact(t *testing.T) {
	t.Parallel()
	for expr, want := range map[string]struct {
		text string
		kind query.Kind
	}{
		"170141183460469231731687303715884105727::hugeint": {"170141183460469231731687303715884105727", query.Number},
		"18446744073709551615::ubigint":                    {"18446744073709551615", query.Number},
		"(-1)::tinyint":                                    {"-1", query.Number},
		"0.05::decimal(38,2)":                              {"0.05", query.Number},
		"(-0.05)::decimal(4,2)":                            {"-0.05", query.Number},
		"12345678901234567890.123456789::decimal(38,9)":    {"12345678901234567890.123456789", query.Number},
		"5::decimal(4,0)":                                  {"5", query.Number},
		"0.1::double":                                      {"0.1", query.Number},
		"0.1::float":                                       {"0.1", query.Number},
		"'nan'::double":                                    {"NaN", query.Number},
		"'-inf'::double":                                   {"-Infinity", query.Number},
		"1e300::double":                                    {"1e+300", query.Number},
		"true":                                             {"true", query.Boolean},
		"date '1950-02-03'":                                {"1950-02-03", query.Time},
		"timestamptz '2026-03-05 08:00:00.5-05'":           {"2026-03-05T13:00:00.5Z", query.Time},
		"timestamp '2026-03-05 08:00:00'":                  {"2026-03-05T08:00:00", query.Time},
		"time '08:09:10.5'":                                {"08:09:10.5", query.Text},
		"interval '1 month 2 days 3.5 seconds'":            {"P1M2DT3.5S", query.Text},
		"'\\xAB'::blob":                                    {"qw==", query.Text},
		"'00000000-0000-4000-8000-000000000001'::uuid":     {"00000000-0000-4000-8000-000000000001", query.Text},
		"'a'::enum('a','b')":                               {"a", query.Text},
		"[1, null, 3]":                                     {"[1,null,3]", query.JSON},
		"['<a>', 'é']":                                     {`["<a>","é"]`, query.JSON},
		"{'b': 1.50::decimal(4,2), 'a': [date '2026-01-01']}": {`{"a":["2026-01-01T00:00:00Z"],"b":1.50}`, query.JSON},
		"map {'k': 1}":                                        {`{"k":1}`, query.JSON},
		"[9223372036854775807::hugeint]":                      {"[9223372036854775807]", query.JSON},
		`'{"z": 12345678901234567890, "a": 0.10}'::json`:      {`{"z": 12345678901234567890, "a": 0.10}`, query.JSON},
		`'{"a": [12345678901234567890]}'::json -> 'a'`:        {`[12345678901234567890]`, query.JSON},
		`json_object('n', 12345678901234567890) -- {"x": 1};`: {`{"n":12345678901234567890}`, query.JSON},
		"'{\"a\": \"x\"}'::json ->> 'a'":                      {"x", query.Text},
		"'' ":                                                 {"", query.Text},
	} {
		res, rows := ask(t, "acme", "select "+expr)
		if got := rows[0][0]; got.Null || got.Text != want.text || res.Columns[0].Kind != want.kind {
			t.Errorf("%s: got %q of kind %s, want %q of kind %s", expr, got.Text, res.Columns[0].Kind, want.text, want.kind)
		}
	}
	if _, rows := ask(t, "", "select null, null::json, null::integer[]"); !rows[0][0].Null || !rows[0][1].Null || !rows[0][2].Null {
		t.Errorf("nulls: got %v", rows)
	}
	if _, rows := ask(t, "", "select range, json_object('n', range) from range(300000) order by range desc limit 200000;"); rows[0][0].Text != "299999" || rows[199_999][1].Text != `{"n":100000}` {
		t.Errorf("the order of rows was lost: got %v first, %v last", rows[0], rows[199_999])
	}
	res, rows := ask(t, "", `select '{"a":1}'::json as a, 2 as a, 'x' as "b ""c""" ;`)
	if d := cmp.Diff([]query.Cell{{Text: `{"a":1}`}, {Text: "2"}, {Text: "x"}}, rows[0]); d != "" {
		t.Error(d)
	}
	if got := res.Columns[2].Name; got != `b "c"` {
		t.Errorf("name: got %s", got)
	}
}

// A new DuckDB may bring functions: each must be looked at and put on one side of the list.
func TestEveryFunctionIsAllowedOrRefused(t *testing.T) {
	t.Parallel()
	_, rows := ask(t, "", "select distinct lower(function_name) from duckdb_functions() where function_type in ('scalar', 'macro', 'aggregate')")
	allowed, refused, ok := strings.Cut(functionList, "\nrefused\n")
	if !ok {
		t.Fatal("functions.txt has no line `refused`")
	}
	listed := map[string]string{}
	for side, text := range map[string]string{"allowed": allowed, "refused": refused} {
		for name := range words(text) {
			if listed[name] != "" {
				t.Errorf("%s stands on both sides of functions.txt", name)
			}
			listed[name] = side
		}
	}
	for _, r := range rows {
		if listed[r[0].Text] == "" {
			t.Errorf("%s is not in functions.txt", r[0].Text)
		}
		delete(listed, r[0].Text)
	}
	for name := range listed {
		t.Errorf("%s is in functions.txt, but no function of the engine", name)
	}
}

func TestOperatorsMayExplain(t *testing.T) {
	t.Parallel()
	for _, sql := range []string{"explain select 1", "EXPLAIN ANALYZE select 1"} {
		if _, rows := ask(t, "", sql); len(rows) == 0 {
			t.Errorf("%s: no plan", sql)
		}
	}
	if _, err := (Engine{}).Prepare(t.Context(), query.Statement{SQL: "explain explain create table x as select 1"}); err == nil {
		t.Error("explain of a write was taken")
	}
}

func TestNothingStaysBehind(t *testing.T) { // not parallel: it looks at the temporary folder
	t.Setenv("TMPDIR", t.TempDir())
	p, err := Engine{}.Prepare(context.Background(), query.Statement{SQL: "select count(*) from (select range, hash(range) h from range(2000000) order by h) x", Limits: query.Limits{Memory: 32 << 20, Threads: 1}})
	if err != nil {
		t.Fatal(err)
	}
	res, err := p.Run(t.Context(), query.Catalog{})
	if err != nil {
		t.Fatal(err)
	}
	for _, err := range res.Rows {
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := res.Close(); err != nil {
		t.Error(err)
	}
	if err := p.Close(); err != nil {
		t.Error(err)
	}
	left, err := os.ReadDir(os.Getenv("TMPDIR"))
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v %v", left, err)
	}
}
