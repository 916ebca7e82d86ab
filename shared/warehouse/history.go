package warehouse

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/apache/iceberg-go/table"

	"medlake/shared/lake"
)

// Snapshot is a state of a table that is still kept.
type Snapshot struct {
	ID    int64
	At    time.Time // when it was committed
	Batch int64     // the last log entry whose rows were in
	First bool      // the table was empty before it
	Month bool      // only a month's tag keeps it: files of the loads after it may be gone
}

// Snapshots lists the kept states of a table, oldest first. A table that never had a row has none. A state is left out if
// it is not known which part of the log it holds.
func (w *Warehouse) Snapshots(ctx context.Context, name string) ([]Snapshot, error) {
	t, err := w.load(ctx, name)
	if err != nil {
		return nil, err
	}
	var all []Snapshot
	numbers := map[int64]int64{}
	drop := droppable(t.Metadata(), func(tag string) bool { return strings.HasPrefix(tag, monthPrefix) })
	for _, s := range t.Metadata().Snapshots() {
		n, ok := numberOf(s, numbers)
		if !ok {
			continue
		}
		numbers[s.SnapshotID] = n
		all = append(all, Snapshot{
			ID: s.SnapshotID, At: time.UnixMilli(s.TimestampMs).UTC(), Batch: n, First: s.ParentSnapshotID == nil, Month: slices.Contains(drop, s.SnapshotID),
		})
	}
	slices.SortStableFunc(all, func(a, b Snapshot) int { return a.At.Compare(b.At) })
	return all, nil
}

// numberOf is the log entry up to which a snapshot holds rows. Another engine's does not say it, but holds what the one
// before it held.
func numberOf(s table.Snapshot, numbers map[int64]int64) (int64, bool) {
	if s.Summary != nil {
		if n, err := strconv.ParseInt(s.Summary.Properties[propBatch], 10, 64); err == nil {
			return n, true
		}
	}
	if s.ParentSnapshotID == nil {
		return 0, false
	}
	n, ok := numbers[*s.ParentSnapshotID]
	return n, ok
}

// SnapshotAt is the newest state of a table that was there at a time. The zero Snapshot means that the table was empty
// then, lake.ErrNotFound that the states of that time are no longer kept.
func (w *Warehouse) SnapshotAt(ctx context.Context, name string, at time.Time) (Snapshot, error) {
	all, err := w.Snapshots(ctx, name)
	if err != nil {
		return Snapshot{}, err
	}
	s, kept := newest(all, at)
	if !kept {
		return s, fmt.Errorf("table %s: the oldest state that is kept is of %s: %w", name, all[0].At.Format(time.RFC3339), lake.ErrNotFound)
	}
	return s, nil
}

// newest is the last of a table's snapshots, oldest first, that was there at a time: the zero one if the table was empty.
// It reports false if that state is not kept.
func newest(all []Snapshot, at time.Time) (Snapshot, bool) {
	for _, s := range slices.Backward(all) {
		if !s.At.After(at) {
			return s, true
		}
	}
	return Snapshot{}, len(all) == 0 || all[0].First
}

// At is the table as it was at another of its snapshots, for reading only: a change is made to the head itself.
func (h Head) At(snapshot int64) Head {
	h.Snapshot = snapshot
	return h
}

// held is the tag that keeps a snapshot for a restore that is to come.
func held(snapshot int64) string { return "restore-" + strconv.FormatInt(snapshot, 10) }

// Hold keeps a snapshot from expiring, long enough for a Restore to bring it back.
func (w *Warehouse) Hold(ctx context.Context, name string, snapshot int64) error {
	var err error
	for range attempts {
		var t *table.Table
		if t, err = w.load(ctx, name); err != nil {
			return err
		}
		if ref := t.Metadata().SnapshotByName(held(snapshot)); ref != nil {
			return nil
		}
		if t.SnapshotByID(snapshot) == nil {
			return fmt.Errorf("table %s: snapshot %d is no longer kept: %w", name, snapshot, lake.ErrNotFound)
		}
		err = w.refer(ctx, t, table.NewSetSnapshotRefUpdate(held(snapshot), snapshot, table.TagRef, 0, 0, 0))
	}
	return fmt.Errorf("hold snapshot %d of %s: %w", snapshot, name, err)
}

// letGo takes a tag of Hold away whose snapshot is older than age, measured from the newest one. Restore does not: a second
// restore of the same snapshot may still need the tag.
func (w *Warehouse) letGo(ctx context.Context, t *table.Table, age time.Duration) error {
	now := t.CurrentSnapshot()
	if now == nil {
		return nil
	}
	refs := maps.Collect(t.Metadata().Refs())
	for _, name := range slices.Sorted(maps.Keys(refs)) {
		ref := refs[name]
		s := t.SnapshotByID(ref.SnapshotID)
		if name != held(ref.SnapshotID) || s == nil || time.UnixMilli(now.TimestampMs).Sub(time.UnixMilli(s.TimestampMs)) <= age {
			continue
		}
		if err := w.refer(ctx, t, table.NewRemoveSnapshotRefUpdate(name)); err != nil {
			return fmt.Errorf("let go of snapshot %d of %s: %w", ref.SnapshotID, strings.Join(t.Identifier(), "."), err)
		}
		return nil // the state is another now: the next round takes the next one
	}
	return nil
}

// refer changes a tag, of the state that t is.
func (w *Warehouse) refer(ctx context.Context, t *table.Table, u table.Update) error {
	var head *int64
	if s := t.CurrentSnapshot(); s != nil {
		head = &s.SnapshotID
	}
	_, _, err := w.cat.commits.CommitTable(w.files.with(ctx), t.Identifier(),
		[]table.Requirement{table.AssertTableUUID(t.Metadata().TableUUID()), table.AssertRefSnapshotID(table.MainBranch, head)}, []table.Update{u})
	return err
}
