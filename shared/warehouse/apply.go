package warehouse

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/table"

	"medlake/shared/lake"
)

// Change is what one transaction does to a table. Any part may be empty.
type Change struct {
	Add     []lake.DataFile // new data files
	Deletes []lake.DataFile // new position delete files; they may name rows of Add
	Remove  []string        // URLs of live data files that leave; so do delete files that then touch nothing
	Batch   int64           // the table's number afterwards; the head's if it does not move
	Fold    string          // what the rows are a fold by; empty leaves it as it is
	Same    bool            // the rows stay what they were, only files change
}

// Apply makes a change in one transaction, which is a snapshot of its own. It takes effect only if the table still stands
// at h. After any error the outcome is unknown: read Batch again and look; the files must stay.
//
// Iceberg's own writers would do, but they read every manifest to prove what the pin proves.
func (w *Warehouse) Apply(ctx context.Context, h Head, c Change) error {
	if c.Batch < h.Batch {
		return fmt.Errorf("change %s: entry %d after %d: %w", h.Table, c.Batch, h.Batch, lake.ErrInvalid)
	}
	d, err := w.draft(ctx, h)
	if err == nil {
		err = d.apply(c)
	}
	if err == nil {
		err = d.commit(c.operation(), c.Batch, c.Fold)
	}
	if err != nil {
		return fmt.Errorf("change %s by %d files and %d delete files, less %d: %w", h.Table, len(c.Add), len(c.Deletes), len(c.Remove), err)
	}
	return nil
}

// operation is how Iceberg calls the change.
func (c *Change) operation() table.Operation {
	switch {
	case c.Same:
		return table.OpReplace
	case len(c.Deletes)+len(c.Remove) == 0:
		return table.OpAppend
	case len(c.Add) == 0:
		return table.OpDelete
	}
	return table.OpOverwrite
}

// apply lays out the snapshot that c makes of the head.
func (d *draft) apply(c Change) error {
	err := d.less(c.Remove)
	if err == nil {
		err = d.add(iceberg.EntryContentData, c.Add)
	}
	if err == nil {
		err = d.add(iceberg.EntryContentPosDeletes, c.Deletes)
	}
	if err == nil {
		err = d.merge(mergeAt)
	}
	return err
}

// add writes a manifest of new files.
func (d *draft) add(content iceberg.ManifestEntryContent, files []lake.DataFile) error {
	if len(files) == 0 {
		return nil
	}
	kind := iceberg.ManifestContentData
	if content != iceberg.EntryContentData {
		kind = iceberg.ManifestContentDeletes
	}
	return d.write(kind, func(mw *iceberg.ManifestWriter) error {
		for i := range files {
			f, err := dataFile(d.head.tbl, content, &files[i])
			if err != nil {
				return err
			}
			d.count(f, true)
			if err := mw.Add(iceberg.NewManifestEntry(iceberg.EntryStatusADDED, &d.id, nil, nil, f)); err != nil {
				return err
			}
		}
		return nil
	})
}

// less takes data files out, and delete files that then touch nothing.
func (d *draft) less(paths []string) error {
	if len(paths) == 0 {
		return nil
	}
	now, err := d.w.contents(d.ctx, d.head.tbl, d.head.Snapshot)
	if err != nil {
		return err
	}
	gone := make(map[string]bool, len(paths))
	for _, p := range paths {
		gone[p] = true
	}
	touching := map[string]bool{}
	found := 0
	for i := range now.files {
		if f := &now.files[i]; gone[f.Path] {
			found++
		} else {
			for i := range f.Deletes {
				touching[f.Deletes[i].Path] = true
			}
		}
	}
	if found != len(gone) {
		return fmt.Errorf("%d of %d files to remove are not live: %w", len(gone)-found, len(gone), lake.ErrInvalid)
	}
	for _, f := range now.deletes {
		if !touching[f] {
			gone[f] = true
		}
	}
	within := map[string]bool{}
	for p := range gone {
		within[now.manifest[p]] = true
	}
	for i, m := range d.list {
		if !within[m.FilePath()] {
			continue
		}
		if err := d.write(m.ManifestContent(), func(mw *iceberg.ManifestWriter) error { return d.split(mw, m, gone) }); err != nil {
			return err
		}
		last := len(d.list) - 1 // what write has just added
		d.list[i], d.list = d.list[last], d.list[:last]
	}
	return nil
}

// split copies a manifest's entries, those of gone as deleted.
func (d *draft) split(mw *iceberg.ManifestWriter, m iceberg.ManifestFile, gone map[string]bool) error {
	for e, err := range m.Entries(d.fs, true) {
		if err != nil {
			return err
		}
		keep := mw.Existing
		if f := e.DataFile(); gone[f.FilePath()] {
			d.count(f, false)
			keep = mw.Delete
		}
		if err := keep(e); err != nil {
			return err
		}
	}
	return nil
}

// dataFile is a lake.DataFile as a manifest of t names it.
func dataFile(t *table.Table, content iceberg.ManifestEntryContent, f *lake.DataFile) (iceberg.DataFile, error) {
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
	b, err := iceberg.NewDataFileBuilder(spec, content, f.Path, iceberg.ParquetFile, values, nil, nil, f.Rows, f.Bytes)
	if err != nil {
		return nil, fmt.Errorf("data file: %w", err)
	}
	b.ColumnSizes(f.ColumnBytes).ValueCounts(f.Values).NullValueCounts(f.Nulls).LowerBoundValues(f.Lower).UpperBoundValues(f.Upper)
	if len(f.SplitOffsets) > 0 {
		b.SplitOffsets(slices.Clone(f.SplitOffsets))
	}
	return b.Build(), nil
}
