package merge

import (
	"context"
	"slices"

	"medlake/shared/datafile"
	"medlake/shared/transform/column"
	"medlake/shared/transform/fold"
	"medlake/shared/warehouse"
)

// versions are the rows of wanted keys: of each row, which keys it touches.
type versions struct {
	batch *column.Batch
	rows  *fold.Rows // of batch, once that is complete
	hits  []hit      // by row of batch
}

// take adds the rows of files that hold wanted keys, but those that are hidden.
func (v *versions) take(ctx context.Context, t *side, files []warehouse.LiveFile, s spans, want func([]byte) int32) error {
	hide := newHidden(t.bucket)
	for i := range files {
		err := t.scan(ctx, &files[i], hide, s, want, func(r *datafile.Reader, group int, _ int64, hits []hit) error {
			return v.gather(t, r, group, visible(hits))
		})
		if err != nil {
			return err
		}
	}
	v.rows = t.fold.Rows(v.batch)
	return nil
}

func visible(hits []hit) []hit { return slices.DeleteFunc(hits, func(h hit) bool { return h.hidden }) }

// gather adds the rows of hits in a row group.
func (v *versions) gather(t *side, r *datafile.Reader, group int, hits []hit) error {
	var rows []int32
	for _, h := range hits {
		if len(rows) == 0 || rows[len(rows)-1] != h.row {
			rows = append(rows, h.row)
		}
		h.row = int32(v.batch.Rows + len(rows) - 1)
		v.hits = append(v.hits, h)
	}
	return t.gather(r, group, rows, v.batch)
}

func (v *versions) ref(h hit) fold.Ref {
	return fold.Ref{Rows: v.rows, Row: int(h.row), Merged: h.merged}
}

// sort puts the hits in the order of keys, and each key's in the total order.
func (v *versions) sort(f *fold.Fold, rank []int32) {
	slices.SortFunc(v.hits, func(a, b hit) int {
		if a.slot != b.slot {
			return int(rank[a.slot] - rank[b.slot])
		}
		return f.Compare(v.ref(a), v.ref(b))
	})
}

// each calls f for each key with its hits, which are sorted.
func (v *versions) each(f func(slot int32, hits []hit)) {
	for rest := v.hits; len(rest) > 0; {
		n := rest[0].slot
		end := slices.IndexFunc(rest, func(h hit) bool { return h.slot != n })
		if end < 0 {
			end = len(rest)
		}
		f(n, rest[:end])
		rest = rest[end:]
	}
}
