package transform

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"medlake/shared/format"
	"medlake/shared/lake"
	"medlake/shared/metadata"
	"medlake/shared/transform/column"
)

// sample is a feed's sample as the content of a member.
type sample string

// sampleOf is a member of the sample as bytes. Metadata is UTF-8 whatever the feed's encoding is: the mark says so.
func sampleOf(f *metadata.Feed, text string) sample {
	if f.Read.As == "csv" && f.Read.Encoding != "" && f.Read.Encoding != "utf-8" {
		return sample("\ufeff" + text)
	}
	return sample(text)
}

func (s sample) Bytes() ([]byte, error) { return []byte(s), nil }
func (s sample) Reader() (io.ReadCloser, error) {
	return io.NopCloser(strings.NewReader(string(s))), nil
}

func ignore(*format.Row) error { return nil }

// trial compares the rows of a feed's sample with what the feed expects.
type trial struct {
	feed   *metadata.Feed
	next   map[string]int // table -> index in Expect of the next expectation
	faults []metadata.Fault
}

// trySample runs a feed's sample through the same program as any upload.
func (l *Library) trySample(p *Program) []metadata.Fault {
	if len(p.feed.Sample) == 0 {
		return nil
	}
	customer := l.customers[p.feed.As]
	if customer == nil {
		customer = &metadata.Customer{ID: "sample", Zone: time.UTC}
	}
	tr := &trial{feed: p.feed, next: map[string]int{}}
	run := p.Match(customer, nil).NewRun(Origin{Load: "sample", ArrivedAt: time.Unix(0, 0)})
	defer run.Release()
	for _, t := range run.tables {
		t.outcome = tr.outcome
		tr.advance(t.plan.table.ID(), -1)
	}
	for i, s := range p.feed.Sample {
		if err := run.try(i, s); err != nil {
			tr.fault(s.Pos, "sample: the whole member is refused: %s", refusalText(err))
			return tr.faults
		}
	}
	for _, t := range run.tables {
		if i := tr.next[t.plan.table.ID()]; i < len(p.feed.Expect) {
			tr.fault(p.feed.Expect[i].Pos, "expect: the sample gives no such row: all its rows of %s stand above", t.plan.table.ID())
		}
	}
	return tr.faults
}

// try reads a member of a sample; without a name every table wants it.
func (r *Run) try(entry int, s metadata.Named) error {
	text := sampleOf(r.program.feed, s.Value)
	if s.Name != "" {
		_, err := r.Member(entry, s.Name, text)
		return err
	}
	for _, t := range r.tables {
		t.wanted = true
	}
	return r.read(entry, text)
}

func refusalText(err error) string {
	var r *lake.Refusal
	if errors.As(err, &r) {
		c := *r
		c.Where.Entry = -1
		return c.Error()
	}
	return err.Error()
}

func (tr *trial) fault(pos metadata.Pos, format string, args ...any) {
	tr.faults = append(tr.faults, metadata.Fault{Pos: pos, Message: fmt.Sprintf(format, args...)})
}

// advance moves to the table's next expectation after i.
func (tr *trial) advance(table string, i int) {
	for i++; i < len(tr.feed.Expect) && tr.feed.Expect[i].Table != table; i++ {
	}
	tr.next[table] = i
}

// outcome compares one row with the next expectation of its table. Filtered rows need none.
func (tr *trial) outcome(t *filling, rule, columnName string) {
	table := t.plan.table.ID()
	i := tr.next[table]
	if i >= len(tr.feed.Expect) {
		return
	}
	e := tr.feed.Expect[i]
	if rule == outcomeFiltered && !e.Filtered {
		return
	}
	tr.advance(table, i)
	at := ""
	if columnName != "" {
		at = ", column " + columnName
	}
	switch {
	case rule == outcomeFiltered:
		return
	case e.Filtered:
		tr.fault(e.Pos, "expect: the row is not filtered")
		return
	case rule != "" && e.Rejected == "":
		tr.fault(e.Pos, "expect: the row is rejected: rule %s%s", rule, at)
		return
	case rule == "" && e.Rejected != "":
		tr.fault(e.Pos, "expect: the row is not rejected by %s, it lands", e.Rejected)
		return
	case rule != e.Rejected:
		tr.fault(e.Pos, "expect: the row is rejected by rule %s%s, not by %s", rule, at, e.Rejected)
		return
	}
	for _, v := range e.Values {
		tr.value(t, e, v)
	}
}

// value compares one column of the row that was just built; a column that a rejected row did not get to is not compared.
func (tr *trial) value(t *filling, e metadata.Expect, want metadata.Named) {
	for i := range t.batch.Columns {
		c := &t.batch.Columns[i]
		if c.Name != want.Name || c.Len() <= t.batch.Rows {
			continue
		}
		got := lastOf(c)
		if e.Nulls[want.Name] {
			if got.kind != null {
				tr.fault(want.Pos, "column %s: got %s, want null", want.Name, got.appendText(nil))
			}
			return
		}
		tmp := column.Column{Type: c.Type}
		if !tmp.Append([]byte(want.Value)) {
			tr.fault(want.Pos, "column %s: %q is not a %s", want.Name, want.Value, c.Type)
			return
		}
		if wanted := lastOf(&tmp); got.kind == null {
			tr.fault(want.Pos, "column %s: got null, want %s", want.Name, want.Value)
		} else if a, b := got.appendText(nil), wanted.appendText(nil); !bytes.Equal(a, b) {
			tr.fault(want.Pos, "column %s: got %s, want %s", want.Name, a, b)
		}
		return
	}
}

func lastOf(c *column.Column) value {
	f := &frame{batch: &column.Batch{Columns: []column.Column{*c}}}
	return cell{kind: kindOf(c.Type.Kind), scale: uint8(c.Type.Scale)}.eval(f)
}
