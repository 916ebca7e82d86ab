package warehouse

import (
	"context"
	"fmt"
	"strings"
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
	if err == nil {
		err = w.letGo(ctx, t, keepWindows[len(keepWindows)-1].age)
	}
	if err == nil {
		t, err = w.load(ctx, name)
	}
	if err != nil {
		return err
	}
	if drop := expired(t.Metadata()); len(drop) > 0 {
		return w.remove(w.files.with(ctx), t.Identifier(), t.Metadata(), drop)
	}
	return nil
}

// remove takes snapshots out of the table's list.
func (w *Warehouse) remove(ctx context.Context, ident table.Identifier, m table.Metadata, drop []int64) error {
	head := m.CurrentSnapshot().SnapshotID
	_, _, err := w.cat.CommitTable(ctx, ident,
		[]table.Requirement{table.AssertTableUUID(m.TableUUID()), table.AssertRefSnapshotID(table.MainBranch, &head)},
		[]table.Update{table.NewRemoveSnapshotsUpdate(drop, false)})
	if err != nil {
		return fmt.Errorf("expire snapshots of %s: %w", strings.Join(ident, "."), err)
	}
	return nil
}

// tidy follows a commit: it drops snapshots once many are to go, and the metadata files that the newest no longer lists.
// The commit stands whatever comes of it, and what stays behind is found again.
func (w *Warehouse) tidy(ctx context.Context, before *table.Table, m table.Metadata) {
	listed := map[string]bool{}
	for f := range m.PreviousFiles() {
		listed[f.MetadataFile] = true
	}
	fs := &session{files: w.files, ctx: ctx}
	for f := range before.Metadata().PreviousFiles() {
		if !listed[f.MetadataFile] {
			_ = fs.Remove(f.MetadataFile)
		}
	}
	if drop := expired(m); len(drop) >= expireAt {
		_ = w.remove(w.files.with(ctx), before.Identifier(), m, drop)
	}
}

// expired lists the snapshots that no rule and no tag keeps.
func expired(m table.Metadata) []int64 { return droppable(m, func(string) bool { return false }) }

// droppable lists the snapshots that would be kept no longer, were it not for some tags.
func droppable(m table.Metadata, but func(tag string) bool) []int64 {
	var all []snapshot
	for _, s := range m.Snapshots() {
		all = append(all, snapshot{id: s.SnapshotID, at: time.UnixMilli(s.TimestampMs)})
	}
	pinned := map[int64]bool{}
	for name, ref := range m.Refs() {
		if !but(name) {
			pinned[ref.SnapshotID] = true
		}
	}
	return thin(all, pinned)
}

type snapshot struct {
	id int64
	at time.Time
}

// thin lists which of all, oldest first, are to go. Of a window's step the newest stays.
func thin(all []snapshot, pinned map[int64]bool) (drop []int64) {
	if len(all) == 0 {
		return nil
	}
	newest := all[len(all)-1].at
	last := make([]time.Time, len(keepWindows)) // the step that has its snapshot, by window
	for i := len(all) - 1; i >= 0; i-- {
		s := all[i]
		kept := pinned[s.id] || len(all)-i <= keepSnapshots
		for w, win := range keepWindows {
			if step := s.at.UTC().Truncate(win.step); newest.Sub(s.at) <= win.age && !step.Equal(last[w]) {
				last[w], kept = step, true
			}
		}
		if !kept {
			drop = append(drop, s.id)
		}
	}
	return drop
}
