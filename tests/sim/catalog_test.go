package sim

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	"medlake/shared/lake"
	"medlake/shared/store"
	"medlake/shared/store/faulty"
	"medlake/shared/warehouse"
)

// catalog is the tables of a world in memory: each has a version that a commit compares and swaps.
type catalog struct {
	w       *world
	tables  map[string]*table
	schemas map[string]lake.Schema
}

type table struct {
	version int
	batch   int64
	files   []lake.DataFile
}

func newCatalog(w *world) *catalog {
	return &catalog{w: w, tables: map[string]*table{}, schemas: map[string]lake.Schema{}}
}

// create makes an empty table whose schema is published.
func (c *catalog) create(ctx context.Context, s lake.Schema) error {
	s.N, s.Location = 1, c.w.base.URL(store.TablePrefix(s.Table))
	s.Columns = slices.Clone(s.Columns)
	for i := range s.Columns {
		s.Columns[i].ID = i + 1
	}
	data, err := json.Marshal(s)
	if err != nil {
		return err
	}
	c.schemas[s.Table], c.tables[s.Table] = s, &table{}
	return c.w.base.Put(ctx, store.SchemaKey(s.Table, s.N), data)
}

func (c *catalog) schema(_ context.Context, table string) (lake.Schema, error) {
	s, ok := c.schemas[table]
	if !ok {
		return s, lake.ErrNotFound
	}
	return s, nil
}

var errCatalog = errors.New("injected: catalog")

// tables are the tables as one process sees them.
type tables struct{ p *process }

func (t tables) Tables(context.Context) ([]string, error) {
	return slices.Sorted(maps.Keys(t.p.catalog.tables)), nil
}

func (t tables) Ensure(ctx context.Context, want lake.Schema, _ int64) (lake.Schema, error) {
	return t.p.catalog.schema(ctx, want.Table)
}

func (t tables) Batch(_ context.Context, name string) (warehouse.Head, error) {
	if f := t.p.gate("head", name); f != faulty.None {
		return warehouse.Head{}, errCatalog
	}
	now := t.p.catalog.tables[name]
	return warehouse.Head{Table: name, Batch: now.batch, Snapshot: int64(now.version)}, nil
}

func (t tables) RowsOf(context.Context, warehouse.Head, []string) ([]string, []lake.DataFile, error) {
	return nil, nil, errors.ErrUnsupported
}

func (t tables) Restore(context.Context, warehouse.Head, int64, warehouse.Change) error {
	return errors.ErrUnsupported
}

func (t tables) Apply(_ context.Context, h warehouse.Head, c warehouse.Change) error {
	f := t.p.gate("apply", h.Table)
	if f == faulty.Before || f == faulty.Crash {
		return errCatalog
	}
	now := t.p.catalog.tables[h.Table]
	change := func(version int) error {
		if now.version != version {
			return lake.ErrConflict
		}
		now.files = append(slices.Clone(now.files), c.Add...)
		now.batch, now.version = c.Batch, version+1
		return nil
	}
	if b := t.p.broken; b != nil && b.append != nil {
		change = b.append(t.p, now, c.Add, c.Batch)
	}
	err := change(int(h.Snapshot))
	t.p.look(c.Add)
	if f != faulty.None {
		return errCatalog
	}
	return err
}

// look does what a reader does at this moment: every file of a table must be there.
func (w *world) look(files []lake.DataFile) {
	for _, f := range files {
		key, err := w.base.Key(f.Path)
		if err == nil {
			_, err = w.base.Head(w.ctx, key)
		}
		if err != nil && w.bad == "" {
			w.bad = fmt.Sprintf("a table names a file that is not there: %v", err)
		}
	}
}
