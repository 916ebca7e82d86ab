package restore

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"medlake/shared/lake"
	"medlake/shared/store"
	"medlake/shared/warehouse"
)

// Plan says what a restore would change. Making one changes nothing.
type Plan struct {
	To     time.Time
	Tail   int64   // the last entry of the log that was read
	Tables []Table // those that have changed since To
}

// Table is one table of a plan.
type Table struct {
	Table    string
	Batch    int64              // the last log entry whose rows are in now
	Snapshot warehouse.Snapshot // the state to go back to; the zero value is the empty table
	Undone   []Undone           // what was loaded since, by log entry
}

// Undone is a load that came after the time of a plan.
type Undone struct {
	Load    string
	Entry   int64          // of the log
	Rows    int64          // in this table
	Receipt []lake.Receipt // of the arrivals that brought it in this entry
	Out     bool           // an earlier restore left it out, and so will this one
	Gone    bool           // files of it may have been deleted since: it can only be excluded

	outBy int64    // the entry that last decided Out
	files []string // URLs
}

// Rows counts the rows of all loads that the plan undoes and that are there now.
func (p *Plan) Rows() (rows int64) {
	for _, t := range p.Tables {
		for _, u := range t.Undone {
			if !u.Out {
				rows += u.Rows
			}
		}
	}
	return rows
}

// Loads lists the ids of all loads that the plan undoes: whoever wants nothing back that came later excludes them.
func (p *Plan) Loads() []string {
	var ids []string
	for _, t := range p.Tables {
		for _, u := range t.Undone {
			ids = append(ids, u.Load)
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// Plan looks what it means to put a table back to a time; "" means all tables. For a table that changes it is its log
// table. A time whose state is no longer kept is lake.ErrNotFound; a ledger or a table that others are derived for is
// lake.ErrInvalid if it is named, and left alone otherwise.
func (r *Restorer) Plan(ctx context.Context, table string, to time.Time) (Plan, error) {
	names, err := r.names(ctx, table)
	if err != nil {
		return Plan{}, err
	}
	p := Plan{To: to}
	for _, name := range names {
		head, err := r.cfg.Tables.Batch(ctx, name)
		if err != nil {
			return Plan{}, err
		}
		s, err := r.cfg.Tables.SnapshotAt(ctx, name, to)
		if err != nil {
			return Plan{}, err
		}
		if s.ID != head.Snapshot {
			p.Tables = append(p.Tables, Table{Table: name, Batch: head.Batch, Snapshot: s})
		}
	}
	if p.Tail, err = r.cfg.Journal.Tail(ctx); err != nil {
		return Plan{}, err
	}
	if err := r.read(ctx, &p); err != nil {
		return Plan{}, err
	}
	for i := range p.Tables {
		if err := r.look(ctx, &p.Tables[i]); err != nil {
			return Plan{}, err
		}
	}
	return p, nil
}

// names lists the tables whose rows come from the log and from nothing else.
func (r *Restorer) names(ctx context.Context, table string) ([]string, error) {
	all, err := r.cfg.Tables.Tables(ctx)
	if err != nil {
		return nil, err
	}
	var names []string
	made := map[string]bool{} // from their logs
	for _, name := range all {
		head, err := r.cfg.Tables.Batch(ctx, name)
		if err != nil {
			return nil, err
		}
		if made[name] = head.Fold != ""; !made[name] && (strings.HasPrefix(name, "lake.") || name == lake.OpsRejects) {
			names = append(names, name)
		}
	}
	switch {
	case table == "":
		return names, nil
	case slices.Contains(names, table):
		return []string{table}, nil
	case made[table]:
		return []string{table + "_log"}, nil
	case slices.Contains(all, table):
		return nil, fmt.Errorf("table %s is made from others: restore those: %w", table, lake.ErrInvalid)
	}
	return nil, fmt.Errorf("table %s: %w", table, lake.ErrNotFound)
}

// read finds what the entries after each table's old state brought.
func (r *Restorer) read(ctx context.Context, p *Plan) error {
	from := p.Tail
	for _, t := range p.Tables {
		from = min(from, t.Snapshot.Batch)
	}
	for n := from + 1; n <= p.Tail; n++ {
		e, err := r.cfg.Journal.Entry(ctx, n)
		if errors.Is(err, lake.ErrNotFound) {
			return fmt.Errorf("the log has a hole at %d", n)
		}
		if err != nil {
			return err
		}
		for i := range p.Tables {
			if t := &p.Tables[i]; n > t.Snapshot.Batch {
				t.take(&e.Entry)
			}
		}
	}
	return nil
}

// take notes what an entry did to the table. A load that a later one replaces is not there to be undone; but one that was
// left out stays in the list, lest it come back when its successor is left out too.
func (t *Table) take(e *lake.Entry) {
	if r := e.Restore; r != nil && r.Table == t.Table {
		for i := range t.Undone {
			switch u := &t.Undone[i]; {
			case u.Entry > r.Batch: // came after the state it went back to
				u.Out, u.outBy = slices.Contains(r.Exclude, u.Load), e.N
			case u.outBy > r.Batch: // was left out only after that state
				u.Out = false
			}
		}
	}
	for _, l := range e.Loads {
		if l.Replaces != "" && slices.Contains(l.Drops, t.Table) {
			t.Undone = slices.DeleteFunc(t.Undone, func(u Undone) bool { return u.Load == l.Replaces && !u.Out })
		}
		for _, f := range l.Tables {
			if f.Table != t.Table || len(f.Files) == 0 {
				continue
			}
			u := Undone{Load: l.Load, Entry: e.N, Rows: f.Committed}
			for _, receipt := range e.Receipts {
				if receipt.Load == l.Load {
					u.Receipt = append(u.Receipt, receipt)
				}
			}
			for _, file := range f.Files {
				u.files = append(u.files, file.Path)
			}
			t.Undone = append(t.Undone, u)
		}
	}
}

// look finds out which loads have lost files. Maintenance deletes none of a load that came after a snapshot, while it
// keeps the snapshot for its age; a month's tag alone makes no such promise.
func (r *Restorer) look(ctx context.Context, t *Table) error {
	if len(t.Undone) == 0 {
		return nil
	}
	sure := t.Snapshot.Batch
	if t.Snapshot.Month {
		all, err := r.cfg.Tables.Snapshots(ctx, t.Table)
		if err != nil {
			return err
		}
		if i := slices.IndexFunc(all, func(s warehouse.Snapshot) bool { return !s.Month }); i >= 0 {
			sure = all[i].Batch
		}
	}
	there := map[string]bool{}
	for o, err := range r.cfg.Bucket.List(ctx, store.TablePrefix(t.Table)+"data/") {
		if err != nil {
			return err
		}
		there[r.cfg.Bucket.URL(o.Key)] = true
	}
	for i := range t.Undone {
		u := &t.Undone[i]
		u.Gone = u.Entry <= sure || slices.ContainsFunc(u.files, func(url string) bool { return !there[url] })
	}
	return nil
}
