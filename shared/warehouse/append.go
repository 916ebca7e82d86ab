package warehouse

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/table"

	"medlake/shared/lake"
)

// Head is a table at one snapshot.
type Head struct {
	Table    string
	Batch    int64  // the last log entry whose files are in
	Snapshot int64  // id, 0 if the table has none yet
	Fold     string // by which fold the rows were made, as the last Change said; empty for other tables
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
		h.Snapshot = s.SnapshotID
	}
	return h, nil
}

// Append adds the files of log entries (h.Batch, n] in one transaction that also moves the table's number to n. It takes
// effect only if the table still stands at h. After any error the outcome is unknown: read Batch again and look; the files
// must stay.
func (w *Warehouse) Append(ctx context.Context, h Head, files []lake.DataFile, n int64) error {
	if len(files) == 0 || n <= h.Batch { // the pin guards the snapshot: without a file there is none
		return fmt.Errorf("append to %s: %d files for entry %d after %d: %w", h.Table, len(files), n, h.Batch, lake.ErrInvalid)
	}
	batch := iceberg.Properties{propBatch: strconv.FormatInt(n, 10)}
	add := make([]iceberg.DataFile, len(files))
	for i := range files {
		var err error
		if add[i], err = dataFile(h.tbl, &files[i]); err != nil {
			return fmt.Errorf("append to %s: %w", h.Table, err)
		}
	}
	ctx = w.files.with(ctx)
	tx := h.tbl.NewTransaction()
	err := tx.AssertRefSnapshotID(table.MainBranch) // first, so that it is about h and not about what follows
	if err == nil {
		err = tx.AddDataFiles(ctx, add, maps.Clone(batch), table.WithoutDuplicateCheck(), table.WithoutAutoNameMapping())
	}
	if err == nil {
		err = tx.SetProperties(batch)
	}
	var t *table.Table
	if err == nil {
		t, err = tx.Commit(ctx)
	}
	if err != nil {
		return fmt.Errorf("append %d files to %s: %w", len(files), h.Table, err)
	}
	if drop := expired(t.Metadata()); len(drop) >= expireAt {
		_ = w.remove(ctx, t, drop) // housekeeping: the append stands, and the next one tries again
	}
	return nil
}

// dataFile is a lake.DataFile as a manifest of t names it.
func dataFile(t *table.Table, f *lake.DataFile) (iceberg.DataFile, error) {
	if !strings.HasPrefix(f.Path, t.Location()+"/data/") || f.Rows <= 0 || f.Bytes <= 0 {
		return nil, fmt.Errorf("data file with %d rows and %d bytes is not one of the table: %w", f.Rows, f.Bytes, lake.ErrInvalid)
	}
	spec := t.Spec()
	values := map[int]any{}
	for _, p := range spec.Fields() {
		switch p.Name {
		case partitions[byCustomer].name:
			if !lake.ValidCustomer(f.Customer) {
				return nil, fmt.Errorf("data file without a customer: %w", lake.ErrInvalid)
			}
			values[p.FieldID] = f.Customer
		case partitions[byMonth].name:
			values[p.FieldID] = f.Month
		default:
			return nil, fmt.Errorf("partition field %s is not ours: %w", p.Name, lake.ErrInvalid)
		}
	}
	b, err := iceberg.NewDataFileBuilder(spec, iceberg.EntryContentData, f.Path, iceberg.ParquetFile, values, nil, nil, f.Rows, f.Bytes)
	if err != nil {
		return nil, fmt.Errorf("data file: %w", err)
	}
	b.ColumnSizes(f.ColumnBytes).ValueCounts(f.Values).NullValueCounts(f.Nulls).LowerBoundValues(f.Lower).UpperBoundValues(f.Upper)
	if len(f.SplitOffsets) > 0 {
		b.SplitOffsets(slices.Clone(f.SplitOffsets))
	}
	return b.Build(), nil
}
