package warehouse

import (
	"context"
	"time"

	"github.com/apache/iceberg-go/table"
)

// Head is a table at one snapshot.
type Head struct {
	Table    string
	Batch    int64     // the last log entry whose rows are in
	Snapshot int64     // id, 0 if the table has none yet
	Fold     string    // by which fold the rows were made, as the last Change said; empty for other tables
	Made     time.Time // the table's newest snapshot; zero if it has none yet
	tbl      *table.Table
}

// Batch reads up to which log entry a table is filled, and pins the snapshot that says so.
func (w *Warehouse) Batch(ctx context.Context, name string) (Head, error) {
	t, err := w.load(ctx, name)
	if err != nil {
		return Head{}, err
	}
	n, err := batchOf(t)
	if err != nil {
		return Head{}, err
	}
	h := Head{Table: name, Batch: n, Fold: t.Properties()[propFold], tbl: t}
	if s := t.CurrentSnapshot(); s != nil {
		h.Snapshot, h.Made = s.SnapshotID, time.UnixMilli(s.TimestampMs)
	}
	return h, nil
}
