package merge

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"medlake/shared/faas/meter"
	"medlake/shared/lake"
	"medlake/shared/pace"
	"medlake/shared/transform/column"
	"medlake/shared/warehouse"
)

// gap says that the entries after From up to To change no row of the table. That is a fact about the log and the fold,
// whatever happens to the table.
type gap struct{ from, to int64 }

// standAside is how many rounds a merger leaves a table to another one whose metadata fold it differently, before it folds
// the table anew itself: that is one of a newer version, and this process is about to be replaced.
const standAside = 30

var errAside = errors.New("it is folded by other metadata than this process has")

// merge brings one table up to its log.
func (m *Merger) merge(ctx context.Context, t *merged) (changed bool, err error) {
	for try := 1; ; try++ {
		changed, err = m.step(ctx, t)
		if err == nil || try >= m.cfg.Tries || ctx.Err() != nil || errors.Is(err, errAside) {
			break
		}
		pace.Pause(ctx, time.Duration(rand.Int64N(int64(try)*int64(20*time.Millisecond)))) // most likely another merger was first
	}
	if err != nil {
		return changed, fmt.Errorf("table %s: %w", t.table.schema.Table, err)
	}
	return changed, nil
}

// step makes one transaction of all that the log holds and the table does not. Both are pinned first, so it takes in
// exactly the entries that the log's number tells of, also where it reads the log itself.
func (m *Merger) step(ctx context.Context, t *merged) (changed bool, err error) {
	head, err := m.cfg.Tables.Batch(ctx, t.table.schema.Table)
	if err != nil {
		return false, err
	}
	log, err := m.cfg.Tables.Batch(ctx, t.log.schema.Table)
	if err != nil {
		return false, err
	}
	if log.Batch < head.Batch {
		return false, nil // the log was put back and is yet to catch up
	}
	m.cfg.Meter.Set(ctx, meter.MergeLag, float64(max(0, log.Batch-max(head.Batch, t.settled.to))), head.Table)
	p := plan{merged: t, head: head, logHead: log, anew: map[string]bool{}, news: map[string][]warehouse.LiveFile{}}
	switch {
	case head.Fold == t.fold.Version():
		t.ours, t.aside = true, 0
		from := head.Batch
		if t.settled.from <= from && from < t.settled.to {
			from = t.settled.to
		}
		if from >= log.Batch {
			return false, nil
		}
		if err := m.since(ctx, &p, from); err != nil {
			return false, err
		}
	case t.ours && t.aside < standAside:
		t.aside++
		return false, errAside
	default:
		p.all = true
	}
	c, rows, err := m.change(ctx, &p)
	if err != nil {
		return false, err
	}
	if !p.all && len(c.Add)+len(c.Deletes)+len(c.Remove) == 0 {
		if t.settled.from > head.Batch || head.Batch > t.settled.to {
			t.settled.from = head.Batch
		}
		t.settled.to = log.Batch
		m.cfg.Meter.Set(ctx, meter.MergeLag, 0, head.Table)
		return false, nil
	}
	if err := m.cfg.Tables.Apply(ctx, head, c); err != nil {
		return false, err
	}
	t.ours, t.aside = true, 0
	m.cfg.Meter.Set(ctx, meter.MergeLag, 0, head.Table)
	m.cfg.Meter.Add(ctx, meter.MergedRow, rows, head.Table)
	m.log.InfoContext(ctx, "merged", "table", head.Table, "entry", c.Batch, "rows", rows, "anew", p.all || len(p.anew) > 0)
	return true, nil
}

// plan is what a step has to do.
type plan struct {
	*merged
	head, logHead warehouse.Head
	all           bool            // every customer's rows are folded anew
	anew          map[string]bool // customers whose rows are
	news          map[string][]warehouse.LiveFile
}

// since finds what the entries after `from` brought into the log. Rows that left it, by a replay or a restore, cannot be
// taken back out of what they were folded into: their customer's rows are folded anew.
func (m *Merger) since(ctx context.Context, p *plan, from int64) error {
	name := p.log.schema.Table
	for n := from + 1; n <= p.logHead.Batch && !p.all; n++ {
		e, err := m.cfg.Journal.Entry(ctx, n)
		if errors.Is(err, lake.ErrNotFound) {
			return fmt.Errorf("the log has a hole at %d", n)
		}
		if err != nil {
			return err
		}
		if e.Restore != nil && e.Restore.Table == name {
			p.all = true
		}
		for i := range e.Loads {
			l := &e.Loads[i]
			if slices.Contains(l.Drops, name) {
				if customer := customerOf(&e.Entry, l.Load); customer != "" {
					p.anew[customer] = true
				} else {
					p.all = true
				}
			}
			for _, t := range l.Tables {
				for _, f := range t.Files {
					if t.Table == name {
						p.news[f.Customer] = append(p.news[f.Customer], warehouse.LiveFile{DataFile: f})
					}
				}
			}
		}
	}
	return nil
}

// customerOf is whose load an entry takes in; empty if it does not say.
func customerOf(e *lake.Entry, load string) string {
	if e.Erase != nil {
		return e.Erase.Customer
	}
	for i := range e.Receipts {
		if r := &e.Receipts[i]; r.Load == load && r.Status != lake.Duplicate {
			return r.Arrival.Customer()
		}
	}
	return ""
}

// change makes the files of a plan, and counts the rows in them.
func (m *Merger) change(ctx context.Context, p *plan) (c warehouse.Change, rows int64, err error) {
	c.Batch, c.Fold = p.logHead.Batch, p.fold.Version()
	customers, err := m.customers(ctx, p)
	if err != nil {
		return c, 0, err
	}
	name := fmt.Sprintf("%d-%d-%s", p.head.Batch+1, c.Batch, m.cfg.Attempt())
	for _, customer := range customers {
		current, err := m.cfg.Tables.Live(ctx, p.head, customer)
		if err != nil {
			return c, 0, err
		}
		whole := func() ([]warehouse.LiveFile, error) { return m.cfg.Tables.Live(ctx, p.logHead, customer) }
		news := p.news[customer]
		if p.all || p.anew[customer] {
			for i := range current {
				c.Remove = append(c.Remove, current[i].Path)
			}
			current = nil
			if news, err = whole(); err != nil {
				return c, 0, err
			}
		}
		parts := p.partsOf(rowsOf(news))
		for part := range parts {
			s := share{
				merged: p.merged, part: part, parts: parts,
				out: output{
					bucket: m.cfg.Bucket, encoder: p.encoder, batch: column.New(p.table.schema.Columns),
					key: fmt.Sprintf("%scustomer=%s/%s-%d.parquet", p.folder, customer, name, part),
				},
			}
			if err := s.run(ctx, news, current, whole); err != nil {
				return c, 0, err
			}
			add, err := s.out.finish(ctx, customer)
			if err != nil {
				return c, 0, err
			}
			c.Add = append(c.Add, add...)
			hide, err := hideRows(ctx, m.cfg.Bucket, strings.TrimSuffix(s.out.key, ".parquet")+"-deletes.parquet", customer, s.hide)
			if err != nil {
				return c, 0, err
			}
			c.Deletes = append(c.Deletes, hide...)
			rows += s.out.written
		}
	}
	return c, rows, nil
}

// partsOf is into how many parts rows of all columns are cut, so that one fits memory.
func (t *merged) partsOf(rows int64) uint32 {
	return uint32(rows*int64(len(t.table.schema.Columns))/t.cells) + 1
}

func rowsOf(files []warehouse.LiveFile) (n int64) {
	for i := range files {
		n += files[i].Rows
	}
	return n
}

// customers lists whose rows a plan is about.
func (m *Merger) customers(ctx context.Context, p *plan) ([]string, error) {
	var names []string
	for c := range p.news {
		names = append(names, c)
	}
	for c := range p.anew {
		names = append(names, c)
	}
	if p.all {
		for _, h := range []warehouse.Head{p.head, p.logHead} {
			files, err := m.cfg.Tables.Live(ctx, h, "")
			if err != nil {
				return nil, err
			}
			for i := range files {
				names = append(names, files[i].Customer)
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names), nil
}
