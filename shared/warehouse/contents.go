package warehouse

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/table"

	"medlake/shared/lake"
)

// part is a partition. What a table is not partitioned by is zero.
type part struct {
	customer string
	month    int32
}

// contents are the live files of one snapshot.
type contents struct {
	snapshot int64
	files    []LiveFile        // by path
	deletes  []string          // URLs of all position delete files
	manifest map[string]string // which lists a file or delete file, both by URL
}

// entry is a file as a manifest lists it.
type entry struct {
	lake.DataFile
	deletes  bool // it holds position deletes, of rows with this sequence number or a lower one
	sequence int64
}

// maxEntries bounds the parsed manifests kept, by their entries: 10 kB each where a table has 45 columns.
const maxEntries = 10_000

// contents reads the manifests of a snapshot, each but once: they never change under their names. The newest contents asked
// for are kept, by table.
func (w *Warehouse) contents(ctx context.Context, t *table.Table, snapshot int64) (*contents, error) {
	name := strings.Join(t.Identifier(), ".")
	w.mu.Lock()
	c := w.live[name]
	w.mu.Unlock()
	if c != nil && c.snapshot == snapshot && snapshot != 0 {
		return c, nil
	}
	c = &contents{snapshot: snapshot, manifest: map[string]string{}}
	if snapshot == 0 {
		return c, nil
	}
	list, err := w.manifests(ctx, t, snapshot)
	if err != nil {
		return nil, err
	}
	var deletes []entry
	for _, m := range list {
		entries, err := w.entries(ctx, t, m)
		if err != nil {
			return nil, err
		}
		for _, e := range entries {
			c.manifest[e.Path] = m.FilePath()
			if e.deletes {
				deletes = append(deletes, e)
				c.deletes = append(c.deletes, e.Path)
				continue
			}
			c.files = append(c.files, LiveFile{DataFile: e.DataFile, Sequence: e.sequence})
		}
	}
	slices.SortFunc(c.files, func(a, b LiveFile) int { return cmp.Compare(a.Path, b.Path) })
	slices.SortFunc(deletes, func(a, b entry) int { return cmp.Compare(a.Path, b.Path) })
	c.match(deletes)
	w.mu.Lock()
	w.live[name] = c
	w.mu.Unlock()
	return c, nil
}

// match finds which data files each delete file may touch: those of its partition that are not newer, within the bounds of
// the paths it names.
func (c *contents) match(deletes []entry) {
	parts := map[part][]*LiveFile{} // by path, as the files are
	for i := range c.files {
		f := &c.files[i]
		parts[part{f.Customer, f.Month}] = append(parts[part{f.Customer, f.Month}], f)
	}
	for i := range deletes {
		d := &deletes[i]
		files := parts[part{d.Customer, d.Month}]
		if low := d.Lower[deletedPath]; low != nil {
			at, _ := slices.BinarySearchFunc(files, low, func(f *LiveFile, low []byte) int { return strings.Compare(f.Path, string(low)) })
			files = files[at:]
		}
		high := d.Upper[deletedPath]
		for _, f := range files {
			if high != nil && bytes.Compare([]byte(f.Path), high) > 0 {
				break
			}
			if f.Sequence <= d.sequence {
				f.Deletes = append(f.Deletes, d.DataFile)
			}
		}
	}
}

// deletedPath is the id of the column of a position delete file that names data files.
const deletedPath = 2147483546

// entries reads one manifest.
func (w *Warehouse) entries(ctx context.Context, t *table.Table, m iceberg.ManifestFile) ([]entry, error) {
	w.mu.Lock()
	have, ok := w.parsed[m.FilePath()]
	w.mu.Unlock()
	if ok {
		return have, nil
	}
	entries := make([]entry, 0, max(m.AddedDataFiles(), 0)+max(m.ExistingDataFiles(), 0))
	for e, err := range m.Entries(&session{files: w.files, ctx: ctx}, true) {
		if err != nil {
			return nil, err
		}
		f := e.DataFile()
		if f.ContentType() == iceberg.EntryContentEqDeletes || f.FileFormat() != iceberg.ParquetFile {
			return nil, fmt.Errorf("a manifest lists equality deletes, deletion vectors or files other than Parquet, which Medlake never writes")
		}
		in := entry{deletes: f.ContentType() != iceberg.EntryContentData, sequence: e.SequenceNum(), DataFile: lake.DataFile{
			Path: f.FilePath(), Rows: f.Count(), Bytes: f.FileSizeBytes(),
			ColumnBytes: f.ColumnSizes(), Values: f.ValueCounts(), Nulls: f.NullValueCounts(), Lower: f.LowerBoundValues(), Upper: f.UpperBoundValues(),
			SplitOffsets: f.SplitOffsets(),
		}}
		in.Customer, in.Month = partition(t, f)
		entries = append(entries, in)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.parsedEntries+len(entries) > maxEntries {
		clear(w.parsed)
		clear(w.live) // it shares their memory
		w.parsedEntries = 0
	}
	w.parsed[m.FilePath()] = entries
	w.parsedEntries += len(entries)
	return entries, nil
}

// partition is where a file stands.
func partition(t *table.Table, f iceberg.DataFile) (customer string, month int32) {
	spec := t.Spec()
	values := f.Partition()
	for _, p := range spec.Fields() {
		switch v := values[p.FieldID].(type) {
		case string:
			customer = v
		case int32:
			month = v
		}
	}
	return customer, month
}
