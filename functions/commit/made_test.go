package commit_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"

	"medlake/functions/commit"
	"medlake/shared/lake"
	"medlake/shared/warehouse"
)

// TestTablesMadeFromLogsAreLeftAlone: a replay names a table that its loads had rows in before it became one that merge
// makes. Rows and number are merge's.
func TestTablesMadeFromLogsAreLeftAlone(t *testing.T) {
	t.Parallel()
	d := open(t)
	d.arrive(t, 1, "one", 0)
	c := d.committer(t)
	if _, err := c.Round(t.Context()); err != nil {
		t.Fatal(err)
	}
	h, err := d.warehouse.Batch(t.Context(), table)
	if err == nil {
		err = d.warehouse.Apply(t.Context(), h, warehouse.Change{Batch: h.Batch, Fold: "made"})
	}
	if err != nil {
		t.Fatal(err)
	}
	d.again(t, 1, d.replay(t), 0, "ONE")
	if _, err := c.Round(t.Context()); err != nil {
		t.Fatal(err)
	}
	want(t, d.words(t), "one")
	if now, err := d.warehouse.Batch(t.Context(), table); err != nil || now.Batch != h.Batch {
		t.Errorf("number %d became %d, %v", h.Batch, now.Batch, err)
	}
	again, err := commit.New(commit.Config{Bucket: d.bucket, Tables: d.warehouse})
	if err != nil {
		t.Fatal(err)
	}
	if err := again.Ensure(t.Context(), wanted()); !errors.Is(err, lake.ErrInvalid) {
		t.Errorf("a table made from its log is taken for one of its own: %v", err)
	}
}

// TestStrayLogTableHidesNothing: a table of its own is filled by every committer, whatever others are called.
func TestStrayLogTableHidesNothing(t *testing.T) {
	t.Parallel()
	d := open(t)
	stray := wanted()
	stray.Table += "_log"
	if _, err := d.warehouse.Ensure(t.Context(), stray, 0); err != nil {
		t.Fatal(err)
	}
	d.arrive(t, 1, "one", 0)
	want(t, d.round(t), "one")
}

// asking notes whose states it is asked for.
type asking struct {
	*warehouse.Warehouse
	mu    sync.Mutex
	names []string
}

func (a *asking) Batch(ctx context.Context, name string) (warehouse.Head, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.names = append(a.names, name)
	return a.Warehouse.Batch(ctx, name)
}

// TestFirstRoundLooksAtTablesOfItsOwn: not at those that the metadata says merge makes.
func TestFirstRoundLooksAtTablesOfItsOwn(t *testing.T) {
	t.Parallel()
	d := open(t)
	made := wanted()
	made.Table += "_made"
	if _, err := d.warehouse.Ensure(t.Context(), made, 0); err != nil {
		t.Fatal(err)
	}
	tables := &asking{Warehouse: d.warehouse}
	c, err := commit.New(commit.Config{Bucket: d.bucket, Tables: tables, Merged: []string{made.Table}})
	if err == nil {
		_, err = c.Round(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Contains(tables.names, table) || slices.Contains(tables.names, made.Table) {
		t.Errorf("looked at %v", tables.names)
	}
}
