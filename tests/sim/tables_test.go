package sim

import (
	"context"
	"errors"
	"time"

	"medlake/functions/commit"
	"medlake/functions/erase"
	"medlake/functions/maintain"
	"medlake/functions/merge"
	"medlake/functions/restore"
	"medlake/shared/lake"
	"medlake/shared/store/faulty"
	"medlake/shared/warehouse"
)

// lakeTables are the tables as all functions use them; *warehouse.Warehouse is one, and so is the catalog in memory.
type lakeTables interface {
	commit.Tables
	merge.Tables
	maintain.Tables
	restore.Tables
	erase.Catalog
}

var errCatalog = errors.New("injected: catalog")

// tables are the tables as one process sees them: calls fail, lose their replies, and are watched by a reader.
type tables struct {
	p  *process
	in lakeTables
}

// call makes one call to the catalog about a table.
func call[T any](t tables, op, table string, do func() (T, error)) (T, error) {
	var zero T
	f := t.p.gate(op, table)
	if f == faulty.Before || f == faulty.Crash {
		return zero, errCatalog
	}
	v, err := do()
	if f != faulty.None {
		return zero, errCatalog
	}
	return v, err
}

func (t tables) Tables(ctx context.Context) ([]string, error) {
	return call(t, "tables", "", func() ([]string, error) { return t.in.Tables(ctx) })
}

func (t tables) Ensure(ctx context.Context, want lake.Schema, tail int64) (lake.Schema, error) {
	return t.in.Ensure(ctx, want, tail) // they are there already
}

func (t tables) Batch(ctx context.Context, name string) (warehouse.Head, error) {
	h, err := call(t, "head", name, func() (warehouse.Head, error) { return t.in.Batch(ctx, name) })
	if v := t.p.broken; v != nil && v.anyFold && h.Fold != "" && t.p.fold != "" {
		h.Fold = t.p.fold
	}
	return h, err
}

func (t tables) Live(ctx context.Context, h warehouse.Head, customer string) ([]warehouse.LiveFile, error) {
	files, err := call(t, "live", h.Table, func() ([]warehouse.LiveFile, error) { return t.in.Live(ctx, h, customer) })
	if v := t.p.broken; v != nil && v.live != nil {
		files = v.live(h, files)
	}
	return files, err
}

func (t tables) RowsOf(ctx context.Context, h warehouse.Head, loads []string) (remove []string, deletes []lake.DataFile, err error) {
	_, err = call(t, "rows of", h.Table, func() (bool, error) {
		remove, deletes, err = t.in.RowsOf(ctx, h, loads)
		return true, err
	})
	if v := t.p.broken; v != nil && v.keepsOld {
		return nil, nil, err
	}
	return remove, deletes, err
}

func (t tables) Apply(ctx context.Context, h warehouse.Head, c warehouse.Change) error {
	_, err := call(t, "apply", h.Table, func() (bool, error) {
		if v := t.p.broken; v != nil && v.change != nil {
			if err := v.change(t.p.world, h, &c); err != nil {
				return false, err
			}
		}
		err := t.in.Apply(ctx, h, c)
		t.p.look(h.Table)
		return true, err
	})
	return err
}

func (t tables) Restore(ctx context.Context, h warehouse.Head, snapshot int64, c warehouse.Change) error {
	var gone error
	_, err := call(t, "restore", h.Table, func() (bool, error) {
		err := t.in.Restore(ctx, h, snapshot, c)
		if errors.Is(err, lake.ErrNotFound) {
			if gone = err; t.p.patients == nil { // an erasure forgets states, and restores to them are passed over
				t.p.bad = "a snapshot that is to be restored is gone"
			}
		}
		t.p.look(h.Table)
		return true, err
	})
	return errors.Join(err, gone)
}

func (t tables) Snapshots(ctx context.Context, name string) ([]warehouse.Snapshot, error) {
	return call(t, "snapshots", name, func() ([]warehouse.Snapshot, error) { return t.in.Snapshots(ctx, name) })
}

func (t tables) SnapshotAt(ctx context.Context, name string, at time.Time) (warehouse.Snapshot, error) {
	return call(t, "snapshot at", name, func() (warehouse.Snapshot, error) { return t.in.SnapshotAt(ctx, name, at) })
}

func (t tables) Hold(ctx context.Context, name string, snapshot int64) error {
	_, err := call(t, "hold", name, func() (bool, error) {
		if v := t.p.broken; v != nil && v.forgets {
			return true, nil
		}
		return true, t.in.Hold(ctx, name, snapshot)
	})
	return err
}

func (t tables) TagMonths(ctx context.Context, name string, now time.Time) error {
	return t.in.TagMonths(ctx, name, now)
}

func (t tables) RewriteManifests(ctx context.Context, h warehouse.Head) (bool, error) {
	return call(t, "rewrite manifests", h.Table, func() (bool, error) {
		done, err := t.in.RewriteManifests(ctx, h)
		t.p.look(h.Table)
		return done, err
	})
}

func (t tables) Expire(ctx context.Context, name string) error {
	_, err := call(t, "expire", name, func() (bool, error) { return true, t.in.Expire(ctx, name) })
	return err
}

func (t tables) Forget(ctx context.Context, name string) error {
	_, err := call(t, "forget", name, func() (bool, error) { return true, t.in.Forget(ctx, name) })
	return err
}

func (t tables) Referenced(ctx context.Context, name string) (map[string]bool, error) {
	return call(t, "referenced", name, func() (map[string]bool, error) { return t.in.Referenced(ctx, name) })
}
