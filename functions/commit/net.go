package commit

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"medlake/shared/lake"
	"medlake/shared/store/journal"
)

const (
	maxFiles    = 5000   // files added by one transaction
	maxDrops    = 5000   // loads taken out by one transaction
	maxReceipts = 50_000 // rows of ops.loads added by one transaction
)

// net is what the entries (from, to] of the log come to for one table.
type net struct {
	table    string
	from, to int64
	add      []share
	drop     []string         // loads whose rows may stand in the table from before
	entries  []*journal.Entry // for ops.loads, which is made of them
	receipts int

	// After a restore from is the entry that its snapshot holds, and the table's own content is forgotten.
	restore *lake.Restore
	at      int64 // its entry
}

// share is what one load brings to the table.
type share struct {
	load  string
	files []lake.DataFile
}

// read takes in entries after from, up to n or to as much as one transaction should hold. Restores in entries up to lost
// are passed over: their snapshots are gone.
func (c *Committer) read(ctx context.Context, table string, from, n, lost int64) (*net, error) {
	w := &net{table: table, from: from, to: from}
	for w.to < n && !w.full() {
		e, err := c.entry(ctx, w.to+1)
		if err != nil {
			return nil, err
		}
		if r := e.Restore; r != nil && r.Table == table && e.N > lost {
			if w, err = c.back(ctx, e.N, r); err != nil {
				return nil, err
			}
			continue
		}
		w.take(e, nil)
	}
	return w, nil
}

// back takes in the entries between a restore's snapshot and the restore, at entry n, without what it excludes. It must be
// one transaction, however much it holds: a table half way back would have a number that says otherwise.
func (c *Committer) back(ctx context.Context, n int64, r *lake.Restore) (*net, error) {
	w := &net{table: r.Table, from: r.Batch, restore: r, at: n}
	for w.to = r.Batch; w.to < n-1; {
		e, err := c.entry(ctx, w.to+1)
		if err != nil {
			return nil, err
		}
		w.take(e, r.Exclude)
	}
	w.to = n
	return w, nil
}

func (c *Committer) entry(ctx context.Context, n int64) (*journal.Entry, error) {
	e, err := c.cfg.Journal.Entry(ctx, n)
	if errors.Is(err, lake.ErrNotFound) {
		return nil, fmt.Errorf("the log has a hole at %d", n)
	}
	return e, err
}

func (w *net) full() bool {
	return len(w.add) >= maxFiles || len(w.drop) >= maxDrops || w.receipts >= maxReceipts
}

// take takes in one entry. What a load replaces leaves, or does not even come. A load that is excluded replaces nothing
// either: its predecessor stays, unless that is erased.
func (w *net) take(e *journal.Entry, exclude []string) {
	w.to = e.N
	if w.table == lake.OpsLoads && len(e.Receipts) > 0 {
		w.entries = append(w.entries, e)
		w.receipts += len(e.Receipts)
	}
	for i := range e.Loads {
		l := &e.Loads[i]
		excluded := slices.Contains(exclude, l.Load)
		if slices.Contains(l.Drops, w.table) && (!excluded || l.Erased) {
			for _, old := range append([]string{l.Replaces}, l.Older...) {
				w.out(old)
			}
		}
		for _, t := range l.Tables {
			if t.Table == w.table && len(t.Files) > 0 && !excluded {
				w.add = append(w.add, share{l.Load, t.Files})
			}
		}
	}
}

func (w *net) out(load string) {
	n := len(w.add)
	w.add = slices.DeleteFunc(w.add, func(s share) bool { return s.load == load })
	if len(w.add) == n {
		w.drop = append(w.drop, load)
	}
}

// idle says that the entries do not name the table: a fact about the log alone.
func (w *net) idle() bool {
	return len(w.add) == 0 && len(w.drop) == 0 && w.receipts == 0 && w.restore == nil
}

func (w *net) files() (files []lake.DataFile) {
	for _, s := range w.add {
		files = append(files, s.files...)
	}
	return files
}
