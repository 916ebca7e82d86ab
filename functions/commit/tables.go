package commit

import (
	"context"

	"medlake/shared/lake"
	"medlake/shared/warehouse"
)

// Tables are the tables of the lake. Calls for different tables, and for the same one, may run at once.
type Tables interface {
	// Names lists the tables there are.
	Names(ctx context.Context) ([]string, error)
	// Head pins a table's current state.
	Head(ctx context.Context, table string) (Head, error)
	// Ensure creates or evolves a table; a new one counts entries up to tail as taken in.
	Ensure(ctx context.Context, want lake.Schema, tail int64) (lake.Schema, error)
}

// Head is the state of one table at one moment.
type Head interface {
	// Batch is the number up to which the table has taken in the log.
	Batch() int64
	// Append adds files and sets Batch to n, both or neither, durably, and only if the table's state is still the pinned
	// one. After any error the outcome is unknown: pin again and look. The files are never deleted.
	Append(ctx context.Context, files []lake.DataFile, n int64) error
}

// Warehouse makes Tables of a warehouse.
func Warehouse(w *warehouse.Warehouse) Tables { return tables{w} }

type tables struct{ *warehouse.Warehouse }

func (t tables) Names(ctx context.Context) ([]string, error) { return t.Tables(ctx) }

func (t tables) Head(ctx context.Context, table string) (Head, error) {
	h, err := t.Warehouse.Batch(ctx, table)
	return head{t.Warehouse, h}, err
}

type head struct {
	warehouse *warehouse.Warehouse
	pinned    warehouse.Head
}

func (h head) Batch() int64 { return h.pinned.Batch }

func (h head) Append(ctx context.Context, files []lake.DataFile, n int64) error {
	return h.warehouse.Append(ctx, h.pinned, files, n)
}
