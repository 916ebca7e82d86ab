package backup

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"maps"
	"slices"

	"medlake/shared/datafile"
	"medlake/shared/lake"
	"medlake/shared/store"
	"medlake/shared/transform/column"
	"medlake/shared/warehouse"
)

// verify reads every table at its state from the source and from the copy, with a catalog of its own.
func (b *run) verify(ctx context.Context, s *state) (err error) {
	s.found, err = look(ctx, b.cfg.Source, s.tables)
	if err != nil {
		return b.moved(ctx, s, err)
	}
	// Files name each other by their URLs in the source: the copy goes by the source's names.
	copied, err := look(ctx, b.cfg.Source.Over(b.cfg.Target.Blob()), s.tables)
	if err != nil {
		return fmt.Errorf("the copy cannot be read: %w", err)
	}
	for i, t := range s.found {
		if t != copied[i] {
			return fmt.Errorf("table %s: the copy differs, it has %d rows of %d", t.Table, copied[i].Rows, t.Rows)
		}
	}
	return nil
}

// look describes tables at exactly these metadata files.
func look(ctx context.Context, b *store.Bucket, tables map[string]string) (all []Table, err error) {
	w, err := warehouse.OpenAt(ctx, b, tables)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, w.Close()) }()
	for _, name := range slices.Sorted(maps.Keys(tables)) {
		t := Table{Table: name, Metadata: tables[name]}
		if err := t.read(ctx, w, b); err != nil {
			return nil, fmt.Errorf("table %s: %w", name, err)
		}
		all = append(all, t)
	}
	return all, nil
}

// read sums the rows of a table: each is hashed and the hashes added up, so their order does not matter.
func (t *Table) read(ctx context.Context, w *warehouse.Warehouse, b *store.Bucket) error {
	h, err := w.Batch(ctx, t.Table)
	if err != nil {
		return err
	}
	t.Batch = h.Batch
	p, err := w.Plan(ctx, t.Table, "")
	if err != nil {
		return err
	}
	files, err := w.Live(ctx, h, "")
	if err != nil {
		return err
	}
	s := sum{schema: p.Schema, bucket: b, deletes: map[string]map[string][]int64{}, hash: sha256.New()}
	for i := range files {
		if err := s.file(ctx, &files[i]); err != nil {
			return err
		}
	}
	t.Rows, t.Hash = s.rows, fmt.Sprintf("%016x%016x", s.total[0], s.total[1])
	return nil
}

// sum adds up rows.
type sum struct {
	schema  lake.Schema
	bucket  *store.Bucket
	deletes map[string]map[string][]int64 // rows by data file, by delete file
	hash    hash.Hash
	row     []byte
	rows    int64
	total   [2]uint64
}

func (s *sum) file(ctx context.Context, f *warehouse.LiveFile) error {
	hidden := map[int64]bool{}
	for i := range f.Deletes {
		rows, err := s.deleted(ctx, &f.Deletes[i])
		if err != nil {
			return err
		}
		for _, row := range rows[f.Path] {
			hidden[row] = true
		}
	}
	key, err := s.bucket.Key(f.Path)
	if err != nil {
		return err
	}
	r, err := datafile.OpenReader(s.bucket.ReaderAt(ctx, key, f.Bytes), f.Bytes, s.schema)
	if err != nil {
		return err
	}
	names := make([]string, len(s.schema.Columns))
	for i, c := range s.schema.Columns {
		names[i] = c.Name
	}
	batch := column.New(s.schema.Columns)
	first := int64(0)
	for g := range r.Groups() {
		batch.Reset()
		if err := r.Read(g, names, batch); err != nil {
			return err
		}
		s.batch(batch, first, hidden)
		first += int64(batch.Rows)
	}
	return nil
}

func (s *sum) deleted(ctx context.Context, d *lake.DataFile) (map[string][]int64, error) {
	if rows, ok := s.deletes[d.Path]; ok {
		return rows, nil
	}
	key, err := s.bucket.Key(d.Path)
	if err != nil {
		return nil, err
	}
	rows := map[string][]int64{}
	err = datafile.ReadDeletes(s.bucket.ReaderAt(ctx, key, d.Bytes), d.Bytes, func(path []byte, row int64) {
		rows[string(path)] = append(rows[string(path)], row)
	})
	s.deletes[d.Path] = rows
	return rows, err
}

// batch adds the rows that are not hidden. A row is spelled as its values with the ids of their columns; a null is left
// out, so that a column that was added since changes nothing.
func (s *sum) batch(b *column.Batch, first int64, hidden map[int64]bool) {
	next := make([]int, len(b.Columns)) // values stand packed, without the nulls
	for i := range b.Rows {
		s.row = s.row[:0]
		for k := range b.Columns {
			c := &b.Columns[k]
			if c.Valid[i] == 0 {
				continue
			}
			s.row = binary.AppendUvarint(s.row, uint64(s.schema.Columns[k].ID))
			s.row = c.Spell(s.row, next[k])
			next[k]++
		}
		if hidden[first+int64(i)] {
			continue
		}
		s.hash.Reset()
		s.hash.Write(s.row)
		var out [sha256.Size]byte
		s.hash.Sum(out[:0])
		s.total[0] += binary.BigEndian.Uint64(out[:8])
		s.total[1] += binary.BigEndian.Uint64(out[8:16])
		s.rows++
	}
}
