package transform

import (
	"errors"
	"fmt"

	"medlake/shared/format"
	"medlake/shared/format/csv"
	"medlake/shared/format/xml"
	"medlake/shared/lake"
	"medlake/shared/transform/column"
)

const (
	defaultBatchRows = 16_384
	maxBatchBytes    = 64 << 20 // of text: a batch is flushed past it
)

// Run turns the members of one upload into rows. It is not safe for concurrent use.
type Run struct {
	program  *Program
	origin   Origin
	tables   []*filling
	rejects  *column.Batch
	rejected int64
	frame    frame
	bindings bindings

	csv  *csv.Decoder
	xml  *xml.Decoder
	emit format.Emit // emitCSV or emitXML

	entry  int
	header bool // the member's header was looked at
	any    bool // some member was wanted
}

// NewRun starts a run. Release gives its memory to the next one.
func (m *Match) NewRun(o Origin) *Run {
	p := m.Program
	r, ok := p.runs.Get().(*Run)
	if !ok {
		r = p.newRun()
	}
	if o.BatchRows <= 0 {
		o.BatchRows = defaultBatchRows
	}
	r.origin = o
	r.bindings.bind(p, m.Customer, m.Captures, o)
	return r
}

func (p *Program) newRun() *Run {
	r := &Run{program: p, rejects: column.New(Rejects().Schema().Columns)}
	r.frame.bindings, r.frame.empty = &r.bindings, p.empty
	r.emit = r.emitCSV
	if p.xml != nil {
		r.emit = r.emitXML
	}
	for i, pl := range p.plans {
		r.tables = append(r.tables, newFilling(i, pl))
	}
	return r
}

// Release gives the run's memory back. The run must not be used after it.
func (r *Run) Release() {
	for _, t := range r.tables {
		t.reset()
	}
	r.rejects.Reset()
	r.rejected = 0
	r.any = false
	r.origin = Origin{}
	r.frame.row, r.frame.batch = nil, nil
	clear(r.frame.env)
	if cap(r.frame.buf) > 1<<20 {
		r.frame.buf = nil
	}
	r.program.runs.Put(r)
}

// Member reads one member. wanted is false if no table's entry pattern matches its name. The error is a *lake.Refusal if
// the member is at fault.
func (r *Run) Member(entry int, name string, src format.Source) (wanted bool, err error) {
	for _, t := range r.tables {
		_, t.wanted = t.plan.into.Entry.Match(name)
		wanted = wanted || t.wanted
	}
	if !wanted {
		return false, nil
	}
	return true, r.read(entry, src)
}

// Wants reports whether a table's entry pattern matches a member's name.
func (m *Match) Wants(name string) bool {
	for _, p := range m.Program.plans {
		if _, ok := p.into.Entry.Match(name); ok {
			return true
		}
	}
	return false
}

// read reads a member into the tables that want it.
func (r *Run) read(entry int, src format.Source) error {
	r.entry, r.header, r.any = entry, false, true
	for _, t := range r.tables {
		clear(t.seen)
	}
	var err error
	if r.program.xml != nil {
		if r.xml == nil {
			r.xml = r.program.xml.NewDecoder()
		}
		err = r.xml.Decode(src, r.emit)
	} else {
		err = r.readCSV(src)
	}
	if err != nil {
		return placed(err, entry)
	}
	return nil
}

// placed gives a refusal that names no member its entry.
func placed(err error, entry int) error {
	var refusal *lake.Refusal
	if !errors.As(err, &refusal) || refusal.Where.Entry >= 0 {
		return err
	}
	c := *refusal
	c.Where.Entry = entry
	return &c
}

func (r *Run) readCSV(src format.Source) error {
	if r.csv == nil {
		d, err := r.program.csv.NewDecoder(r.program.wants)
		if err != nil {
			return fmt.Errorf("read delimited text: %w", err)
		}
		r.csv = d
	}
	if err := r.csv.Decode(src, r.emit); err != nil {
		return err
	}
	if !r.header { // no record followed the header
		return r.readHeader()
	}
	return nil
}

func (r *Run) emitCSV(row *format.Row) error {
	if !r.header {
		if err := r.readHeader(); err != nil {
			return err
		}
	}
	r.frame.next(row)
	for _, t := range r.tables {
		if !t.wanted {
			continue
		}
		if err := r.row(t); err != nil {
			return err
		}
	}
	return nil
}

func (r *Run) emitXML(row *format.Row) error {
	t := r.tables[row.Group]
	if !t.wanted {
		return nil
	}
	r.frame.next(row)
	return r.row(t)
}

// readHeader looks for columns that are missing or new.
func (r *Run) readHeader() error {
	r.header = true
	missing := r.csv.Missing()
	for _, t := range r.tables {
		if !t.wanted {
			continue
		}
		if err := t.missing(missing); err != nil {
			return err
		}
		if err := r.findExtras(t); err != nil {
			return err
		}
	}
	return nil
}

// flush completes a batch and hands it out.
func (r *Run) flush(table int, b *column.Batch) error {
	if b.Rows == 0 {
		return nil
	}
	b.Columns[atCustomer].Fill(string(r.bindings.customerID), b.Rows)
	b.Columns[atLoad].Fill(r.origin.Load, b.Rows)
	b.Columns[atArrived].FillInt(r.bindings.arrived, b.Rows)
	if r.origin.Flush != nil {
		if err := r.origin.Flush(table, b); err != nil {
			return err
		}
	}
	b.Reset()
	return nil
}

// Finish hands out what is left and counts: for every table of the program its rows, and the warnings. A *lake.Refusal
// says that no member was wanted, or that a check broke its budget.
func (r *Run) Finish() ([]lake.TableFiles, []lake.Warning, error) {
	if !r.any {
		return nil, nil, lake.Refuse(lake.NoMember, -1)
	}
	var counts []lake.TableFiles
	var warnings []lake.Warning
	for i, t := range r.tables {
		w, err := t.warnings()
		if err != nil {
			return nil, nil, err
		}
		warnings = append(warnings, w...)
		if err := r.flush(i, t.batch); err != nil {
			return nil, nil, err
		}
		t.bytes = 0
		counts = append(counts, lake.TableFiles{
			Table: t.plan.schema.Table, Read: t.read, Committed: t.read - t.filtered - t.rejected,
			Filtered: t.filtered, Rejected: t.rejected,
		})
	}
	if err := r.flush(len(r.tables), r.rejects); err != nil {
		return nil, nil, err
	}
	counts = append(counts, lake.TableFiles{Table: Rejects().Target(), Read: r.rejected, Committed: r.rejected})
	return counts, warnings, nil
}
