package merge

import (
	"context"
	"slices"

	"medlake/shared/datafile"
	"medlake/shared/store"
	"medlake/shared/warehouse"
)

// hidden reads position delete files, each once, when a file that they touch is asked for.
type hidden struct {
	bucket *store.Bucket
	read   map[string]bool    // delete files, by URL
	found  map[string][]int64 // rows by data file
	sorted map[string]bool    // data files whose rows are complete and in order
}

func newHidden(b *store.Bucket) *hidden {
	return &hidden{bucket: b, read: map[string]bool{}, found: map[string][]int64{}, sorted: map[string]bool{}}
}

// rows are the numbers of a file's hidden rows, in rising order.
func (h *hidden) rows(ctx context.Context, f *warehouse.LiveFile) ([]int64, error) {
	if h.sorted[f.Path] {
		return h.found[f.Path], nil
	}
	for i := range f.Deletes {
		d := &f.Deletes[i]
		if h.read[d.Path] {
			continue
		}
		key, err := h.bucket.Key(d.Path)
		if err != nil {
			return nil, err
		}
		if err := datafile.ReadDeletes(h.bucket.ReaderAt(ctx, key, d.Bytes), d.Bytes, func(path []byte, row int64) {
			h.found[string(path)] = append(h.found[string(path)], row)
		}); err != nil {
			return nil, err
		}
		h.read[d.Path] = true
	}
	rows := h.found[f.Path]
	slices.Sort(rows)
	rows = slices.Compact(rows)
	h.found[f.Path], h.sorted[f.Path] = rows, true
	return rows, nil
}
