package main

import (
	"context"
	"time"

	"medlake/shared/faas/meter"
	"medlake/shared/lake"
	"medlake/shared/warehouse"
)

// tables measures the calls that go by way of the catalog.
type tables struct {
	*warehouse.Warehouse
	meter *meter.Meter
}

// measure is deferred with the start of a call.
func (t tables) measure(ctx context.Context, operation string, start time.Time, err *error) {
	t.meter.Observe(ctx, meter.Catalog, time.Since(start).Seconds(), operation, meter.Outcome(*err))
}

func (t tables) Tables(ctx context.Context) (names []string, err error) {
	defer t.measure(ctx, "list", time.Now(), &err)
	return t.Warehouse.Tables(ctx)
}

func (t tables) Ensure(ctx context.Context, want lake.Schema, tail int64) (_ lake.Schema, err error) {
	defer t.measure(ctx, "ensure", time.Now(), &err)
	return t.Warehouse.Ensure(ctx, want, tail)
}

func (t tables) Batch(ctx context.Context, table string) (_ warehouse.Head, err error) {
	defer t.measure(ctx, "read", time.Now(), &err)
	return t.Warehouse.Batch(ctx, table)
}

func (t tables) Apply(ctx context.Context, h warehouse.Head, c warehouse.Change) (err error) {
	defer t.measure(ctx, "change", time.Now(), &err)
	return t.Warehouse.Apply(ctx, h, c)
}

func (t tables) Restore(ctx context.Context, h warehouse.Head, snapshot int64, c warehouse.Change) (err error) {
	defer t.measure(ctx, "change", time.Now(), &err)
	return t.Warehouse.Restore(ctx, h, snapshot, c)
}

func (t tables) Expire(ctx context.Context, table string) (err error) {
	defer t.measure(ctx, "change", time.Now(), &err)
	return t.Warehouse.Expire(ctx, table)
}
