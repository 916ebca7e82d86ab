package warehouse

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"fmt"
	"maps"
	"slices"
	"strings"

	"medlake/shared/datafile"
	"medlake/shared/lake"
	"medlake/shared/store"
	"medlake/shared/transform/column"
)

// maxPositions bounds the rows of one position delete file, and with it what RowsOf holds in memory for a partition.
const maxPositions = 500_000

// part is a partition. What a table is not partitioned by is zero.
type part struct {
	customer string
	month    int32
}

// RowsOf finds the rows of loads at h, by _load: whole files to remove, and for files that hold other rows too, position
// delete files, which it writes. Both are for the Change that takes the rows out.
func (w *Warehouse) RowsOf(ctx context.Context, h Head, loads []string) (remove []string, deletes []lake.DataFile, err error) {
	fault := func(err error) ([]string, []lake.DataFile, error) {
		return nil, nil, fmt.Errorf("find the rows of %d loads in %s: %w", len(loads), h.Table, err)
	}
	files, err := w.Live(ctx, h, "")
	if err != nil {
		return fault(err)
	}
	schema, err := current(h.Table, h.tbl)
	if err != nil {
		return fault(err)
	}
	f, ok := h.tbl.Schema().FindFieldByName(lake.ColLoad)
	if !ok || len(loads) == 0 {
		return nil, nil, nil
	}
	id := f.ID
	wanted := map[string]bool{}
	for _, l := range loads {
		wanted[l] = true
	}
	found := map[part][]datafile.Position{}
	flush := func(p part, least int) error {
		if at := found[p]; len(at) > 0 && len(at) >= least {
			d, err := w.writeDeletes(ctx, h, p, at)
			if err != nil {
				return err
			}
			deletes = append(deletes, d)
			delete(found, p)
		}
		return nil
	}
	for i := range files {
		f := &files[i].DataFile
		if !slices.ContainsFunc(loads, func(l string) bool { return within(f, id, []byte(l)) }) {
			continue
		}
		if low := f.Lower[id]; low != nil && bytes.Equal(low, f.Upper[id]) && f.Nulls[id] == 0 { // then it is of this one load
			remove = append(remove, f.Path)
			continue
		}
		at, err := w.rowsOf(ctx, schema, f, wanted)
		if err != nil {
			return fault(err)
		}
		if int64(len(at)) == f.Rows {
			remove = append(remove, f.Path)
			continue
		}
		p := part{f.Customer, f.Month}
		found[p] = append(found[p], at...)
		if err := flush(p, maxPositions); err != nil {
			return fault(err)
		}
	}
	for _, p := range slices.SortedFunc(maps.Keys(found), func(a, b part) int {
		return cmp.Or(cmp.Compare(a.customer, b.customer), cmp.Compare(a.month, b.month))
	}) {
		if err := flush(p, 0); err != nil {
			return fault(err)
		}
	}
	return remove, deletes, nil
}

// rowsOf reads which rows of a file are of wanted loads.
func (w *Warehouse) rowsOf(ctx context.Context, s lake.Schema, f *lake.DataFile, wanted map[string]bool) ([]datafile.Position, error) {
	key, err := w.files.bucket.Key(f.Path)
	if err != nil {
		return nil, err
	}
	r, err := datafile.OpenReader(w.files.bucket.ReaderAt(ctx, key, f.Bytes), f.Bytes, s)
	if err != nil {
		return nil, err
	}
	var at []datafile.Position
	b := column.New([]lake.Column{{Name: lake.ColLoad, Type: lake.Type{Kind: lake.String}}})
	row, load := int64(0), &b.Columns[0]
	for g := range r.Groups() {
		b.Reset()
		if err := r.Read(g, []string{lake.ColLoad}, b); err != nil {
			return nil, err
		}
		next := 0 // value, of those that are not null
		for _, valid := range load.Valid {
			if valid != 0 {
				if wanted[string(load.Text(next))] {
					at = append(at, datafile.Position{Path: f.Path, Row: row})
				}
				next++
			}
			row++
		}
	}
	return at, nil
}

// writeDeletes stores a position delete file of one partition.
func (w *Warehouse) writeDeletes(ctx context.Context, h Head, p part, at []datafile.Position) (lake.DataFile, error) {
	var data bytes.Buffer
	d, err := datafile.WriteDeletes(&data, at)
	if err != nil {
		return lake.DataFile{}, err
	}
	key := store.TablePrefix(h.Table) + "data/deletes-" + strings.ToLower(rand.Text()) + ".parquet"
	d.Path, d.Customer, d.Month = w.files.bucket.URL(key), p.customer, p.month
	return d, w.files.bucket.Put(ctx, key, data.Bytes())
}
