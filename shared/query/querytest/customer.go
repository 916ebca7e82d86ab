package querytest

import (
	"strings"
	"testing"

	"medlake/shared/lake"
	"medlake/shared/query"
)

// canary stands in every row that is not acme's.
const canary = "NOT-ACMES"

// shared makes a lake of two customers and returns a data file of beta's and one of acme's.
func (h Harness) shared(t *testing.T) (r *query.Reader, theirs, own string) {
	l := NewLake(t)
	m := events()
	l.Create(m.Schema())
	v := visits()
	l.Create(v.Schema())
	l.Create(lake.LoadsSchema())
	l.Create(lake.Schema{Table: "ops.settings", Columns: []lake.Column{{Name: "note", Type: lake.Type{Kind: lake.String}}}})
	l.Add("ops.settings", "", map[string]string{"note": canary})
	own = l.Add("lake.events", acme, row(acme, "L1", 1, noon, map[string]string{"id": "a", "n": "1"}), row(acme, "L1", 2, noon, map[string]string{"id": "b", "n": "2"}))
	theirs = l.Add("lake.events", beta, row(beta, "L2", 1, noon, map[string]string{"id": canary, "n": "3"}))
	l.Delete("lake.events", own, 1)
	l.Add("lake.visits_log", acme, row(acme, "L1", 1, noon, map[string]string{"visit_id": "V1", "event": "A01"}))
	l.Add("lake.visits_log", beta, row(beta, "L2", 1, noon, map[string]string{"visit_id": canary, "event": "A01"}))
	load := func(customer, object string) map[string]string {
		out := row(customer, "L", 1, noon, map[string]string{"arrival": "x", "status": "loaded", "object": object, "version": "1"})
		for _, c := range []string{"bytes", "read", "committed", "filtered", "rejected", "log"} {
			out[c] = "1"
		}
		return out
	}
	l.Add(lake.OpsLoads, "", load(acme, "own"), load(beta, canary))
	return h.reader(l, m, v), strings.TrimPrefix(theirs, "file://"), strings.TrimPrefix(own, "file://")
}

// customers checks that a customer sees its own rows and an operator all of them.
func (h Harness) customers(t *testing.T) {
	t.Parallel()
	r, _, _ := h.shared(t)
	want(t, r, query.Request{SQL: "select customer, id from events"}, "acme|a", "beta|"+canary)
	want(t, r, query.Request{SQL: "select customer, id from events", Customer: acme}, "acme|a")
	want(t, r, query.Request{SQL: "select customer, id from events", Customer: beta}, "beta|"+canary)
	want(t, r, query.Request{SQL: "select customer, visit_id from visits", Customer: acme}, "acme|V1")
	want(t, r, query.Request{SQL: "select customer, visit_id from visits_log", Customer: acme}, "acme|V1")
	want(t, r, query.Request{SQL: "select customer, object from ops.loads", Customer: acme}, "acme|own")
	want(t, r, query.Request{SQL: "select count(*) from ops.loads"}, "2")
	want(t, r, query.Request{SQL: "select note from ops.settings"}, canary)
	wantError(t, r, query.Request{SQL: "select note from ops.settings", Customer: acme}, lake.ErrNotFound)
}
