package sim

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"medlake/shared/lake"
	"medlake/shared/store"
	"medlake/shared/warehouse"
)

// catalog is the tables of a world in memory. A table is the list of its versions: a change compares and swaps the last,
// and a restore goes back to the content of an older one. What it does is what shared/warehouse does with snapshots.
type catalog struct {
	w      *world
	base   *store.Bucket
	tables map[string]*table
	rule   func(t *table, h warehouse.Head, c warehouse.Change, do func(*version) error) error // how changes take effect; nil: as they should
}

type table struct {
	schema   lake.Schema
	versions []*version // a snapshot is named by its place; 0 is the empty table
	held     map[int64]bool
	forgot   []forgot
}

type version struct {
	batch   int64
	fold    string
	files   []warehouse.LiveFile // without Deletes
	deletes []warehouse.LiveFile
	at      time.Time
	expired bool
}

func newCatalog(w *world) *catalog {
	return &catalog{w: w, base: w.base, tables: map[string]*table{}}
}

func (t *table) now() int64 { return int64(len(t.versions)) - 1 }

func (c *catalog) table(name string) (*table, error) {
	t := c.tables[name]
	if t == nil {
		return nil, fmt.Errorf("table %s: %w", name, lake.ErrNotFound)
	}
	return t, nil
}

func (c *catalog) Tables(context.Context) ([]string, error) {
	return slices.Sorted(maps.Keys(c.tables)), nil
}

func (c *catalog) Ensure(ctx context.Context, s lake.Schema, tail int64) (lake.Schema, error) {
	if t := c.tables[s.Table]; t != nil {
		return t.schema, nil
	}
	s.N, s.Location = 1, c.base.URL(store.TablePrefix(s.Table))
	s.Location = s.Location[:len(s.Location)-1]
	s.Columns = slices.Clone(s.Columns)
	for i := range s.Columns {
		s.Columns[i].ID = i + 1
	}
	data, err := json.Marshal(s)
	if err != nil {
		return s, err
	}
	c.tables[s.Table] = &table{schema: s, versions: []*version{{batch: tail}}, held: map[int64]bool{}}
	return s, c.base.Put(ctx, store.SchemaKey(s.Table, s.N), data)
}

func (c *catalog) Batch(_ context.Context, name string) (warehouse.Head, error) {
	t, err := c.table(name)
	if err != nil {
		return warehouse.Head{}, err
	}
	v := t.versions[t.now()]
	return warehouse.Head{Table: name, Batch: v.batch, Fold: v.fold, Snapshot: t.now(), Made: v.at}, nil
}

func (c *catalog) at(h warehouse.Head) (*version, error) {
	t, err := c.table(h.Table)
	if err != nil {
		return nil, err
	}
	v := t.versions[h.Snapshot]
	if v.expired {
		return nil, fmt.Errorf("table %s: snapshot %d is gone: %w", h.Table, h.Snapshot, lake.ErrNotFound)
	}
	return v, nil
}

func (c *catalog) Live(_ context.Context, h warehouse.Head, customer string) ([]warehouse.LiveFile, error) {
	v, err := c.at(h)
	if err != nil {
		return nil, err
	}
	return v.live(customer), nil
}

func (v *version) live(customer string) (out []warehouse.LiveFile) {
	for _, f := range v.files {
		if customer != "" && f.Customer != "" && f.Customer != customer {
			continue
		}
		f.Deletes = nil
		for i := range v.deletes {
			if d := &v.deletes[i]; touches(d, &f) {
				f.Deletes = append(f.Deletes, d.DataFile)
			}
		}
		out = append(out, f)
	}
	slices.SortFunc(out, func(a, b warehouse.LiveFile) int { return cmp.Compare(a.Path, b.Path) })
	return out
}

const deletedPath = 2147483546 // field id

// touches reports whether a delete file may hide rows of a data file.
func touches(d, f *warehouse.LiveFile) bool {
	return d.Customer == f.Customer && d.Month == f.Month && f.Sequence <= d.Sequence &&
		bytes.Compare(d.Lower[deletedPath], []byte(f.Path)) <= 0 && bytes.Compare([]byte(f.Path), d.Upper[deletedPath]) <= 0
}

func (c *catalog) Apply(_ context.Context, h warehouse.Head, change warehouse.Change) error {
	return c.change(h, h.Snapshot, change)
}

func (c *catalog) Restore(_ context.Context, h warehouse.Head, snapshot int64, change warehouse.Change) error {
	t, err := c.table(h.Table)
	if err != nil {
		return err
	}
	if t.versions[snapshot].expired {
		return fmt.Errorf("table %s: snapshot %d is gone: %w", h.Table, snapshot, lake.ErrNotFound)
	}
	return c.change(h, snapshot, change) // and it is held on: another restore may wait for it
}

// change makes a version of the content of another one, if the table still stands at h.
func (c *catalog) change(h warehouse.Head, content int64, change warehouse.Change) error {
	t, err := c.table(h.Table)
	if err != nil {
		return err
	}
	if change.Batch < h.Batch {
		return fmt.Errorf("table %s: %w", h.Table, lake.ErrInvalid)
	}
	do := func(of *version) error {
		v, err := of.changed(change, int64(len(t.versions)))
		if err == nil {
			v.at = c.w.now
			if last := t.versions[t.now()].at; !v.at.After(last) {
				v.at = last.Add(time.Millisecond)
			}
			t.versions = append(t.versions, v)
		}
		return err
	}
	if c.rule != nil {
		return c.rule(t, h, change, func(of *version) error {
			if of == nil {
				of = t.versions[content]
			}
			return do(of)
		})
	}
	if t.now() != h.Snapshot {
		return lake.ErrConflict
	}
	return do(t.versions[content])
}

// changed is the version that a change makes of v.
func (v *version) changed(c warehouse.Change, sequence int64) (*version, error) {
	next := &version{batch: c.Batch, fold: cmp.Or(c.Fold, v.fold)}
	for _, f := range v.files {
		if !slices.Contains(c.Remove, f.Path) {
			next.files = append(next.files, f)
		}
	}
	if len(next.files)+len(c.Remove) != len(v.files) {
		return nil, fmt.Errorf("a file to remove is not live: %w", lake.ErrInvalid)
	}
	for _, d := range v.deletes {
		if len(c.Remove) == 0 || slices.ContainsFunc(next.files, func(f warehouse.LiveFile) bool { return touches(&d, &f) }) {
			next.deletes = append(next.deletes, d)
		}
	}
	for _, f := range c.Add {
		next.files = append(next.files, warehouse.LiveFile{DataFile: f, Sequence: sequence})
	}
	for _, d := range c.Deletes {
		next.deletes = append(next.deletes, warehouse.LiveFile{DataFile: d, Sequence: sequence})
	}
	return next, nil
}

func (c *catalog) Snapshots(_ context.Context, name string) ([]warehouse.Snapshot, error) {
	t, err := c.table(name)
	if err != nil {
		return nil, err
	}
	var all []warehouse.Snapshot
	for i, v := range t.versions {
		if i > 0 && !v.expired {
			all = append(all, warehouse.Snapshot{ID: int64(i), At: v.at, Batch: v.batch, First: i == 1})
		}
	}
	return all, nil
}

func (c *catalog) SnapshotAt(ctx context.Context, name string, at time.Time) (warehouse.Snapshot, error) {
	all, err := c.Snapshots(ctx, name)
	if err != nil {
		return warehouse.Snapshot{}, err
	}
	for _, s := range slices.Backward(all) {
		if !s.At.After(at) {
			return s, nil
		}
	}
	if len(all) > 0 && !all[0].First {
		return warehouse.Snapshot{}, lake.ErrNotFound
	}
	return warehouse.Snapshot{}, nil
}

func (c *catalog) Hold(_ context.Context, name string, snapshot int64) error {
	t, err := c.table(name)
	if err != nil {
		return err
	}
	if t.versions[snapshot].expired {
		return lake.ErrNotFound
	}
	t.held[snapshot] = true
	return nil
}

// Expire drops half of the states, whichever, but not the last two and those that are held.
func (c *catalog) Expire(_ context.Context, name string) error {
	t, err := c.table(name)
	for i := 1; err == nil && i < len(t.versions)-2; i++ {
		t.versions[i].expired = t.versions[i].expired || !t.held[int64(i)] && c.w.rng.IntN(2) == 0
	}
	return err
}

func (*catalog) TagMonths(context.Context, string, time.Time) error { return nil }

// RewriteManifests is a new state with nothing changed, if there are many.
func (c *catalog) RewriteManifests(ctx context.Context, h warehouse.Head) (bool, error) {
	if h.Snapshot%3 != 2 {
		return false, nil
	}
	return true, c.Apply(ctx, h, warehouse.Change{Batch: h.Batch, Same: true})
}

func (c *catalog) Referenced(_ context.Context, name string) (map[string]bool, error) {
	t, err := c.table(name)
	if err != nil {
		return nil, err
	}
	keys := map[string]bool{}
	for _, v := range t.versions {
		for _, f := range slices.Concat(v.files, v.deletes) {
			if key, bad := c.base.Key(f.Path); !v.expired {
				keys[key], err = true, errors.Join(err, bad)
			}
		}
	}
	return keys, err
}
