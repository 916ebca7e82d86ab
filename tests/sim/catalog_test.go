package sim

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	"medlake/functions/commit"
	"medlake/shared/lake"
	"medlake/shared/store"
	"medlake/shared/store/faulty"
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

func (t tables) Names(context.Context) ([]string, error) {
	return slices.Sorted(maps.Keys(t.p.catalog.tables)), nil
}

func (t tables) Ensure(ctx context.Context, want lake.Schema, _ int64) (lake.Schema, error) {
	return t.p.catalog.schema(ctx, want.Table)
}

func (t tables) Head(_ context.Context, name string) (commit.Head, error) {
	if f := t.p.gate("head", name); f != faulty.None {
		return nil, errCatalog
	}
	now := t.p.catalog.tables[name]
	return &head{t.p, name, *now}, nil
}

type head struct {
	p     *process
	name  string
	state table
}

func (h *head) Batch() int64 { return h.state.batch }

func (h *head) Append(_ context.Context, files []lake.DataFile, n int64) error {
	f := h.p.gate("append", h.name)
	if f == faulty.Before || f == faulty.Crash {
		return errCatalog
	}
	now := h.p.catalog.tables[h.name]
	change := func(version int) error {
		if now.version != version {
			return lake.ErrConflict
		}
		now.files = append(slices.Clone(now.files), files...)
		now.batch, now.version = n, version+1
		return nil
	}
	if b := h.p.broken; b != nil && b.append != nil {
		change = b.append(h, now, files, n)
	}
	err := change(h.state.version)
	h.p.look(files)
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
