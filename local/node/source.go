package node

import (
	"context"

	"medlake/shared/query"
	"medlake/shared/warehouse"
)

// source plans tables for SQL from the warehouse.
type source struct{ *warehouse.Warehouse }

func (s source) Table(ctx context.Context, name, customer string) (query.Table, error) {
	p, err := s.Plan(ctx, name, customer)
	if err != nil {
		return query.Table{}, err
	}
	t := query.Table{Schema: p.Schema, Deletes: p.Deletes, Snapshot: p.Snapshot, Batch: p.Batch, Files: make([]query.File, len(p.Files))}
	for i, f := range p.Files {
		t.Files[i] = query.File{URL: f.Path, Customer: f.Customer, Rows: f.Rows, Bytes: f.Bytes}
	}
	return t, nil
}

// Stored fails if no table is stored under this full name.
func (r *Reader) Stored(ctx context.Context, name string) error {
	_, err := r.warehouse.Batch(ctx, name)
	return err
}
