package transform

import (
	"slices"

	"medlake/shared/lake"
)

// missing finds out what the feed asks for and the member's header lacks.
func (t *filling) missing(slots []int) error {
	t.lacking = t.lacking[:0]
	if len(slots) == 0 {
		return nil
	}
	for i, a := range t.plan.asks {
		if !lacksAll(a.ways, slots) {
			continue
		}
		if a.required && noneThere(a.ways, slots) || !a.optional && t.plan.table.Missing == "reject" {
			return &lake.Refusal{Reason: lake.MissingColumn, Where: lake.Where{Entry: -1, Line: 1, Column: a.name}}
		}
		if !a.optional {
			t.lacking = append(t.lacking, i)
		}
	}
	return nil
}

// lacksAll reports whether no way to work out a column has all its fields.
func lacksAll(ways [][]int, missing []int) bool {
	for _, way := range ways {
		if !slices.ContainsFunc(way, func(s int) bool { return slices.Contains(missing, s) }) {
			return false
		}
	}
	return true
}

// noneThere reports whether every field of every way is missing.
func noneThere(ways [][]int, missing []int) bool {
	for _, way := range ways {
		if slices.ContainsFunc(way, func(s int) bool { return !slices.Contains(missing, s) }) {
			return false
		}
	}
	return true
}

// warnings sums up the checks, and refuses the file if one broke its budget. A check's share is of the rows that were
// read and not filtered.
func (t *filling) warnings() ([]lake.Warning, error) {
	var out []lake.Warning
	rows := t.read - t.filtered
	for i, n := range t.broken {
		if n == 0 {
			continue
		}
		c := t.plan.checks[i]
		over := float64(n) > c.Max*float64(rows)
		if over && c.Else == "fail" {
			return nil, &lake.Refusal{Reason: lake.Budget, Where: lake.Where{Entry: -1, Rule: c.Name}}
		}
		out = append(out, lake.Warning{Table: t.plan.table.ID(), Rule: c.Name, Rows: n, Over: over})
	}
	for i, n := range t.unfit {
		if n > 0 {
			out = append(out, lake.Warning{Table: t.plan.table.ID(), Rule: ruleType + "." + t.plan.columns[i].Name, Rows: n})
		}
	}
	for i, n := range t.missed {
		if n > 0 {
			out = append(out, lake.Warning{Table: t.plan.table.ID(), Rule: "missing." + t.plan.asks[i].name, Rows: n})
		}
	}
	return out, nil
}
