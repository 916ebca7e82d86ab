// Package foldtest makes tables that change and rows of their logs, at random but hard: with ties, nulls and few keys. It is
// for tests: what package fold makes of such rows must be what the views of package query show.
package foldtest

import (
	"fmt"
	"math/rand/v2"
	"slices"

	"medlake/shared/lake"
	"medlake/shared/metadata"
)

var columns = []struct {
	name string
	kind lake.Kind
}{
	{"id", lake.String},
	{"part", lake.Long},
	{"event", lake.String},
	{"at", lake.Timestamp},
	{"n", lake.Long},
	{"x", lake.Double},
	{"ok", lake.Boolean},
	{"amount", lake.Decimal},
	{"day", lake.Date},
	{"note", lake.String},
	{"prior", lake.String},
}

// Random makes a table that changes, lake.t, and n rows of its log, as text by column; a null is left out. The same seed
// gives the same.
func Random(seed uint64, n int) (*metadata.Table, []map[string]string) {
	r := rand.New(rand.NewPCG(seed, 1))
	change, key := change(r)
	t := &metadata.Table{Name: "t", Namespace: "lake", Key: append([]string{lake.ColCustomer}, key...), Change: &change, Partition: []string{lake.ColCustomer}}
	for _, c := range columns {
		typ := lake.Type{Kind: c.kind}
		if c.kind == lake.Decimal {
			typ.Precision, typ.Scale = 9, 2
		}
		t.Columns = append(t.Columns, metadata.Column{Name: c.name, Type: typ})
	}
	var log []map[string]string
	for i := range n {
		log = append(log, row(r, i))
	}
	r.Shuffle(len(log), func(i, j int) { log[i], log[j] = log[j], log[i] })
	return t, log
}

func one[T any](r *rand.Rand, list ...T) T { return list[r.IntN(len(list))] }

func change(r *rand.Rand) (c metadata.Change, key []string) {
	key = one(r, []string{"id"}, []string{"part", "id"})
	if r.IntN(6) == 0 {
		c.Replace = one(r, []string{"event"}, []string{"event", "day"})
		return c, key
	}
	c.Order = one(r, []string{"at"}, []string{"n", "at"}, []string{"x"}, []string{"ok", "day"}, []string{lake.ColArrivedAt}, []string{"event"})
	if r.IntN(2) == 0 {
		c.Delete = condition(r)
	}
	for _, name := range []string{"note", "amount", "day", "ok", "x"} {
		if slices.Contains(c.Order, name) {
			continue
		}
		if r.IntN(3) == 0 {
			c.Keep = append(c.Keep, name)
		}
		if r.IntN(3) == 0 {
			c.Only = append(c.Only, metadata.Named{Name: name, Text: condition(r)})
		}
	}
	if r.IntN(3) == 0 {
		c.MergeOn = &metadata.MergeOn{When: condition(r), From: "prior"}
	}
	return c, key
}

// condition is an expression in the part of the language that views can express.
func condition(r *rand.Rand) metadata.Text { return metadata.Text{Value: expression(r, 3)} }

func expression(r *rand.Rand, depth int) string {
	of := func() string { return expression(r, depth-1) }
	switch n := r.IntN(8); {
	case depth == 0 || n > 4:
		return atom(r)
	case n > 2:
		return one(r, "not ", "!") + "(" + of() + ")"
	default:
		return "(" + of() + ") " + one(r, "and", "or", "&&", "||") + " (" + of() + ")"
	}
}

func atom(r *rand.Rand) string {
	compare := one(r, " == ", " != ", " < ", " <= ", " > ", " >= ")
	return one(
		r, "ok", "not ok", "ok"+compare+"true", "ok"+compare+"(n > 1)",
		"event"+compare+`"B"`, `"B"`+compare+"event", "event"+compare+"note", `event in ["A", "C"]`, `event not in ["A"]`,
		"n"+compare+"1", "n"+compare+"-2.5", "n"+compare+"x", "n"+compare+"amount", "n"+compare+"nil", "n in [1, 1.5]", "n not in [-3]",
		"x"+compare+"1.5", "x"+compare+"n", "amount"+compare+"1.5", "amount"+compare+"x", "amount in [1.5, 3]",
		"note == nil", "nil != note", "day == nil", "at != nil", "at"+compare+lake.ColArrivedAt, lake.ColLoad+compare+`"L3"`, lake.ColCustomer+compare+`"acme"`,
		lake.ColRow+compare+"30",
	)
}

// row gives a load one customer and one moment; several loads share a moment.
func row(r *rand.Rand, n int) map[string]string {
	load := r.IntN(7)
	out := map[string]string{
		lake.ColCustomer: one(r, "acme", "acme", "beta"), lake.ColEntry: "0", lake.ColRow: fmt.Sprint(n),
		lake.ColArrivedAt: fmt.Sprintf("2026-02-0%dT00:00:00Z", 1+load%3),
		"id":              fmt.Sprintf("k%d", r.IntN(4)), "part": fmt.Sprint(r.IntN(2)),
	}
	out[lake.ColLoad] = fmt.Sprintf("L%d%s", load, out[lake.ColCustomer])
	for _, c := range []struct {
		name   string
		values []string
	}{
		{"event", []string{"A", "B", "C"}},
		{"at", []string{"2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"}},
		{"n", []string{"1", "2", "-3"}},
		{"x", []string{"0.5", "1.5", "-2.5"}},
		{"ok", []string{"true", "false"}},
		{"amount", []string{"1.50", "2.00"}},
		{"day", []string{"2026-01-01", "1950-02-03"}},
		{"note", []string{"p", "q", "Zoë"}},
		{"prior", []string{"k1", "k2", "k3"}},
	} {
		if i := r.IntN(len(c.values) + 1); i < len(c.values) {
			out[c.name] = c.values[i]
		}
	}
	return out
}
