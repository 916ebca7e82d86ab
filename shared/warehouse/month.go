package warehouse

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/apache/iceberg-go/table"
)

const monthPrefix = "month-"

// monthTag names the tag of a month's last snapshot: month-2026-10.
func monthTag(t time.Time) string { return t.Format(monthPrefix + "2006-01") }

// TagMonths tags the last snapshot of each month, in UTC, that is over by an hour at `now`: what a tag names does not
// expire. A month without a change has no tag. It may run at any time, any number of times.
func (w *Warehouse) TagMonths(ctx context.Context, name string, now time.Time) error {
	t, err := w.load(ctx, name)
	if err != nil {
		return err
	}
	ends := monthEnds(t.Metadata(), now)
	for _, tag := range slices.Sorted(maps.Keys(ends)) {
		if err := w.refer(ctx, t, table.NewSetSnapshotRefUpdate(tag, ends[tag], table.TagRef, 0, 0, 0)); err != nil {
			return fmt.Errorf("tag %s of %s: %w", tag, name, err)
		}
	}
	return nil
}

// monthEnds lists the tags that are to be made. A commit may take effect a little after the time that its snapshot bears,
// so the last hour is left alone.
func monthEnds(m table.Metadata, now time.Time) map[string]int64 {
	open := monthTag(now.Add(-time.Hour).UTC())
	ends := map[string]int64{}
	for _, s := range m.Snapshots() { // oldest first
		if tag := monthTag(time.UnixMilli(s.TimestampMs).UTC()); tag < open {
			ends[tag] = s.SnapshotID
		}
	}
	for tag := range m.Refs() {
		delete(ends, tag)
	}
	return ends
}
