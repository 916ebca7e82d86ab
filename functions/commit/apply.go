package commit

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"medlake/shared/lake"
	"medlake/shared/store/journal"
)

const (
	maxFiles    = 5000   // files added by one transaction
	maxReceipts = 50_000 // rows of ops.loads added by one transaction
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
			pause(ctx, time.Duration(rand.Int64N(int64(try)*int64(20*time.Millisecond))))
			try++
		}
	}
}

// step adds the files of the entries after the table's number, in one transaction whose number is that of the last entry
// read. It never sets the number without a file: a table's state is pinned by its snapshot, which only files change.
func (c *Committer) step(ctx context.Context, table string, n int64) (done bool, err error) {
	head, err := c.cfg.Tables.Head(ctx, table)
	if err != nil {
		return false, err
	}
	from := c.gaps.skip(table, head.Batch())
	var files []lake.DataFile
	var entries []*journal.Entry
	receipts := 0
	to := from
	for to < n && len(files) < maxFiles && receipts < maxReceipts {
		e, err := c.cfg.Journal.Entry(ctx, to+1)
		if errors.Is(err, lake.ErrNotFound) {
			return false, fmt.Errorf("the log has a hole at %d", to+1)
		}
		if err != nil {
			return false, err
		}
		to++
		if table == lake.OpsLoads {
			entries = append(entries, e)
			receipts += len(e.Receipts)
			continue
		}
		for _, l := range e.Loads {
			for _, t := range l.Tables {
				if t.Table == table {
					files = append(files, t.Files...)
				}
			}
		}
	}
	if receipts > 0 {
		if files, err = c.loads.write(ctx, from, to, entries); err != nil {
			return false, err
		}
	}
	if len(files) == 0 {
		c.gaps.add(table, head.Batch(), to)
		return to >= n, nil
	}
	if err := head.Append(ctx, files, to); err != nil {
		return false, err
	}
	return to >= n, nil
}
