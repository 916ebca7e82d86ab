package querytest

import (
	"strconv"
	"testing"
	"time"

	"medlake/shared/lake"
	"medlake/shared/query"
)

func itoa(n int) string { return strconv.Itoa(n) }

var noon = time.Date(2026, 3, 5, 12, 0, 0, 0, time.UTC)

// values checks that every kind of value comes out exactly, with zeros, empty texts and nulls told apart.
func (h Harness) values(t *testing.T) {
	t.Parallel()
	l := NewLake(t)
	m := events()
	l.Create(m.Schema())
	l.Add("lake.events", acme,
		row(acme, "L1", 1, noon, map[string]string{"id": "full", "seen_at": "2026-03-05T13:04:05.123456+01:00", "day": "1950-02-03", "n": "-9223372036854775808", "x": "0.1", "amount": "-1234567890.05", "ok": "true", "note": "Zoë \"q\", 'p'"}),
		row(acme, "L1", 2, noon, map[string]string{"id": "zero", "seen_at": "1970-01-01T00:00:00Z", "day": "1970-01-01", "n": "0", "x": "0", "amount": "0", "ok": "false", "note": ""}),
		row(acme, "L1", 3, noon, map[string]string{"id": "null"}))
	r := h.reader(l, m)
	for _, customer := range []string{"", acme} {
		want(t, r, query.Request{Customer: customer, SQL: "select id, seen_at, day, n, x, amount, ok, note from events order by _row"},
			`full|2026-03-05T12:04:05.123456Z|1950-02-03|-9223372036854775808|0.1|-1234567890.05|true|Zoë "q", 'p'`,
			"zero|1970-01-01T00:00:00Z|1970-01-01|0|0|0.00|false|",
			"null|NULL|NULL|NULL|NULL|NULL|NULL|NULL")
		want(t, r, query.Request{Customer: customer, SQL: "select customer, _load, _entry, _row, _arrived_at, _extra from events where id = 'zero'"},
			"acme|L1|0|2|2026-03-05T12:00:00Z|NULL")
		want(t, r, query.Request{Customer: customer, SQL: "select sum(n), sum(amount), count(*), count(x) from events"},
			"-9223372036854775808|-1234567890.05|3|2")
		want(t, r, query.Request{Customer: customer, SQL: "select cast(date_trunc('hour', seen_at) as varchar) from events where id = 'full'"}, "2026-03-05 12:00:00+00")
	}
}

// files checks empty tables, evolved tables, deleted rows and moments.
func (h Harness) files(t *testing.T) {
	t.Parallel()
	l := NewLake(t)
	m := events()
	r := h.reader(l, m)
	q := query.Request{SQL: "select id, n, note from events"}
	want(t, r, q) // not stored yet
	l.Create(m.Schema())
	want(t, r, q) // stored, without files
	want(t, r, query.Request{SQL: "select count(*), sum(n), max(seen_at) from events"}, "0|NULL|NULL")
	want(t, r, query.Request{SQL: "select count(*), sum(committed) from ops.loads", Customer: acme}, "0|NULL")

	first := l.Add("lake.events", acme,
		row(acme, "L1", 1, noon, map[string]string{"id": "a", "n": "1", "note": "one"}),
		row(acme, "L1", 2, noon, map[string]string{"id": "b", "n": "2", "note": "two"}),
		row(acme, "L1", 3, noon, map[string]string{"id": "c", "n": "3", "note": "three"}))
	l.Evolve("lake.events", func(cols []lake.Column) []lake.Column { // note becomes remark, n goes, a new n comes
		var out []lake.Column
		for _, c := range cols {
			switch c.Name {
			case "n":
				continue
			case "note":
				c.Name = "remark"
			}
			out = append(out, c)
		}
		return append(out, lake.Column{ID: 100, Name: "n", Type: lake.Type{Kind: lake.Long}})
	})
	second := l.Add("lake.events", acme, row(acme, "L2", 1, noon.Add(time.Hour), map[string]string{"id": "d", "n": "4", "remark": "four"}))
	q.SQL = "select id, n, remark from events"
	want(t, r, q, "a|NULL|one", "b|NULL|two", "c|NULL|three", "d|4|four")

	l.Delete("lake.events", first, 0, 2)
	want(t, r, q, "b|NULL|two", "d|4|four")
	l.Delete("lake.events", second, 0)
	want(t, r, q, "b|NULL|two")
	q.Customer = acme
	want(t, r, q, "b|NULL|two")
	l.Delete("lake.events", "file:///nowhere/else.parquet", 0)
	if _, err := result(t, r, q); err == nil {
		t.Error("a delete that names a file outside the table was ignored: rows that are deleted may have come back")
	}
}

// names checks how tables are named, and the lists of them.
func (h Harness) names(t *testing.T) {
	t.Parallel()
	l := NewLake(t)
	m := events()
	l.Create(m.Schema())
	l.Create(lake.LoadsSchema())
	l.Add("lake.events", acme, row(acme, "L1", 1, noon, map[string]string{"id": "a"}))
	r := h.reader(l, m, visits())
	for _, customer := range []string{"", acme} {
		for _, sql := range []string{
			"select id from events", "select id from lake.events", `select e.id from "lake"."events" as e`, "SELECT ID FROM Lake.EVENTS;",
			"with events as (select 'a' as id) select id from events", "from events select id",
		} {
			want(t, r, query.Request{SQL: sql, Customer: customer}, "a")
		}
		want(t, r, query.Request{SQL: "select count(*) from visits union all select count(*) from lake.visits_log", Customer: customer}, "0", "0")
		want(t, r, query.Request{SQL: "select table_schema, table_name from information_schema.tables order by 1, 2", Customer: customer},
			"lake|events", "lake|visits", "lake|visits_history", "lake|visits_log", "ops|loads", "ops|rejects")
		want(t, r, query.Request{SQL: "select column_name, data_type from information_schema.columns where table_name = 'visits_log' and column_name in ('visit_id', 'event_at')", Customer: customer},
			"visit_id|VARCHAR", "event_at|TIMESTAMP WITH TIME ZONE")
		wantError(t, r, query.Request{SQL: "select * from nothing", Customer: customer}, lake.ErrNotFound)
		wantError(t, r, query.Request{SQL: "select nothing from events", Customer: customer}, lake.ErrInvalid)
		wantError(t, r, query.Request{SQL: "select from where", Customer: customer}, lake.ErrInvalid)
	}
	wantError(t, r, query.Request{SQL: "select 1", Customer: "nobody"}, lake.ErrNotFound)
	wantError(t, r, query.Request{SQL: "select 1", Customer: "a'; drop"}, lake.ErrNotFound)
	res, err := r.Query(t.Context(), query.Request{SQL: "select * from events"})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Close() }()
	if len(res.Reads) != 1 || res.Reads[0] != (query.Read{Table: "lake.events", Snapshot: 2, Batch: 1}) {
		t.Errorf("reads: got %v, want events at its snapshot", res.Reads)
	}
}
