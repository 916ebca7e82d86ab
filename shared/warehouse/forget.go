package warehouse

import (
	"context"
	"fmt"

	"github.com/apache/iceberg-go/table"
)

// Forget drops all states of a table but the newest, also those that tags keep: nothing can be restored any more, and what
// only they named belongs to nobody. No file is deleted.
func (w *Warehouse) Forget(ctx context.Context, name string) error {
	var err error
	for range attempts {
		var t *table.Table
		if t, err = w.load(ctx, name); err != nil {
			return err
		}
		m := t.Metadata()
		head := m.CurrentSnapshot()
		if head == nil || len(m.Snapshots()) == 1 {
			return nil
		}
		var updates []table.Update
		for ref := range m.Refs() {
			if ref != table.MainBranch {
				updates = append(updates, table.NewRemoveSnapshotRefUpdate(ref))
			}
		}
		var old []int64
		for _, s := range m.Snapshots() {
			if s.SnapshotID != head.SnapshotID {
				old = append(old, s.SnapshotID)
			}
		}
		_, _, err = w.cat.commits.CommitTable(w.files.with(ctx), t.Identifier(),
			[]table.Requirement{table.AssertTableUUID(m.TableUUID()), table.AssertRefSnapshotID(table.MainBranch, &head.SnapshotID)},
			append(updates, table.NewRemoveSnapshotsUpdate(old, false)))
	}
	if err != nil {
		return fmt.Errorf("forget the older states of %s: %w", name, err)
	}
	return fmt.Errorf("forget the older states of %s: others add to them again and again", name)
}
