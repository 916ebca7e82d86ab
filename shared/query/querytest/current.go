package querytest

import (
	"testing"
	"time"

	"medlake/shared/lake"
	"medlake/shared/metadata"
	"medlake/shared/query"
)

// visits is a table that changes.
func visits() *metadata.Table {
	text, at := lake.Type{Kind: lake.String}, lake.Type{Kind: lake.Timestamp}
	return &metadata.Table{
		Name: "visits", Namespace: "lake", Partition: []string{lake.ColCustomer},
		Columns: []metadata.Column{
			{Name: "visit_id", Type: text},
			{Name: "event", Type: text},
			{Name: "event_at", Type: at},
			{Name: "admitted_at", Type: at},
			{Name: "discharged_at", Type: at},
			{Name: "bed", Type: text},
		},
		Key: []string{lake.ColCustomer, "visit_id"},
		Change: &metadata.Change{
			Order:  []string{"event_at"},
			Delete: metadata.Text{Value: `event in ["A11", "A23"]`},
			Only:   []metadata.Named{{Name: "discharged_at", Text: metadata.Text{Value: `event in ["A03", "A13"]`}}},
			Keep:   []string{"admitted_at"},
		},
	}
}

// current checks the view of the latest rows over a log, in any order of arrival.
func (h Harness) current(t *testing.T) {
	t.Parallel()
	l := NewLake(t)
	m := visits()
	l.Create(m.Schema())
	r := h.reader(l, m)
	day := func(d int) string { return noon.AddDate(0, 0, d).Format(time.RFC3339) }
	type event = map[string]string
	l.Add("lake.visits_log", acme, // late rows first
		row(acme, "L2", 1, noon.Add(2*time.Hour), event{"visit_id": "V1", "event": "A08", "event_at": day(3), "bed": "B"}),
		row(acme, "L2", 2, noon.Add(2*time.Hour), event{"visit_id": "V2", "event": "A11", "event_at": day(2)}),
		row(acme, "L2", 3, noon.Add(2*time.Hour), event{"visit_id": "V3", "event": "A13", "event_at": day(2)}),
		row(acme, "L2", 4, noon.Add(2*time.Hour), event{"visit_id": "V4", "event": "A08", "bed": "no time"}))
	l.Add("lake.visits_log", acme,
		row(acme, "L1", 1, noon, event{"visit_id": "V1", "event": "A01", "event_at": day(0), "admitted_at": day(0), "bed": "A"}),
		row(acme, "L1", 2, noon, event{"visit_id": "V1", "event": "A03", "event_at": day(1), "discharged_at": day(1), "bed": "A"}),
		row(acme, "L1", 3, noon, event{"visit_id": "V2", "event": "A01", "event_at": day(1), "bed": "C"}),
		row(acme, "L1", 4, noon, event{"visit_id": "V3", "event": "A03", "event_at": day(1), "discharged_at": day(1)}),
		row(acme, "L1", 5, noon, event{"visit_id": "V4", "event": "A01", "event_at": day(-9), "bed": "old"}),
		row(acme, "L1", 6, noon, event{"visit_id": "V5", "event": "A01", "event_at": day(1), "bed": "first"}),
		row(acme, "L1", 7, noon, event{"visit_id": "V5", "event": "A08", "event_at": day(1), "bed": "second"}))
	l.Add("lake.visits_log", beta, row(beta, "L3", 1, noon, event{"visit_id": "V1", "event": "A01", "event_at": day(9), "bed": "beta's"}))
	q := query.Request{SQL: "select customer, visit_id, event, admitted_at, discharged_at, bed from visits order by 1, 2"}
	own := []string{
		"acme|V1|A08|2026-03-05T12:00:00Z|2026-03-06T12:00:00Z|B", // kept admission; A08 leaves the discharge alone
		"acme|V3|A13|NULL|NULL|NULL",                              // A13 may erase the discharge
		"acme|V4|A01|NULL|NULL|old",                               // a row without a time is older than any
		"acme|V5|A08|NULL|NULL|second",                            // a tie goes to the later row
	}
	want(t, r, q, append(own, "beta|V1|A01|NULL|NULL|beta's")...)
	q.Customer = acme
	want(t, r, q, own...)
	want(t, r, query.Request{SQL: "select count(*) from visits_log", Customer: acme}, "11")
	q.At = noon.Add(time.Hour)
	want(t, r, q,
		"acme|V1|A03|2026-03-05T12:00:00Z|2026-03-06T12:00:00Z|A",
		"acme|V2|A01|NULL|NULL|C",
		"acme|V3|A03|NULL|2026-03-06T12:00:00Z|NULL",
		"acme|V4|A01|NULL|NULL|old",
		"acme|V5|A08|NULL|NULL|second")
	q.At = noon.Add(-time.Hour)
	want(t, r, q)

	q = query.Request{SQL: "select visit_id, event, bed, _valid_from, _valid_to from visits_history order by 1, 4 nulls first", Customer: acme}
	want(t, r, q,
		"V1|A01|A|2026-03-05T12:00:00Z|2026-03-06T12:00:00Z",
		"V1|A03|A|2026-03-06T12:00:00Z|2026-03-08T12:00:00Z",
		"V1|A08|B|2026-03-08T12:00:00Z|NULL",
		"V2|A01|C|2026-03-06T12:00:00Z|2026-03-07T12:00:00Z", // then it was deleted
		"V3|A03|NULL|2026-03-06T12:00:00Z|2026-03-07T12:00:00Z",
		"V3|A13|NULL|2026-03-07T12:00:00Z|NULL",
		"V4|A08|no time|NULL|2026-02-24T12:00:00Z",
		"V4|A01|old|2026-02-24T12:00:00Z|NULL",
		"V5|A08|second|2026-03-06T12:00:00Z|NULL") // the first held for no time
	q.At = noon.Add(time.Hour)
	q.SQL = "select count(*), count(*) filter (where _valid_to is null) from lake.visits_history where visit_id in ('V1', 'V2')"
	want(t, r, q, "3|2")
}

// stored checks that a table that merge has filled is read as it stands, but that of a moment only the log tells.
func (h Harness) stored(t *testing.T) {
	t.Parallel()
	l := NewLake(t)
	m := visits()
	l.Create(m.Schema())
	l.Add("lake.visits_log", acme,
		row(acme, "L1", 1, noon, map[string]string{"visit_id": "V1", "event": "A01", "bed": "logged"}),
		row(acme, "L2", 1, noon.Add(time.Hour), map[string]string{"visit_id": "V1", "event": "A02", "bed": "logged later"}))
	s := m.Schema()
	s.Table = m.ID()
	l.Create(s)
	file := l.Add("lake.visits", acme,
		row(acme, "L1", 1, noon, map[string]string{"visit_id": "V1", "event": "A01", "bed": "merged"}),
		row(acme, "L1", 2, noon, map[string]string{"visit_id": "V2", "event": "A11", "bed": "hidden"}))
	l.Delete("lake.visits", file, 1)
	r := h.reader(l, m)
	for _, customer := range []string{"", acme} {
		q := query.Request{SQL: "select visit_id, bed from visits", Customer: customer}
		want(t, r, q, "V1|merged")
		q.At = noon
		want(t, r, q, "V1|logged")
		want(t, r, query.Request{SQL: "select a.bed, b.bed from visits a join visits_history b using (visit_id)", Customer: customer}, "merged|logged later")
	}
}

// replaced checks a table of which each file brings the whole of a period.
func (h Harness) replaced(t *testing.T) {
	t.Parallel()
	l := NewLake(t)
	text := lake.Type{Kind: lake.String}
	m := &metadata.Table{
		Name: "census", Namespace: "lake", Partition: []string{lake.ColCustomer},
		Columns: []metadata.Column{{Name: "period", Type: text}, {Name: "unit", Type: text}, {Name: "beds", Type: lake.Type{Kind: lake.Long}}},
		Change:  &metadata.Change{Replace: []string{"period"}},
	}
	l.Create(m.Schema())
	r := h.reader(l, m)
	line := func(customer, load string, n, hour int, period, unit, beds string) map[string]string {
		return row(customer, load, n, noon.Add(time.Duration(hour)*time.Hour), map[string]string{"period": period, "unit": unit, "beds": beds})
	}
	l.Add("lake.census_log", acme, // the newer file first
		line(acme, "L2", 1, 1, "May", "East", "9"), line(acme, "L2", 2, 1, "May", "East", "1"), line(acme, "L2", 3, 1, "June", "East", "5"))
	l.Add("lake.census_log", acme, line(acme, "L1", 1, 0, "May", "East", "8"), line(acme, "L1", 2, 0, "May", "West", "8"), line(acme, "L1", 3, 0, "April", "West", "7"))
	l.Add("lake.census_log", beta, line(beta, "L3", 1, 2, "May", "beta's", "3"))
	q := query.Request{SQL: "select period, unit, beds from census", Customer: acme}
	want(t, r, q, "May|East|9", "May|East|1", "June|East|5", "April|West|7")
	q.At = noon
	want(t, r, q, "May|East|8", "May|West|8", "April|West|7")
	want(t, r, query.Request{SQL: "select unit, beds, _valid_from, _valid_to from census_history where period = 'May'"},
		"East|8|2026-03-05T12:00:00Z|2026-03-05T13:00:00Z", "West|8|2026-03-05T12:00:00Z|2026-03-05T13:00:00Z",
		"East|9|2026-03-05T13:00:00Z|NULL", "East|1|2026-03-05T13:00:00Z|NULL", "beta's|3|2026-03-05T14:00:00Z|NULL")
}
