package merge

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"medlake/shared/datafile"
	"medlake/shared/lake"
	"medlake/shared/metadata"
	"medlake/shared/transform"
	"medlake/shared/transform/fold"
)

// Table is a table that changes.
type Table struct {
	Log     lake.Schema // wanted schema of its log
	Current lake.Schema // wanted schema of the table itself
	Key     []string    // the columns that make a key
	Fold    *fold.Fold
}

// Of lists the tables that change of the metadata.
func Of(l *transform.Library) []Table {
	var all []Table
	for _, t := range l.Set().Tables {
		if t.Change != nil {
			all = append(all, Changing(t, l.Fold(t)))
		}
	}
	return all
}

// Changing makes the Table of a table with `change`: its columns are the log's, its files are cut by customer.
func Changing(t *metadata.Table, f *fold.Fold) Table {
	c := Table{Log: t.Schema(), Current: t.Schema(), Key: []string{lake.ColCustomer}, Fold: f}
	key := t.Key
	if len(t.Change.Replace) > 0 {
		key = t.Change.Replace
	}
	for _, k := range key {
		if k != lake.ColCustomer {
			c.Key = append(c.Key, k)
		}
	}
	c.Current.Table, c.Current.Partition = t.ID(), []string{lake.ColCustomer}
	c.Current.Sort = slices.Clone(c.Key[1:])
	return c
}

// merged is a table that is kept up to its log.
type merged struct {
	fold    *fold.Fold
	log     *side
	table   *side
	folder  string // key of the table's data
	encoder *datafile.Encoder
	cells   int64 // of a part

	settled gap
	ours    bool // the table has been seen with our fold
	aside   int  // rounds in which it was another's since
}

// ensure makes the two tables of t and learns how they are read and written.
func (m *Merger) ensure(ctx context.Context, t Table, tail int64) (*merged, error) {
	into := &merged{fold: t.Fold, cells: m.cfg.Cells}
	if err := m.mayChange(ctx, t); err != nil {
		return nil, err
	}
	log, err := m.cfg.Tables.Ensure(ctx, t.Log, tail)
	if err != nil {
		return nil, fmt.Errorf("table %s: %w", t.Log.Table, err)
	}
	current, err := m.cfg.Tables.Ensure(ctx, t.Current, 0)
	if err != nil {
		return nil, fmt.Errorf("table %s: %w", t.Current.Table, err)
	}
	if into.log, err = newSide(m.cfg.Bucket, log, t.Fold, t.Key, true); err != nil {
		return nil, err
	}
	if into.table, err = newSide(m.cfg.Bucket, current, t.Fold, t.Key, false); err != nil {
		return nil, err
	}
	if into.encoder, err = datafile.NewEncoder(current); err != nil {
		return nil, fmt.Errorf("table %s: %w", current.Table, err)
	}
	folder, err := m.cfg.Bucket.Key(current.Location)
	if err != nil {
		return nil, fmt.Errorf("table %s: %w", current.Table, err)
	}
	into.folder = folder + "/data/"
	return into, nil
}

// mayChange refuses a table that has rows of its own: those of its log would replace them.
func (m *Merger) mayChange(ctx context.Context, t Table) error {
	switch head, err := m.cfg.Tables.Batch(ctx, t.Current.Table); {
	case errors.Is(err, lake.ErrNotFound):
	case err != nil:
		return fmt.Errorf("table %s: %w", t.Current.Table, err)
	case head.Fold == "" && head.Snapshot != 0:
		return fmt.Errorf("table %s has rows of its own and cannot become one with change: give that another name: %w", t.Current.Table, lake.ErrInvalid)
	}
	return nil
}

// ensureLog makes the log of t alone. Where there is one, its table was looked at before it was made.
func (m *Merger) ensureLog(ctx context.Context, t Table, tail int64) error {
	switch _, err := m.cfg.Tables.Batch(ctx, t.Log.Table); {
	case errors.Is(err, lake.ErrNotFound):
		if err := m.mayChange(ctx, t); err != nil {
			return err
		}
	case err != nil:
		return fmt.Errorf("table %s: %w", t.Log.Table, err)
	}
	if _, err := m.cfg.Tables.Ensure(ctx, t.Log, tail); err != nil {
		return fmt.Errorf("table %s: %w", t.Log.Table, err)
	}
	return nil
}
