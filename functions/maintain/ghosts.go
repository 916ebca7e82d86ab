package maintain

import (
	"context"
	"slices"

	"medlake/shared/lake"
	"medlake/shared/transform/column"
	"medlake/shared/warehouse"
)

// spot is where a row stands.
type spot struct {
	path string
	row  int64
}

// ghosts chooses the deleted rows of a group that must stay, hidden: one of each key that has no other row in the table.
// Merge takes a key without any row for a new one, though the log may have older rows of it. The others that have rows of
// such keys are what this relies on.
func (w *work) ghosts(ctx context.Context, t *layout, group []warehouse.LiveFile, hidden map[string][]int64, others []warehouse.LiveFile) (keep map[string][]int64, rely []string, err error) {
	var holed []warehouse.LiveFile
	for i := range group {
		if len(hidden[group[i].Path]) > 0 {
			holed = append(holed, group[i])
		}
	}
	last := map[string]spot{}
	err = w.keys(ctx, t, holed, func(at spot, key []byte) {
		if _, gone := slices.BinarySearch(hidden[at.path], at.row); gone {
			last[string(key)] = at
		}
	})
	if err != nil || len(last) == 0 {
		return nil, nil, err
	}
	err = w.keys(ctx, t, group, func(at spot, key []byte) {
		if _, gone := slices.BinarySearch(hidden[at.path], at.row); !gone {
			delete(last, string(key))
		}
	})
	if err != nil || len(last) == 0 {
		return nil, nil, err
	}
	err = w.keys(ctx, t, others, func(at spot, key []byte) {
		if _, ok := last[string(key)]; ok {
			delete(last, string(key))
			if len(rely) == 0 || rely[len(rely)-1] != at.path {
				rely = append(rely, at.path)
			}
		}
	})
	keep = map[string][]int64{}
	for _, at := range last {
		keep[at.path] = append(keep[at.path], at.row)
	}
	for _, rows := range keep {
		slices.Sort(rows)
	}
	return keep, rely, err
}

// keys calls each with the key of every row of files, which is valid during the call only.
func (w *work) keys(ctx context.Context, t *layout, files []warehouse.LiveFile, each func(at spot, key []byte)) error {
	var columns []lake.Column
	for _, c := range t.schema.Columns {
		if slices.Contains(t.key, c.Name) {
			columns = append(columns, c)
		}
	}
	b := column.New(columns)
	next := make([]int, len(columns)) // value, of those that are not null
	var key []byte
	for f, err := range w.open(ctx, t, files) {
		if err != nil {
			return err
		}
		row := int64(0)
		for g := range f.Groups() {
			b.Reset()
			clear(next)
			if err := f.Read(g, t.key, b); err != nil {
				return err
			}
			for i := range b.Rows {
				key = key[:0]
				for j := range b.Columns {
					key = spell(key, &b.Columns[j], i, &next[j])
				}
				each(spot{f.Path, row}, key)
				row++
			}
		}
	}
	return nil
}

// spell appends a row's value of a column, so that no two rows of values read alike. next counts the values so far.
func spell(key []byte, c *column.Column, row int, next *int) []byte {
	if c.Valid[row] == 0 {
		return append(key, 0)
	}
	i := *next
	*next++
	return c.Spell(append(key, 1), i)
}
