package transform

import (
	"fmt"
	"slices"
	"strings"

	"medlake/shared/lake"
	"medlake/shared/metadata"
)

// plan is how one table of a feed is filled.
type plan struct {
	into     *metadata.Into
	table    *metadata.Table
	schema   lake.Schema
	columns  []target
	when     op // nil: every row
	checks   []check
	first    []op             // nil: every row
	facility op               // the row's facility: column facility_id, else the first ref("facilities", …)
	asks     []ask            // what the source must have
	slots    map[int]struct{} // source fields it uses
	extra    int
}

// ask is something the feed wants of the source: what a column is made of, or a field of `when` or `first`.
type ask struct {
	name     string // of the column or field
	required bool   // without it no row can be taken
	optional bool   // nobody named it: no need to say that it is missing
	ways     [][]int
}

// target is one column to fill.
type target struct {
	metadata.Column
	index int
	slot  int     // plain field, or -1
	when  *moment // the field is read by ts or day
	op    op      // otherwise; nil: the feed has nothing for the column
	null  bool    // a value that does not fit becomes null
}

// check is a compiled rule of the table.
type check struct {
	metadata.Check
	op op
}

// Places of the system columns in a batch: lake.SystemColumns.
const (
	atCustomer = iota
	atLoad
	atEntry
	atRow
	atArrived
	systemColumns
)

// planner compiles one feed.
type planner struct {
	program *Program
	faults  []metadata.Fault
}

func (p *planner) fault(pos metadata.Pos, format string, args ...any) {
	p.faults = append(p.faults, metadata.Fault{Pos: pos, Message: fmt.Sprintf(format, args...)})
}

// plan compiles one table of the feed.
func (p *planner) plan(in *metadata.Into, scope *fields) *plan {
	t := p.program.set.Table(in.Table)
	if t == nil {
		p.fault(in.Pos, "there is no table %s", in.Table)
		return nil
	}
	out := &plan{into: in, table: t, schema: t.Schema(), slots: map[int]struct{}{}}
	out.extra = len(out.schema.Columns) - 1
	scope.used = out.slots
	c := &lowerer{set: p.program.set, scope: scope, refs: p.program.refs, facility: &out.facility}
	for i, col := range out.schema.Columns[systemColumns:out.extra] {
		own := t.Column(col.Name)
		if own == nil {
			continue
		}
		tg := target{Column: *own, index: systemColumns + i, slot: -1, null: t.Mismatch == "null"}
		named := p.source(c, scope, in, &tg)
		tg.plain()
		if tg.op != nil {
			out.asks = append(out.asks, ask{name: tg.Name, required: tg.Required, optional: !named, ways: ways(tg.op)})
		}
		out.columns = append(out.columns, tg)
	}
	if in.When.Value != "" {
		o, err := c.compile(in.When.Value)
		if err != nil {
			p.fault(in.When.Pos, "when: %v", err)
		}
		out.when = o
		for _, slot := range slotsOf(o) {
			out.asks = append(out.asks, ask{name: scope.nameOf(slot), ways: [][]int{{slot}}})
		}
	}
	for _, name := range in.First {
		o := scope.find(name)
		if o == nil {
			p.fault(in.Pos, "first: there is no field %s%s", name, metadata.Meant(name, scope.names()))
			continue
		}
		out.first = append(out.first, o)
		out.asks = append(out.asks, ask{name: name, ways: ways(o)})
	}
	for _, tg := range out.columns {
		if tg.Name == "facility_id" && tg.op != nil {
			out.facility = byID{tg.op}
		}
	}
	out.checks = checksOf(p.program.set, t)
	return out
}

// plain finds out whether a column is a plain field, or one with ts or day around it, which need no value in between.
func (tg *target) plain() {
	switch o := tg.op.(type) {
	case field:
		tg.slot = o.slot
	case *moment:
		if f, ok := o.of.(field); ok && kindOf(tg.Type.Kind) == o.result() {
			tg.slot, tg.when = f.slot, o
		}
	}
}

// source finds what fills a column: its line of set, or the field of its name. named is false if nobody said that there is
// such a field.
func (p *planner) source(c *lowerer, scope *fields, in *metadata.Into, tg *target) (named bool) {
	if i := slices.IndexFunc(in.Set, func(n metadata.Named) bool { return n.Name == tg.Name }); i >= 0 {
		set := in.Set[i]
		o, err := c.compile(set.Value)
		if err == nil {
			err = fits(o, tg.Type)
		}
		if err != nil {
			p.fault(set.Pos, "column %s: %v", tg.Name, err)
			return true
		}
		tg.op = o
		return true
	}
	_, named = scope.slots[strings.ToLower(tg.Name)]
	if tg.op = scope.find(tg.Name); tg.op != nil {
		return named
	}
	if tg.Required {
		p.fault(in.Pos, "column %s of %s is required, but neither set nor the source's fields give it a value%s",
			tg.Name, in.Table, metadata.Meant(tg.Name, scope.names()))
		return false
	}
	if scope.optional != nil {
		tg.op = scope.optional(tg.Name)
	}
	return false
}

// byID reads a column's value as the id of a facility.
type byID struct{ op }

func (o byID) eval(f *frame) value { return o.op.eval(f).number() }

// checksOf compiles a table's rules, those that reject first: a row that is rejected warns of nothing. Faults are reported
// by checkFaults.
func checksOf(set *metadata.Set, t *metadata.Table) []check {
	var out []check
	for _, c := range t.Checks {
		o, err := (&lowerer{set: set, scope: columns{t}}).compile(c.Rule.Value)
		if err == nil {
			out = append(out, check{Check: c, op: o})
		}
	}
	slices.SortStableFunc(out, func(a, b check) int {
		switch {
		case (a.Else == "reject") == (b.Else == "reject"):
			return 0
		case a.Else == "reject":
			return -1
		}
		return 1
	})
	return out
}

// checkFaults reports faults in the rules of a table.
func checkFaults(set *metadata.Set, t *metadata.Table) []metadata.Fault {
	var out []metadata.Fault
	for _, c := range t.Checks {
		if c.Rule.Value == "" {
			continue
		}
		if _, err := compileRule(set, columns{t}, c.Rule.Value); err != nil {
			out = append(out, metadata.Fault{Pos: c.Rule.Pos, Message: fmt.Sprintf("check %s: %v", c.Name, err)})
		}
	}
	return out
}
