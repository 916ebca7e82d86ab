package commit

import (
	"context"
	"time"

	"medlake/shared/faas/meter"
	"medlake/shared/store"
)

// measure counts a round.
func (c *Committer) measure(ctx context.Context, r Round, start time.Time, err error) {
	c.cfg.Meter.Round(ctx, "commit", start, err)
	c.cfg.Meter.Set(ctx, meter.Unreadable, float64(len(c.unread)))
	if r.Entry > 0 {
		c.cfg.Meter.Set(ctx, meter.LogEntries, float64(r.Entry))
	}
}

// measurePending tells how much waits, oldest first, and since when.
func (c *Committer) measurePending(ctx context.Context, found []store.Object) {
	c.cfg.Meter.Set(ctx, meter.Pending, float64(len(found)))
	age := time.Duration(0)
	if len(found) > 0 {
		age = max(0, time.Since(found[0].ModTime))
	}
	c.cfg.Meter.Set(ctx, meter.PendingAge, age.Seconds())
}

// measureReceipts counts arrivals whose rows, and line in ops.loads, have just become visible; not what a replay derived,
// which came long ago.
func (c *Committer) measureReceipts(ctx context.Context, w *net) {
	for _, e := range w.entries {
		for i := range e.Receipts {
			if r := &e.Receipts[i]; r.Epoch == 0 && w.receipts > 0 {
				c.cfg.Meter.Add(ctx, meter.Committed, 1, string(r.Status))
				c.cfg.Meter.Observe(ctx, meter.Freshness, max(0, time.Since(r.Arrival.At).Seconds()))
			}
		}
	}
}
