package commit

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"medlake/shared/faas/meter"
	"medlake/shared/lake"
	"medlake/shared/pace"
	"medlake/shared/warehouse"
)

// apply brings one table up to log entry n.
func (c *Committer) apply(ctx context.Context, table string, n int64) error {
	for try := 1; ; {
		done, err := c.step(ctx, table, n)
		switch {
		case err == nil && done:
			return nil
		case err == nil:
			try = 1
		case try >= c.cfg.Tries || ctx.Err() != nil:
			return fmt.Errorf("table %s: %w", table, err)
		default: // most likely another committer was first
			c.cfg.Meter.Add(ctx, meter.CommitRaces, 1)
			pace.Pause(ctx, time.Duration(rand.Int64N(int64(try)*int64(20*time.Millisecond))))
			try++
		}
	}
}

// step makes the change that the entries after the table's number come to, in one transaction whose number is that of the
// last entry read: what was replaced leaves in the same moment as its successor comes. It never sets the number without a
// change of files: a table's state is pinned by its snapshot, which only files change.
func (c *Committer) step(ctx context.Context, table string, n int64) (done bool, err error) {
	head, err := c.cfg.Tables.Batch(ctx, table)
	if err != nil {
		return false, err
	}
	if head.Fold != "" {
		return true, nil // merge makes it from its log, and its number is merge's
	}
	from, lost := c.gaps.skip(table, head.Batch), int64(0)
	for quiet := true; ; quiet = false {
		w, err := c.read(ctx, table, from, n, lost)
		if err != nil {
			return false, err
		}
		if w.idle() {
			if quiet {
				c.gaps.add(table, head.Batch, w.to)
			}
			return w.to >= n, nil
		}
		changed, err := c.change(ctx, head, w)
		switch {
		case err != nil && w.restore != nil && errors.Is(err, lake.ErrNotFound):
			c.cfg.Meter.Add(ctx, meter.PassedOver, 1)
			c.log.ErrorContext(ctx, "a restore is passed over: its snapshot is gone", "table", table, "entry", w.at)
			lost = w.at
		case err != nil || changed || w.to >= n:
			return w.to >= n, err
		default:
			from = w.to
		}
	}
}

// change does the transaction of a net; false if there is nothing to do, because what leaves is not there.
func (c *Committer) change(ctx context.Context, head warehouse.Head, w *net) (changed bool, err error) {
	do := warehouse.Change{Add: w.files(), Batch: w.to}
	if w.receipts > 0 {
		if do.Add, err = c.loads.write(ctx, w.from, w.to, w.entries); err != nil {
			return false, err
		}
	}
	content := head
	if w.restore != nil {
		content = head.At(w.restore.Snapshot)
	}
	if len(w.drop) > 0 {
		if do.Remove, do.Deletes, err = c.cfg.Tables.RowsOf(ctx, content, w.drop); err != nil {
			return false, err
		}
	}
	if w.restore != nil {
		return true, c.cfg.Tables.Restore(ctx, head, w.restore.Snapshot, do)
	}
	if len(do.Add)+len(do.Remove)+len(do.Deletes) == 0 {
		return false, nil
	}
	if err := c.cfg.Tables.Apply(ctx, head, do); err != nil {
		return true, err
	}
	c.measureReceipts(ctx, w)
	return true, nil
}
