package warehouse

import (
	"context"
	"fmt"
	"time"

	"github.com/apache/iceberg-go/table"
)

// keepSnapshots is how many of the newest snapshots are kept whatever their age. A commit reads and writes the list of
// snapshots, so its cost grows with their number.
const keepSnapshots = 50

// expireAt is how many snapshots must be to drop before an append drops them: one more transaction in so many.
const expireAt = 50

// keepWindows thin out older snapshots: one every step, up to age.
var keepWindows = []struct{ age, step time.Duration }{
	{48 * time.Hour, time.Hour},
	{35 * 24 * time.Hour, 24 * time.Hour},
}

// Expire drops snapshots that are no longer kept: the newest stay, then one an hour for two days, one a day for 35 days,
// and all that a tag names. Ages count from the newest snapshot, not from the clock. No file is deleted. If the table
// moves meanwhile nothing is lost: the outcome is only that more snapshots stay.
func (w *Warehouse) Expire(ctx context.Context, name string) error {
	t, err := w.load(ctx, name)
	if err != nil {
		return err
	}
	if drop := expired(t.Metadata()); len(drop) > 0 {
		return w.remove(w.files.with(ctx), t, drop)
	}
	return nil
}

// remove takes snapshots out of the table's list.
func (w *Warehouse) remove(ctx context.Context, t *table.Table, drop []int64) error {
	head := t.CurrentSnapshot().SnapshotID
	_, _, err := w.cat.CommitTable(ctx, t.Identifier(),
		[]table.Requirement{table.AssertTableUUID(t.Metadata().TableUUID()), table.AssertRefSnapshotID(table.MainBranch, &head)},
		[]table.Update{table.NewRemoveSnapshotsUpdate(drop, false)})
	if err != nil {
		return fmt.Errorf("expire snapshots of %s: %w", t.Identifier(), err)
	}
	return nil
}

// expired lists the snapshots that no rule keeps.
func expired(m table.Metadata) []int64 {
	all := m.Snapshots() // oldest first
	if len(all) <= keepSnapshots {
		return nil
	}
	keep := map[int64]bool{}
	for _, ref := range m.Refs() {
		keep[ref.SnapshotID] = true
	}
	newest := time.UnixMilli(all[len(all)-1].TimestampMs)
	seen := map[int64]bool{} // start of a window that has its snapshot
	var drop []int64
	for i := len(all) - 1; i >= 0; i-- {
		s := all[i]
		at := time.UnixMilli(s.TimestampMs)
		kept := keep[s.SnapshotID] || len(all)-i <= keepSnapshots
		for _, win := range keepWindows {
			start := at.Truncate(win.step)
			if newest.Sub(at) <= win.age && !seen[start.UnixNano()+int64(win.step)] {
				seen[start.UnixNano()+int64(win.step)] = true
				kept = true
			}
		}
		if !kept {
			drop = append(drop, s.SnapshotID)
		}
	}
	return drop
}
