package commit

import (
	"context"

	"medlake/shared/lake"
	"medlake/shared/warehouse"
)

// Tables are the tables of the lake; *warehouse.Warehouse is one. Calls for different tables, and for the same one, may
// run at once.
type Tables interface {
	// Tables lists the tables there are.
	Tables(ctx context.Context) ([]string, error)
	// Ensure creates or evolves a table; a new one counts entries up to tail as taken in.
	Ensure(ctx context.Context, want lake.Schema, tail int64) (lake.Schema, error)
	// Batch pins a table's current state.
	Batch(ctx context.Context, table string) (warehouse.Head, error)
	// RowsOf finds the rows of loads at h: whole files to remove, and position deletes for files that hold other rows too.
	RowsOf(ctx context.Context, h warehouse.Head, loads []string) (remove []string, deletes []lake.DataFile, err error)
	// Apply makes a change, wholly or not at all, durably, and only if the table's state is still h. After any error the
	// outcome is unknown: pin again and look. The files are never deleted.
	Apply(ctx context.Context, h warehouse.Head, c warehouse.Change) error
	// Restore is Apply of a change to the content of an older snapshot; lake.ErrNotFound means that it is no longer kept.
	Restore(ctx context.Context, h warehouse.Head, snapshot int64, c warehouse.Change) error
}
