package maintain_test

import (
	"testing"

	"medlake/functions/maintain"
	"medlake/shared/lake"
	"medlake/shared/warehouse"
)

// TestPurge: rows of loads that have left are in no file afterwards, whoever wrote it, and files that are on their way
// stay, also those of the same customer.
func TestPurge(t *testing.T) {
	t.Parallel()
	d := open(t, noteSchema())
	m := d.maintainer(t, nil)
	var loads []*load
	for range 9 { // compacted into one file
		l := d.notes("acme", start, 20)
		d.commit(t, notes, l)
		loads = append(loads, l)
	}
	other := d.notes("stmary", start, 20)
	d.commit(t, notes, other)
	d.round(t, m, maintain.Order{})
	lost := d.attempt(t, notes, loads[0]) // by a process that was too late
	erased := maintain.Purge{Customer: "acme", Tables: []string{notes}, Loads: map[string]bool{loads[0].id: true, loads[1].id: true}}
	if err := m.Rewrite(t.Context(), erased); err == nil {
		t.Error("rows that are still there were no error")
	}
	d.drop(t, notes, loads[0], loads[1])
	before, _ := d.rows(t, notes)
	coming := d.notes("acme", start, 20)
	d.write(t, notes, coming)
	for range 2 { // the second time there is nothing to do
		if err := m.Rewrite(t.Context(), erased); err != nil {
			t.Fatal(err)
		}
		if err := d.warehouse.Forget(t.Context(), notes); err != nil {
			t.Fatal(err)
		}
		if _, err := m.Discard(t.Context(), erased); err != nil {
			t.Fatal(err)
		}
	}
	if s, err := d.warehouse.Snapshots(t.Context(), notes); err != nil || len(s) != 1 {
		t.Errorf("%d states, %v", len(s), err)
	}
	if after, hidden := d.rows(t, notes); len(after) != len(before) || len(after) != 8*20 || hidden > 0 {
		t.Errorf("%d rows and %d hidden ones, want %d", len(after), hidden, len(before))
	}
	for what, f := range map[string]struct {
		lake.DataFile
		stays bool
	}{"lost": {lost, false}, "erased": {loads[1].files[0], false}, "coming": {coming.files[0], true}, "another's": {other.files[0], true}} {
		key, err := d.bucket.Key(f.Path)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := d.bucket.Head(t.Context(), key); (err == nil) != f.stays {
			t.Errorf("%s: %v", what, err)
		}
	}
	d.claim(t, notes, coming)
	d.apply(t, notes, warehouse.Change{Add: coming.files})
	if after, _ := d.rows(t, notes); len(after) != 9*20 {
		t.Errorf("%d rows", len(after))
	}
}
