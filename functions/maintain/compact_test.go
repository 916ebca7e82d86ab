package maintain_test

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"medlake/functions/maintain"
	"medlake/shared/datafile/datafiletest"
	"medlake/shared/lake"
	"medlake/shared/warehouse"
)

// TestCompaction checks that a table shows the same rows in fewer files, partition by partition, sorted, and without the
// deleted rows.
func TestCompaction(t *testing.T) {
	t.Parallel()
	d := open(t, noteSchema())
	var loads []*load
	for i := range 20 {
		l := d.notes([]string{"acme", "bolt"}[i%2], start.AddDate(0, i/16, 0), 40)
		d.commit(t, notes, l)
		loads = append(loads, l)
	}
	m := d.maintainer(t, nil)
	before, _ := d.rows(t, notes)
	planned := d.round(t, m, maintain.Order{Dry: true})[notes]
	if len(planned.Groups) != 2 || planned.Compacted != 0 || len(d.live(t, notes)) != 20 {
		t.Fatalf("a dry round planned %d groups and did %d", len(planned.Groups), planned.Compacted)
	}
	check := func(files int) {
		t.Helper()
		if got, hidden := d.rows(t, notes); !slices.Equal(got, before) || hidden > 0 {
			t.Fatalf("%d rows became %d, %d are hidden", len(before), len(got), hidden)
		}
		if got := len(d.live(t, notes)); got != files {
			t.Fatalf("got %d files, want %d", got, files)
		}
	}
	if did := d.round(t, m, maintain.Order{})[notes]; did.Compacted != 2 || did.GaveUp != 0 {
		t.Fatalf("%d of %d groups were compacted", did.Compacted, len(did.Groups))
	}
	check(2 + 4) // four of the next month are too few to care
	if did := d.round(t, m, maintain.Order{})[notes]; len(did.Groups) != 0 {
		t.Fatalf("there was nothing left to do, but it did %+v", did.Groups)
	}
	d.drop(t, notes, loads[:8]...) // of the compacted ones half
	before, hidden := d.rows(t, notes)
	if hidden != 8*40 {
		t.Fatalf("%d rows are hidden", hidden)
	}
	if did := d.round(t, m, maintain.Order{})[notes]; did.Compacted != 2 || did.Groups[0].Why != maintain.Holes {
		t.Fatalf("%d of %d groups were compacted", did.Compacted, len(did.Groups))
	}
	check(2 + 4)
	for _, f := range d.live(t, notes) {
		s, err := warehouse.PublishedSchema(t.Context(), d.bucket, notes)
		if err != nil {
			t.Fatal(err)
		}
		if f.Rows > 40 && !sorted(t, d, s, f.Path) {
			t.Error("the rows are not in the table's order")
		}
	}
	h, err := d.warehouse.Batch(t.Context(), notes)
	if err != nil || h.Batch != 20 {
		t.Errorf("the table's number became %d (%v)", h.Batch, err)
	}
}

// sorted reports whether a file of notes is in their order: nulls first.
func sorted(t *testing.T, d *depot, s lake.Schema, url string) bool {
	t.Helper()
	var at []int
	for _, row := range d.texts(t, s, url) {
		n, err := strconv.Atoi(strings.Fields(row)[5])
		if err != nil {
			n = -1
		}
		at = append(at, n)
	}
	return slices.IsSorted(at)
}

// meddling is tables where something happens just before a change takes effect, and where its answer may get lost.
type meddling struct {
	*warehouse.Warehouse
	table  string
	before func()
	lost   bool
}

func (m *meddling) Apply(ctx context.Context, h warehouse.Head, c warehouse.Change) error {
	if f := m.before; f != nil && h.Table == m.table {
		m.before = nil
		f()
	}
	err := m.Warehouse.Apply(ctx, h, c)
	if m.lost && err == nil && h.Table == m.table {
		m.lost = false
		return errors.New("the answer was lost")
	}
	return err
}

func TestCompactionBesideOthers(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		before func(t *testing.T, d *depot, loads []*load)
		lost   bool
		gaveUp int
	}{
		{name: "rows are added", before: func(t *testing.T, d *depot, _ []*load) {
			t.Helper()
			d.commit(t, notes, d.notes("acme", start, 5))
		}},
		{name: "a file of a later group leaves", gaveUp: 1, before: func(t *testing.T, d *depot, loads []*load) {
			t.Helper()
			d.drop(t, notes, loads[3])
		}},
		{name: "a file leaves", gaveUp: 1, before: func(t *testing.T, d *depot, loads []*load) {
			t.Helper()
			d.drop(t, notes, loads[:3]...)
		}},
		{name: "rows are hidden", before: func(t *testing.T, d *depot, loads []*load) {
			t.Helper()
			d.drop(t, notes, loads[0])
		}},
		{name: "rows are hidden in two steps", before: func(t *testing.T, d *depot, loads []*load) {
			t.Helper()
			d.drop(t, notes, loads[0])
			d.drop(t, notes, loads[0])
		}},
		{name: "rows come back", gaveUp: 1, before: func(t *testing.T, d *depot, _ []*load) {
			t.Helper()
			d.restore(t, notes)
		}},
		{name: "another compacts", gaveUp: 2, before: func(t *testing.T, d *depot, _ []*load) {
			t.Helper()
			d.round(t, d.maintainer(t, nil), maintain.Order{Tables: []string{notes}})
		}},
		{name: "the answer is lost", lost: true},
		{name: "rows are added and the answer is lost", lost: true, before: func(t *testing.T, d *depot, _ []*load) {
			t.Helper()
			d.commit(t, notes, d.notes("acme", start, 5))
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			d := open(t, noteSchema())
			three := d.notes("acme", start, 9)
			var loads []*load
			for i := range 3 { // in one file, so that rows of it can be hidden
				loads = append(loads, &load{customer: "acme", at: start, id: lake.Hash("part", string(rune('a'+i))), rows: three.rows[3*i : 3*i+3]})
			}
			d.commitTogether(t, notes, loads...)
			for range 8 {
				l := d.notes("acme", start, 5)
				d.commit(t, notes, l)
				loads = append(loads, l)
			}
			d.drop(t, notes, loads[1])
			want, hidden := d.rows(t, notes)
			if hidden != 3 {
				t.Fatalf("%d rows are hidden", hidden)
			}
			tables := &meddling{Warehouse: d.warehouse, table: notes, lost: tt.lost}
			if tt.before != nil {
				tables.before = func() {
					tt.before(t, d, loads)
					want, _ = d.rows(t, notes)
				}
			}
			m := d.maintainer(t, func(c *maintain.Config) { c.Tables = tables })
			did := d.round(t, m, maintain.Order{})[notes]
			if did.GaveUp != tt.gaveUp || did.Compacted != 2-tt.gaveUp {
				t.Errorf("of %d groups %d were compacted and %d given up", len(did.Groups), did.Compacted, did.GaveUp)
			}
			if got, _ := d.rows(t, notes); !slices.Equal(got, want) {
				t.Errorf("the table shows %d rows, want %d", len(got), len(want))
			}
		})
	}
}

// TestRoundsBesideCommits runs rounds of two maintainers, deletion included, while rows are added and taken out.
func TestRoundsBesideCommits(t *testing.T) {
	t.Parallel()
	d := open(t, noteSchema())
	tables := make(chan error, 2)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	for range cap(tables) {
		m := d.maintainer(t, func(c *maintain.Config) {
			c.Grace, c.Tries = time.Nanosecond, 100
		})
		go func() {
			var err error
			for ctx.Err() == nil && err == nil {
				_, err = m.Round(context.WithoutCancel(ctx), maintain.Order{Delete: true})
			}
			tables <- err
		}()
	}
	var want []string
	s, err := warehouse.PublishedSchema(t.Context(), d.bucket, notes)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 30 {
		l := d.notes("acme", start, 6)
		d.commit(t, notes, l)
		if i%5 == 2 {
			d.drop(t, notes, l)
			continue
		}
		want = append(want, datafiletest.Rows(batch(s, l))...)
	}
	stop()
	for range cap(tables) {
		if err := <-tables; err != nil {
			t.Error(err)
		}
	}
	slices.Sort(want)
	if got, _ := d.rows(t, notes); !slices.Equal(got, want) {
		t.Errorf("the table shows %d rows, want %d", len(got), len(want))
	}
	d.whole(t, notes)
}
