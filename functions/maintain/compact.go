package maintain

import (
	"context"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"medlake/shared/lake"
	"medlake/shared/pace"
	"medlake/shared/warehouse"
)

// prefix begins the names of files that compaction writes.
const prefix = "compact-"

// pinFor bounds how much younger than the state that a group was read at the one may be that its result is committed to.
// See clean: what nobody names yet is safe from deletion while the table's newest state is not much younger than it.
const pinFor = settled / 2

// compact puts one file in the place of a group's. Commit and merge go on meanwhile: when they were first, the result is
// still right if all files it was made of are live; what more of them is deleted by then is deleted in the new file too. If
// a file is gone, the group is given up, and done is false.
func (w *work) compact(ctx context.Context, name string, g *Group) (done bool, err error) {
	var made *result
	var since time.Time
	for try := 1; ; try++ {
		head, err := w.cfg.Tables.Batch(ctx, name)
		if err != nil {
			return false, err
		}
		if made != nil && head.Made.Sub(since) > pinFor {
			return false, nil
		}
		files, err := w.cfg.Tables.Live(ctx, head, g.Customer)
		if err != nil {
			return false, err
		}
		live := map[string]*warehouse.LiveFile{}
		for i := range files {
			live[files[i].Path] = &files[i]
		}
		if made != nil && made.stands(live) { // the answer was lost
			return true, nil
		}
		deletes := []lake.DataFile{}
		if made == nil {
			since = head.Made
			if made, err = w.rewrite(ctx, name, g, live); err != nil || made == nil {
				return false, err
			}
		} else if late, ok := made.late(live); !ok {
			return false, nil
		} else if deletes, err = w.follow(ctx, made, late); err != nil {
			return false, err
		}
		err = w.cfg.Tables.Apply(ctx, head, warehouse.Change{
			Add: made.add, Deletes: append(deletes, made.deletes...), Remove: made.remove, Batch: head.Batch, Same: true,
		})
		if err == nil || try >= w.cfg.Tries || ctx.Err() != nil {
			return err == nil, err
		}
		pace.Pause(ctx, time.Duration(rand.Int64N(int64(try)*int64(20*time.Millisecond))))
	}
}

// rewrite reads the group's files as they are in live, which is all of the customer's, and writes what is left of them. It
// returns nil if the plan is outdated: a file is gone.
func (w *work) rewrite(ctx context.Context, name string, g *Group, live map[string]*warehouse.LiveFile) (*result, error) {
	r := &result{group: g}
	var deletes []lake.DataFile
	seen, hidden := map[string]bool{}, map[string][]int64{}
	for i := range g.Files {
		f := live[g.Files[i].Path]
		if f == nil {
			return nil, nil
		}
		r.of, r.remove = append(r.of, *f), append(r.remove, f.Path)
		for _, d := range f.Deletes {
			hidden[f.Path] = nil
			if !seen[d.Path] {
				seen[d.Path] = true
				deletes = append(deletes, d)
			}
		}
	}
	hidden, err := w.positions(ctx, deletes, hidden)
	if err != nil {
		return nil, err
	}
	t, err := w.layout(ctx, name)
	if err != nil {
		return nil, err
	}
	var ghosts map[string][]int64
	if len(t.key) > 0 {
		if ghosts, r.rely, err = w.ghosts(ctx, t, r.of, hidden, others(g, live)); err != nil {
			return nil, err
		}
	}
	out, err := w.newOutput(t, g)
	if err != nil {
		return nil, err
	}
	for f, err := range w.open(ctx, t, r.of) {
		if err != nil {
			return nil, err
		}
		if err := out.take(f, hidden[f.Path], ghosts[f.Path]); err != nil {
			return nil, err
		}
	}
	r.add, r.deletes, err = out.finish(ctx)
	r.where = out.where
	return r, err
}

// others lists the live files of the group's partition that are not in it, by path.
func others(g *Group, live map[string]*warehouse.LiveFile) (out []warehouse.LiveFile) {
	in := map[string]bool{}
	for i := range g.Files {
		in[g.Files[i].Path] = true
	}
	for _, f := range live {
		if !in[f.Path] && f.Customer == g.Customer && f.Month == g.Month {
			out = append(out, *f)
		}
	}
	slices.SortFunc(out, func(a, b warehouse.LiveFile) int { return strings.Compare(a.Path, b.Path) })
	return out
}
