package querytest

import (
	"testing"
	"time"

	"medlake/shared/query"
)

// limits checks that a customer's statement cannot take more memory or time than it may, whatever it does.
func (h Harness) limits(t *testing.T) {
	t.Parallel()
	r, _, _ := h.shared(t)
	small := query.Limits{Memory: 256 << 20, Spill: 64 << 20, Threads: 1, Time: 20 * time.Second, CPU: 4 * time.Second}
	for _, sql := range []string{
		"select length(printf('%2000000000d', 1))", "select repeat('x', 2000000000)",
		"select list_sum(range(1000000000))", "select count(*) from (select unnest(range(1000000000)) i order by hash(i))",
		"select string_agg(repeat('x', 1000000), '') from range(100000)", "select format('{:>2000000000}', 1)",
		"select array_agg(i) from range(1000000000) t(i)",
	} {
		wantError(t, r, query.Request{SQL: sql, Customer: acme, Limits: small}, query.ErrLimit)
	}
	small.Time = time.Second
	for _, sql := range []string{
		"with recursive n(i) as (select 1 union all select i + 1 from n) select max(i) from n",
		"select count(*) from range(1000000000) a, range(1000000000) b where a.range * b.range % 7 = 3",
	} {
		wantError(t, r, query.Request{SQL: sql, Customer: acme, Limits: small}, query.ErrLimit)
	}
	small.Time = time.Minute // the others may keep the machine busy
	want(t, r, query.Request{SQL: "select count(*) from events", Customer: acme, Limits: small}, "1")
}
