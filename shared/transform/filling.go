package transform

import (
	"medlake/shared/format"
	"medlake/shared/lake"
	"medlake/shared/transform/column"
)

// Rules that rows break without a check; those of package format are the others.
const (
	ruleType     = "type"     // a value does not fit its column; without a column: `when` could not be decided
	ruleRequired = "required" // a required column is null
)

// filling is one table of a run while it is filled.
type filling struct {
	number int
	plan   *plan
	batch  *column.Batch
	wanted bool // by the current member
	bytes  int  // text taken in since the last flush

	read, filtered, rejected int64
	broken                   []int64 // rows that broke a check, by check
	unfit                    []int64 // values turned into null, by column
	missed                   []int64 // rows of members without what plan.asks asks for, by its index
	lacking                  []int   // what the current member lacks, by index of plan.asks

	extras []extra
	text   []byte
	seen   map[string]struct{} // keys of `first` in this member
	key    []byte

	// outcome, if set, is told what became of every row before it is taken in or taken back. rule is empty for a row that
	// lands; filtered rows have rule "filtered".
	outcome func(t *filling, rule, column string)
}

const outcomeFiltered = "filtered"

func newFilling(number int, p *plan) *filling {
	n := len(p.columns)
	return &filling{
		number: number, plan: p, batch: column.New(p.schema.Columns), broken: make([]int64, len(p.checks)),
		unfit: make([]int64, n), missed: make([]int64, len(p.asks)),
	}
}

func (t *filling) reset() {
	t.batch.Reset()
	t.bytes, t.read, t.filtered, t.rejected = 0, 0, 0, 0
	clear(t.broken)
	clear(t.unfit)
	clear(t.missed)
	t.lacking = t.lacking[:0]
	clear(t.seen)
	t.extras, t.outcome = t.extras[:0], nil
}

// row works out the frame's row for one table.
func (r *Run) row(t *filling) error {
	f := &r.frame
	f.batch, f.facility = t.batch, t.plan.facility
	r.bindings.zoneKnown = false
	t.read++
	for _, i := range t.lacking {
		t.missed[i]++
	}
	if f.row.Fault != "" {
		return r.refuse(t, f.row.Fault, "")
	}
	if t.plan.when != nil {
		switch v := truth(t.plan.when.eval(f)); {
		case v.kind == bad:
			return r.refuse(t, ruleType, "")
		case !v.isTrue():
			t.filter()
			return nil
		}
	}
	if t.plan.first != nil && t.wasSeen(f) {
		t.filter()
		return nil
	}
	appendPlace(t.batch, r.entry, f.row.Row)
	if rule, name := t.fill(f); rule != "" {
		return r.refuse(t, rule, name)
	}
	t.appendExtra(f)
	for i := range t.plan.checks {
		c := &t.plan.checks[i]
		if v := truth(c.op.eval(f)); v.isTrue() || v.kind == null {
			continue
		}
		if c.Else == "reject" {
			return r.refuse(t, c.Name, "")
		}
		t.broken[i]++
	}
	if t.outcome != nil {
		t.outcome(t, "", "")
	}
	t.batch.EndRow()
	if t.plan.first != nil {
		t.see()
	}
	t.bytes += rowBytes(f.row) + len(f.buf)
	if t.batch.Rows >= r.origin.BatchRows || t.bytes >= maxBatchBytes {
		t.bytes = 0
		return r.flush(t.number, t.batch)
	}
	return nil
}

// rowBytes is the length of the row's text.
func rowBytes(row *format.Row) int {
	n := 0
	for _, v := range row.Fields {
		n += len(v)
	}
	return n
}

// fill adds a value or null to every column of the table, or says which rule and column are broken.
func (t *filling) fill(f *frame) (rule, name string) {
	columns := t.batch.Columns
	for i := range t.plan.columns {
		tg := &t.plan.columns[i]
		c := &columns[tg.index]
		var ok bool
		switch {
		case tg.slot >= 0:
			v := f.field(tg.slot)
			if len(v) == 0 {
				if tg.Required {
					return ruleRequired, tg.Name
				}
				c.AppendNull()
				continue
			}
			switch {
			case tg.Type.Kind == lake.String:
				c.AppendText(v)
				continue
			case tg.when != nil:
				var n int64
				if n, ok = tg.when.parse(f, v); ok {
					c.AppendInt(n)
				}
			default:
				ok = f.cast(c, v)
			}
		case tg.op == nil:
			c.AppendNull()
			continue
		default:
			v := tg.op.eval(f)
			if v.kind == null || v.kind == text && len(v.text) == 0 {
				if tg.Required {
					return ruleRequired, tg.Name
				}
				c.AppendNull()
				continue
			}
			ok = f.store(c, v)
		}
		switch {
		case ok:
		case tg.null && !tg.Required:
			t.unfit[i]++
			c.AppendNull()
		default:
			return ruleType, tg.Name
		}
	}
	return "", ""
}

// refuse takes back the row that was begun and notes why.
func (r *Run) refuse(t *filling, rule, name string) error {
	if t.outcome != nil {
		t.outcome(t, rule, name)
	}
	t.batch.Undo()
	return r.reject(t, rule, name)
}

func (t *filling) filter() {
	t.filtered++
	if t.outcome != nil {
		t.outcome(t, outcomeFiltered, "")
	}
}

// wasSeen reports whether a row with the same `first` fields has landed from this member.
func (t *filling) wasSeen(f *frame) bool {
	t.key = t.key[:0]
	for _, o := range t.plan.first {
		t.key = o.eval(f).appendText(t.key)
		t.key = append(t.key, 0)
	}
	_, ok := t.seen[string(t.key)]
	return ok
}

// see notes the key of the row that has just landed.
func (t *filling) see() {
	if t.seen == nil {
		t.seen = map[string]struct{}{}
	}
	t.seen[string(t.key)] = struct{}{}
}
