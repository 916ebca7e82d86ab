// Package restore puts tables back to how they were at a time, through the log: it claims an entry that names the old
// snapshot, and commit then makes a new snapshot of the old content. What was loaded since comes back on top of it, but
// for loads that are left out by choice; the choice stands in the entry for ever, so nothing that was acknowledged is lost
// in silence. It touches no table itself, and any number of it may run beside everything else.
//
// A table that changes is a fold of its log table: the log table is restored, and merge makes the current one anew.
package restore

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"time"

	"medlake/shared/lake"
	"medlake/shared/store"
	"medlake/shared/store/journal"
	"medlake/shared/warehouse"
)

// Tables are the tables of the lake.
type Tables interface {
	// Tables lists the tables as namespace.table.
	Tables(ctx context.Context) ([]string, error)
	// Batch is a table's current state.
	Batch(ctx context.Context, table string) (warehouse.Head, error)
	// SnapshotAt is a table's state at a time: the zero Snapshot if it was empty, lake.ErrNotFound if it is not kept.
	SnapshotAt(ctx context.Context, table string, at time.Time) (warehouse.Snapshot, error)
	// Snapshots lists a table's states that are kept, oldest first.
	Snapshots(ctx context.Context, table string) ([]warehouse.Snapshot, error)
	// Hold keeps a snapshot until it has been restored; lake.ErrNotFound if it is not kept any more.
	Hold(ctx context.Context, table string, snapshot int64) error
}

// Config is what a restorer works with. Bucket and Tables must be set; other zero fields take the defaults.
type Config struct {
	Bucket  *store.Bucket
	Tables  Tables
	Journal *journal.Journal // default: one of its own
	ID      func() string    // a name never given before; default random
}

// Restorer plans and asks for restores. It is safe for concurrent use.
type Restorer struct{ cfg Config }

// New makes a restorer.
func New(cfg Config) (*Restorer, error) {
	if cfg.Bucket == nil || cfg.Tables == nil {
		return nil, errors.New("restore: bucket and tables must be set")
	}
	if cfg.Journal == nil {
		cfg.Journal = journal.New(cfg.Bucket)
	}
	if cfg.ID == nil {
		cfg.ID = rand.Text
	}
	return &Restorer{cfg}, nil
}

// Restored is a table whose restore stands in the log.
type Restored struct {
	Table string
	Entry int64 // the table is restored when its number has come to this
}

// Restore claims an entry of the log for each table of the plan. Every load that the plan undoes is committed again,
// unless it is among those to exclude, by id; so are loads that came after the plan was made. Loads that an earlier
// restore left out stay out. An exclude that no table of the plan knows, and a load to commit again whose files were
// deleted meanwhile, are lake.ErrInvalid before anything is done. After another error the tables returned are restored;
// doing it again with a new plan is no harm.
func (r *Restorer) Restore(ctx context.Context, p Plan, exclude []string, reason string) ([]Restored, error) {
	asked, err := p.requests(exclude, reason)
	if err != nil {
		return nil, err
	}
	var done []Restored
	for i := range asked {
		if err := r.hold(ctx, asked[i].Table, asked[i].Snapshot); err != nil {
			return done, fmt.Errorf("restore: %w", err)
		}
		e, err := r.cfg.Journal.Add(ctx, lake.Entry{ID: r.cfg.ID(), Restore: &asked[i]})
		if err == nil {
			err = r.cfg.Journal.Hint(ctx, e.N)
		}
		if err != nil {
			return done, fmt.Errorf("restore table %s: %w", asked[i].Table, err)
		}
		done = append(done, Restored{asked[i].Table, e.N})
	}
	return done, nil
}

// hold keeps the state to go back to, and with it the files of all that came after it. For the empty table, which is no
// state, its first one is kept: who was slow may find that it is gone, and files of early loads with it.
func (r *Restorer) hold(ctx context.Context, table string, snapshot int64) error {
	if snapshot == 0 {
		all, err := r.cfg.Tables.Snapshots(ctx, table)
		if err != nil || len(all) == 0 {
			return err
		}
		if snapshot = all[0].ID; !all[0].First {
			return fmt.Errorf("table %s: its first state is no longer kept: %w", table, lake.ErrNotFound)
		}
	}
	return r.cfg.Tables.Hold(ctx, table, snapshot)
}

// requests are the restores that a plan comes to.
func (p *Plan) requests(exclude []string, reason string) ([]lake.Restore, error) {
	known := map[string]bool{}
	for _, load := range exclude {
		known[load] = false
	}
	var asked []lake.Restore
	for _, t := range p.Tables {
		one := lake.Restore{Table: t.Table, Snapshot: t.Snapshot.ID, Batch: t.Snapshot.Batch, Reason: reason}
		gone := 0
		for _, u := range t.Undone {
			_, chosen := known[u.Load]
			switch {
			case chosen || u.Out:
				one.Exclude = append(one.Exclude, u.Load)
			case u.Gone:
				gone++
			}
			if chosen {
				known[u.Load] = true
			}
		}
		if gone > 0 {
			return nil, fmt.Errorf("table %s: files of %d later loads were removed when they were compacted: restore to a later time, or exclude them and replay their uploads: %w",
				t.Table, gone, lake.ErrInvalid)
		}
		slices.Sort(one.Exclude)
		asked = append(asked, one)
	}
	for load, found := range known {
		if !found {
			return nil, fmt.Errorf("load %s is not among those that the restore undoes: %w", load, lake.ErrInvalid)
		}
	}
	return asked, nil
}
