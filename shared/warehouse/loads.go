package warehouse

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"

	"medlake/shared/datafile"
	"medlake/shared/lake"
	"medlake/shared/store"
	"medlake/shared/transform/column"
)

// maxPositions bounds the rows of one position delete file, and with it what RowsOf holds in memory for a partition.
const maxPositions = 500_000

// RowsOf finds the rows of loads at h, by _load: whole files to remove, and for files that hold other rows too, position
// delete files, which it writes. Both are for the Change that takes the rows out.
func (w *Warehouse) RowsOf(ctx context.Context, h Head, loads []string) (remove []string, deletes []lake.DataFile, err error) {
	s := &search{w: w, head: h, loads: loads, wanted: map[string]bool{}, found: map[part][]datafile.Position{}}
	if err := s.run(ctx); err != nil {
		return nil, nil, fmt.Errorf("find the rows of %d loads in %s: %w", len(loads), h.Table, err)
	}
	return s.remove, s.deletes, nil
}

// search looks for the rows of loads.
type search struct {
	w      *Warehouse
	head   Head
	schema lake.Schema
	loads  []string
	wanted map[string]bool // the loads
	found  map[part][]datafile.Position

	remove  []string
	deletes []lake.DataFile
}

func (s *search) run(ctx context.Context) error {
	for _, l := range s.loads {
		s.wanted[l] = true
	}
	var err error
	if s.schema, err = current(s.head.Table, s.head.tbl); err != nil {
		return err
	}
	files, err := s.w.Live(ctx, s.head, "")
	if err != nil {
		return err
	}
	for i := range files {
		if err := s.look(ctx, &files[i].DataFile); err != nil {
			return err
		}
	}
	rest := slices.SortedFunc(maps.Keys(s.found), func(a, b part) int {
		return cmp.Or(cmp.Compare(a.customer, b.customer), cmp.Compare(a.month, b.month))
	})
	for _, p := range rest {
		if err := s.flush(ctx, p); err != nil {
			return err
		}
	}
	return nil
}

// look finds out whether all of a file goes, or which rows.
func (s *search) look(ctx context.Context, f *lake.DataFile) error {
	column, ok := s.head.tbl.Schema().FindFieldByName(lake.ColLoad)
	low, high := f.Lower[column.ID], f.Upper[column.ID]
	if !ok || !s.between(low, high) {
		return nil
	}
	if low != nil && bytes.Equal(low, high) && f.Nulls[column.ID] == 0 { // the bounds are exact, and all rows of this one load
		s.remove = append(s.remove, f.Path)
		return nil
	}
	at, err := s.rows(ctx, f)
	if err != nil {
		return err
	}
	if int64(len(at)) == f.Rows {
		s.remove = append(s.remove, f.Path)
		return nil
	}
	p := part{f.Customer, f.Month}
	if len(at) > 0 {
		s.found[p] = append(s.found[p], at...)
	}
	if len(s.found[p]) < maxPositions {
		return nil
	}
	return s.flush(ctx, p)
}

// between reports whether a wanted load may lie between two bounds.
func (s *search) between(low, high []byte) bool {
	return slices.ContainsFunc(s.loads, func(l string) bool { return between(low, []byte(l), high) })
}

// rows reads which rows of a file are of wanted loads.
func (s *search) rows(ctx context.Context, f *lake.DataFile) ([]datafile.Position, error) {
	key, err := s.w.files.bucket.Key(f.Path)
	if err != nil {
		return nil, err
	}
	r, err := datafile.OpenReader(s.w.files.bucket.ReaderAt(ctx, key, f.Bytes), f.Bytes, s.schema)
	if err != nil {
		return nil, err
	}
	var at []datafile.Position
	b := column.New([]lake.Column{{Name: lake.ColLoad, Type: lake.Type{Kind: lake.String}}})
	row := int64(0) // where the group begins
	for g := range r.Groups() {
		if s.between(r.Bounds(g, lake.ColLoad)) {
			b.Reset()
			if err := r.Read(g, []string{lake.ColLoad}, b); err != nil {
				return nil, err
			}
			value := 0 // among those that are not null
			for i, valid := range b.Columns[0].Valid {
				if valid == 0 {
					continue
				}
				if s.wanted[string(b.Columns[0].Text(value))] {
					at = append(at, datafile.Position{Path: f.Path, Row: row + int64(i)})
				}
				value++
			}
		}
		row += r.GroupRows(g)
	}
	return at, nil
}

// flush writes a position delete file of what was found in a partition.
func (s *search) flush(ctx context.Context, p part) error {
	var data bytes.Buffer
	d, err := datafile.WriteDeletes(&data, s.found[p])
	if err != nil {
		return err
	}
	delete(s.found, p)
	key := store.TablePrefix(s.head.Table) + "data/deletes-" + s.w.cat.name() + ".parquet"
	d.Path, d.Customer, d.Month = s.w.files.bucket.URL(key), p.customer, p.month
	s.deletes = append(s.deletes, d)
	return s.w.files.bucket.Put(ctx, key, data.Bytes())
}
