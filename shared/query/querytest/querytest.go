// Package querytest checks that an engine keeps the promises of query.Engine: the right rows of the right customer as of
// the right moment, exact values, and nothing else whatever the statement says. It holds no engine.
package querytest

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"medlake/shared/lake"
	"medlake/shared/metadata"
	"medlake/shared/query"
)

// Harness is what is tested.
type Harness struct {
	Engine  query.Engine // for operators
	Sandbox query.Engine // for customers, as in production: in a process of its own if the engine needs one
}

// Run runs all checks.
func Run(t *testing.T, h Harness) {
	t.Run("Values", h.values)
	t.Run("Files", h.files)
	t.Run("Current", h.current)
	t.Run("Stored", h.stored)
	t.Run("Replaced", h.replaced)
	t.Run("Folds", h.folds)
	t.Run("Names", h.names)
	t.Run("Customers", h.customers)
	t.Run("Refused", h.refused)
	t.Run("Allowed", h.allowed)
	t.Run("Limits", h.limits)
}

// reader makes a reader over a lake.
func (h Harness) reader(l *Lake, tables ...*metadata.Table) *query.Reader {
	set := &metadata.Set{Tables: tables}
	for _, c := range []string{acme, beta} {
		set.Customers = append(set.Customers, &metadata.Customer{ID: c})
	}
	return &query.Reader{Source: l, Set: set, Engine: h.Engine, Sandbox: h.Sandbox}
}

// The customers of the checks.
const (
	acme = "acme"
	beta = "beta"
)

// result is a whole result as text: nulls are NULL.
func result(t testing.TB, r *query.Reader, q query.Request) ([][]string, error) {
	t.Helper()
	res, err := r.Query(t.Context(), q)
	if err != nil {
		return nil, err
	}
	var rows [][]string
	for cells, e := range res.Rows {
		if err = e; err != nil {
			break
		}
		row := make([]string, len(cells))
		for i, c := range cells {
			if row[i] = c.Text; c.Null {
				row[i] = "NULL"
			}
		}
		rows = append(rows, row)
	}
	if e := res.Close(); e != nil {
		t.Errorf("close: %v", e)
	}
	return rows, err
}

// want checks a statement's rows, each written as its cells with a | between; rows without an order are sorted.
func want(t testing.TB, r *query.Reader, q query.Request, rows ...string) {
	t.Helper()
	got, err := result(t, r, q)
	if err != nil {
		t.Errorf("%s: %v", q.SQL, err)
		return
	}
	lines := make([]string, len(got))
	for i, row := range got {
		lines[i] = strings.Join(row, "|")
	}
	if !strings.Contains(strings.ToLower(q.SQL), "order by") {
		slices.Sort(lines)
		rows = slices.Sorted(slices.Values(rows))
	}
	if len(lines) == 0 && len(rows) == 0 {
		return
	}
	if d := cmp.Diff(rows, lines); d != "" {
		t.Errorf("%s:\n%s", q.SQL, d)
	}
}

// wantError checks that a statement fails with the kind.
func wantError(t testing.TB, r *query.Reader, q query.Request, kind error) error {
	t.Helper()
	rows, err := result(t, r, q)
	switch {
	case err == nil:
		t.Errorf("%s: got %d rows, want an error", q.SQL, len(rows))
	case !errors.Is(err, kind):
		t.Errorf("%s: got %v, want an error of kind %q", q.SQL, err, kind)
	}
	return err
}

// events is an event table with a value of each kind.
func events() *metadata.Table {
	col := func(name, typ string) metadata.Column {
		k, err := lake.ParseType(typ)
		if err != nil {
			panic(err)
		}
		return metadata.Column{Name: name, Type: k}
	}
	return &metadata.Table{
		Name: "events", Namespace: "lake", Partition: []string{lake.ColCustomer, "month(_arrived_at)"},
		Columns: []metadata.Column{
			col("id", "string"), col("seen_at", "timestamp"), col("day", "date"), col("n", "long"), col("x", "double"),
			col("amount", "decimal(12,2)"), col("ok", "boolean"), col("note", "string"),
		},
	}
}

// row is a row with its system columns.
func row(customer, load string, n int, arrived time.Time, values map[string]string) map[string]string {
	out := map[string]string{
		lake.ColCustomer: customer, lake.ColLoad: load, lake.ColEntry: "0", lake.ColRow: itoa(n),
		lake.ColArrivedAt: arrived.UTC().Format(time.RFC3339Nano),
	}
	for k, v := range values {
		out[k] = v
	}
	return out
}
