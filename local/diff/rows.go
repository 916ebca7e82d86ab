package diff

import (
	"hash/maphash"
	"slices"
	"strings"

	"medlake/functions/ingest"
	"medlake/shared/lake"
	"medlake/shared/transform/column"
)

// nobody is the load both readings carry, so that it does not differ.
var nobody = strings.Repeat("-", lake.IDLen)

// derived is what became of one upload.
type derived struct {
	feed   string
	fate   string
	tables map[string]rows
}

// rows are the rows of one table, without their values: a hash of each.
type rows struct {
	columns []string
	hashes  map[place][]uint64 // one a column
}

// place finds a row in its upload. Several rows of one place are told apart by their order.
type place struct {
	entry, row int64
	nth        int
}

var seed = maphash.MakeSeed()

// flush takes the batches of a run.
func (d derived) flush(tables []ingest.Table) func(int, *column.Batch) error {
	return func(i int, b *column.Batch) error {
		name := strings.TrimSuffix(tables[i].Schema.Table, "_log")
		r, ok := d.tables[name]
		if !ok {
			r.hashes = map[place][]uint64{}
			for c := range b.Columns {
				r.columns = append(r.columns, b.Columns[c].Name)
			}
		}
		r.add(b)
		d.tables[name] = r
		return nil
	}
}

func (r rows) add(b *column.Batch) {
	hashes := make([][]uint64, len(b.Columns))
	var entries, numbers []int64
	for c := range b.Columns {
		col := &b.Columns[c]
		hashes[c] = hash(col)
		switch col.Name {
		case lake.ColEntry:
			entries = col.Ints
		case lake.ColRow:
			numbers = col.Ints
		}
	}
	for i := range b.Rows {
		at := place{entry: entries[i], row: numbers[i]}
		for r.hashes[at] != nil {
			at.nth++
		}
		line := make([]uint64, len(hashes))
		for c := range hashes {
			line[c] = hashes[c][i]
		}
		r.hashes[at] = line
	}
}

// hash hashes each value of a column; a null is 0.
func hash(c *column.Column) []uint64 {
	out := make([]uint64, len(c.Valid))
	next := 0
	var value []byte
	for i, valid := range c.Valid {
		if valid == 0 {
			continue
		}
		value = c.Spell(value[:0], next)
		out[i] = maphash.Bytes(seed, value)
		next++
	}
	return out
}

// compare finds what changes in one table of one upload.
func compare(name string, before, after rows) Table {
	t := Table{Name: name, Before: int64(len(before.hashes)), After: int64(len(after.hashes)), Columns: map[string]int{}}
	for at, old := range before.hashes {
		now, ok := after.hashes[at]
		if !ok {
			t.Removed++
			continue
		}
		changed := false
		for i, column := range after.columns {
			was := uint64(0)
			if j := slices.Index(before.columns, column); j >= 0 {
				was = old[j]
			}
			if was != now[i] {
				t.Columns[column]++
				changed = true
			}
		}
		for j, column := range before.columns {
			if old[j] != 0 && !slices.Contains(after.columns, column) {
				t.Columns[column]++
				changed = true
			}
		}
		if changed {
			t.Changed++
		}
	}
	for at := range after.hashes {
		if _, ok := before.hashes[at]; !ok {
			t.Added++
		}
	}
	return t
}
