package transform

import (
	"slices"

	"medlake/shared/lake"
)

// missing finds the columns whose source the member's header lacks.
func (t *filling) missing(slots []int) error {
	for i := range t.plan.columns {
		tg := &t.plan.columns[i]
		t.lacks[i] = false
		if len(slots) == 0 || len(tg.ways) == 0 || !lacksAll(tg.ways, slots) {
			continue
		}
		if tg.Required && noneThere(tg.ways, slots) || tg.asked && t.plan.table.Missing == "reject" {
			return &lake.Refusal{Reason: lake.MissingColumn, Where: lake.Where{Entry: -1, Line: 1, Column: tg.Name}}
		}
		t.lacks[i] = tg.asked && t.plan.table.Missing != "ignore"
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
	for i := range t.plan.columns {
		name := t.plan.columns[i].Name
		if n := t.unfit[i]; n > 0 {
			out = append(out, lake.Warning{Table: t.plan.table.ID(), Rule: ruleType + "." + name, Rows: n})
		}
		if n := t.missed[i]; n > 0 {
			out = append(out, lake.Warning{Table: t.plan.table.ID(), Rule: "missing." + name, Rows: n})
		}
	}
	return out, nil
}
