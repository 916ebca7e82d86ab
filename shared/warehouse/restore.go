package warehouse

import (
	"context"
	"fmt"

	"github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/table"

	"medlake/shared/lake"
)

// Restore makes a new snapshot with the content of an older one, snapshot 0 is the empty table, and with a Change made to
// that content: Add, Deletes and Remove are about it, and c.Batch is the table's number afterwards. Data files and their
// position deletes come back as they were, with their sequence numbers, so that the same rows are hidden. It takes effect
// only if the table still stands at h. A snapshot that is no longer kept is lake.ErrNotFound; after any other error the
// outcome is unknown: read Batch again and look.
//
// The snapshot is new even if nothing else changed: were the table's pointer set back instead, a paused commit that was
// pinned to the old snapshot would take effect a second time.
func (w *Warehouse) Restore(ctx context.Context, h Head, snapshot int64, c Change) error {
	if c.Batch < h.Batch {
		return fmt.Errorf("restore %s: entry %d after %d: %w", h.Table, c.Batch, h.Batch, lake.ErrInvalid)
	}
	if snapshot != 0 && h.tbl.SnapshotByID(snapshot) == nil {
		return fmt.Errorf("restore %s: snapshot %d is no longer kept: %w", h.Table, snapshot, lake.ErrNotFound)
	}
	d, err := w.draft(ctx, h.At(snapshot))
	if err == nil {
		err = d.apply(c)
	}
	if err == nil {
		d.instead(h)
		err = d.commit(table.OpOverwrite, c.Batch, c.Fold)
	}
	if err != nil {
		return fmt.Errorf("restore snapshot %d of %s: %w", snapshot, h.Table, err)
	}
	return nil
}

// instead makes a draft that changed an older content one that follows h: all of h leaves and all of the draft comes.
func (d *draft) instead(h Head) {
	old, now := totals(d.head), totals(h)
	for _, m := range measures {
		d.sum[m.added] += old.GetInt64(m.total, 0) - d.sum[m.removed]
		d.sum[m.removed] = now.GetInt64(m.total, 0)
	}
	d.head = h
}

// totals are the counts in the summary of the snapshot that h is at.
func totals(h Head) iceberg.Properties {
	if s := h.tbl.SnapshotByID(h.Snapshot); s != nil && s.Summary != nil {
		return s.Summary.Properties
	}
	return nil
}
