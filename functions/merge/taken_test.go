package merge_test

import (
	"errors"
	"log/slog"
	"testing"
	"time"

	"medlake/functions/merge"
	"medlake/shared/lake"
	"medlake/shared/warehouse"
)

// TestTableWithRowsOfItsOwnIsRefused: its rows would be replaced by those of an empty log.
func TestTableWithRowsOfItsOwnIsRefused(t *testing.T) {
	t.Parallel()
	d := open(t, "stays", tables["stays"])
	l := &load{id: "l1", customer: "acme", at: time.Unix(1, 0), rows: []map[string]any{{"site": 1, "id": "a", "event": "in"}}}
	h, err := d.warehouse.Batch(t.Context(), d.table.Current.Table)
	if err == nil {
		err = d.warehouse.Apply(t.Context(), h, warehouse.Change{Add: []lake.DataFile{d.writeTo(t, d.table.Current.Table, l)}, Batch: 1})
	}
	if err != nil {
		t.Fatal(err)
	}
	m, err := merge.New(merge.Config{Bucket: d.bucket, Tables: d.warehouse, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Ensure(t.Context(), d.table); !errors.Is(err, lake.ErrInvalid) {
		t.Errorf("taken over: %v", err)
	}
	other := d.table
	other.Log.Table += "_new"
	if err := m.EnsureLogs(t.Context(), other); !errors.Is(err, lake.ErrInvalid) {
		t.Errorf("a log was made for it: %v", err)
	}
}

// TestLogsCanBeMadeAlone: the tables themselves are made by who merges into them.
func TestLogsCanBeMadeAlone(t *testing.T) {
	t.Parallel()
	d := open(t, "stays", tables["stays"])
	m, err := merge.New(merge.Config{Bucket: d.bucket, Tables: d.warehouse, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	other := d.table
	other.Log.Table, other.Current.Table = "lake.others_log", "lake.others"
	for range 2 {
		if err := m.EnsureLogs(t.Context(), other); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := d.warehouse.Batch(t.Context(), other.Log.Table); err != nil {
		t.Errorf("its log: %v", err)
	}
	if _, err := d.warehouse.Batch(t.Context(), other.Current.Table); !errors.Is(err, lake.ErrNotFound) {
		t.Errorf("the table itself: %v", err)
	}
}
