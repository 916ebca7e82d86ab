package warehouse

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strconv"

	"github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/table"

	"medlake/shared/lake"
)

// draft is a snapshot in the making: the manifests of a head, changed.
type draft struct {
	ctx   context.Context // of the one call that makes it
	w     *Warehouse
	fs    *session
	head  Head
	id    int64
	name  string // begins the names of its manifests
	files int    // manifests written
	list  []iceberg.ManifestFile
	sum   map[string]int64 // counts of its summary
}

// draft begins with the content of h.
func (w *Warehouse) draft(ctx context.Context, h Head) (*draft, error) {
	d := &draft{
		ctx: ctx, w: w, fs: &session{files: w.files, ctx: ctx}, head: h, sum: map[string]int64{}, id: w.cat.id(), name: w.cat.name(),
	}
	if h.Snapshot == 0 {
		return d, nil
	}
	var err error
	if d.list, err = w.manifests(ctx, h.tbl, h.Snapshot); err != nil {
		return nil, err
	}
	d.list = slices.DeleteFunc(d.list, func(m iceberg.ManifestFile) bool { return !m.HasAddedFiles() && !m.HasExistingFiles() })
	return d, nil
}

// manifests lists what a snapshot of t consists of.
func (w *Warehouse) manifests(ctx context.Context, t *table.Table, snapshot int64) ([]iceberg.ManifestFile, error) {
	s := t.SnapshotByID(snapshot)
	if s == nil {
		return nil, fmt.Errorf("snapshot %d is no longer kept: %w", snapshot, lake.ErrNotFound)
	}
	return s.Manifests(&session{files: w.files, ctx: ctx})
}

// write stores a manifest and lists it.
func (d *draft) write(content iceberg.ManifestContent, fill func(*iceberg.ManifestWriter) error) error {
	var data bytes.Buffer
	t := d.head.tbl
	mw, err := iceberg.NewManifestWriter(t.Metadata().Version(), &data, t.Spec(), t.Schema(), d.id, iceberg.WithManifestWriterContent(content))
	if err == nil {
		err = fill(mw)
	}
	if err == nil {
		err = mw.Close()
	}
	if err != nil {
		return fmt.Errorf("write manifest: %w", err)
	}
	at := fmt.Sprintf("%s/metadata/%s-m%d.avro", t.Location(), d.name, d.files)
	d.files++
	m, err := mw.ToManifestFile(at, int64(data.Len()))
	if err != nil {
		return fmt.Errorf("write manifest: %w", err)
	}
	d.list = append(d.list, m)
	return d.fs.WriteFile(at, data.Bytes())
}

// commit makes the draft the table's newest snapshot if the table still stands at the head.
func (d *draft) commit(op table.Operation, batch int64, fold string) error {
	t := d.head.tbl
	meta := t.Metadata()
	props := iceberg.Properties{propBatch: strconv.FormatInt(batch, 10)}
	if fold == "" {
		fold = d.head.Fold
	}
	if fold != "" {
		props[propFold] = fold
	}
	schema := t.Schema().ID
	s := table.Snapshot{
		SnapshotID: d.id, SequenceNumber: meta.LastSequenceNumber() + 1, SchemaID: &schema, Summary: d.summary(op, props),
		TimestampMs:  max(d.w.cat.now().UnixMilli(), meta.LastUpdatedMillis()), // history goes forward though clocks differ
		ManifestList: fmt.Sprintf("%s/metadata/snap-%d-%s.avro", t.Location(), d.id, d.name),
	}
	if d.head.Snapshot != 0 {
		s.ParentSnapshotID = &d.head.Snapshot
	}
	var list bytes.Buffer
	if err := iceberg.WriteManifestList(meta.Version(), &list, d.id, s.ParentSnapshotID, &s.SequenceNumber, 0, d.list); err != nil {
		return fmt.Errorf("write manifest list: %w", err)
	}
	if err := d.fs.WriteFile(s.ManifestList, list.Bytes()); err != nil {
		return err
	}
	next, _, err := d.w.cat.commits.CommitTable(d.w.files.with(d.ctx), t.Identifier(),
		[]table.Requirement{table.AssertTableUUID(meta.TableUUID()), table.AssertRefSnapshotID(table.MainBranch, s.ParentSnapshotID)},
		[]table.Update{
			table.NewAddSnapshotUpdate(&s), table.NewSetSnapshotRefUpdate(table.MainBranch, d.id, table.BranchRef, 0, 0, 0),
			table.NewSetPropertiesUpdate(props),
		})
	if err != nil {
		return err
	}
	d.w.tidy(d.ctx, t, next)
	return nil
}
