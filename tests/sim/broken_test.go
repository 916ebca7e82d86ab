package sim

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"medlake/shared/datafile"
	"medlake/shared/lake"
	"medlake/shared/store"
	"medlake/shared/transform/column"
	"medlake/shared/warehouse"
)

// isMerge, isCompaction and isCommit tell whose change it is.
func isMerge(h warehouse.Head, c *warehouse.Change) bool { return c.Fold != "" }

func isCompaction(_ warehouse.Head, c *warehouse.Change) bool { return c.Same && len(c.Remove) > 0 }

func isCommit(h warehouse.Head, c *warehouse.Change) bool { return !c.Same && c.Fold == "" }

// unpinned lets changes of a kind take effect whatever the table is now.
func unpinned(of func(warehouse.Head, *warehouse.Change) bool) func(*table, warehouse.Head, warehouse.Change, func(*version) error) error {
	return func(t *table, h warehouse.Head, c warehouse.Change, do func(*version) error) error {
		if t.now() == h.Snapshot {
			return do(nil)
		}
		if !of(h, &c) {
			return lake.ErrConflict
		}
		now := *t.versions[t.now()]
		for _, p := range c.Remove { // what is not there any more is no obstacle
			if !slices.ContainsFunc(now.files, func(f warehouse.LiveFile) bool { return f.Path == p }) {
				now.files = append(slices.Clone(now.files), warehouse.LiveFile{DataFile: lake.DataFile{Path: p}})
			}
		}
		return do(&now)
	}
}

// catalogVariants break what the catalog promises, or what functions do with it. Two are not among them because they do
// little harm. A restore that sets the table's pointer back, so that an old committer lands: rows and number go back
// together then, and the log is taken in again from there. And a deletion that reads what is named before all else: what
// is named since then is of entries above the number of the oldest kept state, which was read before, and stays for that.
var catalogVariants = []variant{
	{name: "commits are not pinned", rule: unpinned(isCommit)},
	{name: "merges are not pinned", rule: unpinned(isMerge)},
	{name: "compactions are not pinned", rule: unpinned(isCompaction)},
	{name: "files and number are two commits", change: func(w *world, h warehouse.Head, c *warehouse.Change) error {
		return twice(w, h, c, isCommit, func(first *warehouse.Change) { first.Batch = h.Batch })
	}},
	{name: "a number without its files", change: func(w *world, h warehouse.Head, c *warehouse.Change) error {
		return twice(w, h, c, isCommit, func(first *warehouse.Change) { first.Add, first.Deletes, first.Remove = nil, nil, nil })
	}},
	{name: "merged rows and number are two commits", change: func(w *world, h warehouse.Head, c *warehouse.Change) error {
		return twice(w, h, c, isMerge, func(first *warehouse.Change) { first.Batch = h.Batch })
	}},
	{name: "merged rows come before the old ones are hidden", change: func(w *world, h warehouse.Head, c *warehouse.Change) error {
		return twice(w, h, c, isMerge, func(first *warehouse.Change) { first.Deletes, first.Remove = nil, nil })
	}},
	{name: "replaced rows leave after the new ones came", change: func(w *world, h warehouse.Head, c *warehouse.Change) error {
		return twice(w, h, c, isCommit, func(first *warehouse.Change) { first.Deletes, first.Remove = nil, nil })
	}},
	{name: "replaced rows stay", keepsOld: true},
	{name: "late keys are folded from new rows alone", live: func(h warehouse.Head, files []warehouse.LiveFile) []warehouse.LiveFile {
		if h.Table != changing.Log.Table {
			return files
		}
		last := int64(0)
		for _, f := range files {
			last = max(last, f.Sequence)
		}
		return slices.DeleteFunc(files, func(f warehouse.LiveFile) bool { return f.Sequence < last })
	}},
	{name: "merge does not see hidden rows", live: func(h warehouse.Head, files []warehouse.LiveFile) []warehouse.LiveFile {
		if h.Table != changing.Current.Table {
			return files
		}
		return slices.DeleteFunc(files, func(f warehouse.LiveFile) bool {
			rows := int64(0)
			for _, d := range f.Deletes {
				rows += d.Rows
			}
			return rows >= f.Rows
		})
	}},
	{name: "deletes are forgotten by merge", change: func(_ *world, h warehouse.Head, c *warehouse.Change) error {
		if isMerge(h, c) {
			c.Deletes = nil
		}
		return nil
	}},
	{name: "deletes are forgotten by compaction", change: func(_ *world, h warehouse.Head, c *warehouse.Change) error {
		if isCompaction(h, c) {
			c.Deletes = nil
		}
		return nil
	}},
	{name: "deleted keys are forgotten by compaction", change: func(w *world, h warehouse.Head, c *warehouse.Change) error {
		if !isCompaction(h, c) || len(c.Deletes) == 0 {
			return nil
		}
		return w.forget(h, c)
	}},
	{name: "snapshots are not held for a restore", forgets: true},
	{name: "rows of another fold are merged into", anyFold: true},
	{name: "a deleter's clock is four days ahead", ahead: 96 * time.Hour, more: more{sleep: 40}},
	{name: "a deleter's clock is a month ahead", ahead: 720 * time.Hour, more: more{sleep: 40}},
	{name: "the oldest kept state does not limit deletion", more: more{restores: 4}, kept: func(states []warehouse.Snapshot) {
		for i := range states {
			states[i].Batch, states[i].First = 1<<40, false
		}
	}},
}

// harmless are variants that must do no harm: what backups do is whole wherever it stops.
var harmless = []variant{
	{name: "a backup stops anywhere", real: true, more: more{copies: 4}, order: func(write) int { return 0 }},
	{name: "a backup without a patient stops anywhere", real: true, clinic: true, more: more{copies: 4}, order: func(write) int { return 0 }},
}

// keepers are tables whose kept states are seen otherwise.
type keepers struct {
	lakeTables
	alter func([]warehouse.Snapshot)
}

func (k keepers) Snapshots(ctx context.Context, table string) ([]warehouse.Snapshot, error) {
	all, err := k.lakeTables.Snapshots(ctx, table)
	k.alter(all)
	return all, err
}

// twice makes a change in two steps, between which others may look, and the process may die. first makes the first of it.
func twice(w *world, h warehouse.Head, c *warehouse.Change, of func(warehouse.Head, *warehouse.Change) bool, first func(*warehouse.Change)) error {
	if !of(h, c) {
		return nil
	}
	one := *c
	first(&one)
	if err := w.lake.Apply(w.ctx, h, one); err != nil {
		return err
	}
	w.look(h.Table)
	return errCatalog // and there it dies
}

// forget takes the hidden rows out of what a compaction adds.
func (w *world) forget(h warehouse.Head, c *warehouse.Change) error {
	s, err := w.schema(h.Table)
	if err != nil {
		return err
	}
	var files []warehouse.LiveFile
	for _, f := range c.Add {
		files = append(files, warehouse.LiveFile{DataFile: f, Deletes: c.Deletes})
	}
	rows, err := w.visible(s, files)
	if err != nil {
		return err
	}
	customer := c.Add[0].Customer
	c.Add, c.Deletes = nil, nil
	if len(rows) == 0 {
		return nil
	}
	e, err := datafile.NewEncoder(s)
	if err != nil {
		return err
	}
	b := column.New(s.Columns)
	for _, r := range rows {
		r.append(b)
	}
	var out bytes.Buffer
	e.Begin(&out)
	if err := e.Append(b); err != nil {
		return err
	}
	f, err := e.Finish()
	if err != nil {
		return err
	}
	key := fmt.Sprintf("%sdata/customer=%s/compact-%d.parquet", store.TablePrefix(h.Table), strings.ToLower(customer), w.rng.Uint64())
	f.Path, f.Customer = w.base.URL(key), customer
	c.Add = []lake.DataFile{f}
	return w.base.Put(w.ctx, key, out.Bytes())
}
