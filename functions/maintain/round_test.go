package maintain_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"medlake/functions/maintain"
	"medlake/shared/lake"
	"medlake/shared/store/faulty"
	"medlake/shared/warehouse"
)

// pretended is a warehouse whose tables have these files.
type pretended struct {
	*warehouse.Warehouse
	files []warehouse.LiveFile
}

func (p pretended) Live(context.Context, warehouse.Head, string) ([]warehouse.LiveFile, error) {
	return p.files, nil
}

// TestPlan checks which files of one partition are put together, by their sizes; 1 MB is aimed at.
func TestPlan(t *testing.T) {
	t.Parallel()
	const kb = 1 << 10
	d := open(t, noteSchema())
	for _, tt := range []struct {
		name  string
		bytes []int64
		want  []int // files of each group
	}{
		{name: "few", bytes: slices.Repeat([]int64{kb}, 7)},
		{name: "many", bytes: []int64{kb, 2 * kb, kb, 9 * kb, kb, kb, kb, 3 * kb}, want: []int{8}},
		{name: "a larger one stays", bytes: append(slices.Repeat([]int64{kb}, 8), 500*kb), want: []int{8}},
		{name: "one as large as the others together joins", bytes: append(slices.Repeat([]int64{60 * kb}, 8), 400*kb), want: []int{9}},
		{name: "well sized ones stay", bytes: slices.Repeat([]int64{800 * kb}, 9)},
		{name: "halves", bytes: slices.Repeat([]int64{500 * kb}, 9), want: []int{2, 2, 2, 2}},
		{name: "each larger than all before", bytes: []int64{kb, 2 * kb, 4 * kb, 8 * kb, 16 * kb, 32 * kb, 64 * kb, 128 * kb, 256 * kb}},
		{name: "more than a file", bytes: slices.Repeat([]int64{100 * kb}, 25), want: []int{10, 10, 5}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var files []warehouse.LiveFile
			for i, n := range tt.bytes {
				files = append(files, warehouse.LiveFile{DataFile: lake.DataFile{Path: fmt.Sprint("file ", i), Rows: 10, Bytes: n, Customer: "acme"}})
			}
			m := d.maintainer(t, func(c *maintain.Config) { c.Tables = pretended{d.warehouse, files} })
			var got []int
			for _, g := range d.round(t, m, maintain.Order{Dry: true})[notes].Groups {
				got = append(got, len(g.Files))
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("got groups of %d files, want %d", got, tt.want)
			}
		})
	}
}

// TestBudget checks that what one round leaves the next ones do.
func TestBudget(t *testing.T) {
	t.Parallel()
	d := open(t, noteSchema())
	for i := range 32 {
		d.commit(t, notes, d.notes([]string{"acme", "bolt", "cure", "dale"}[i%4], start, 10))
	}
	before, _ := d.rows(t, notes)
	m := d.maintainer(t, func(c *maintain.Config) {
		for _, f := range d.live(t, notes)[:16] {
			c.Budget.Bytes += f.Bytes + 20
		}
	})
	for _, left := range []int{2, 0} {
		r, err := m.Round(t.Context(), maintain.Order{})
		if err != nil || r.Left != left {
			t.Errorf("%d groups are left, want %d (%v)", r.Left, left, err)
		}
	}
	after, _ := d.rows(t, notes)
	if files := d.live(t, notes); len(files) != 4 || !slices.Equal(before, after) {
		t.Errorf("there are %d files with %d of %d rows", len(files), len(after), len(before))
	}
	late := d.maintainer(t, func(c *maintain.Config) { c.Budget.Time = time.Nanosecond })
	if r, err := late.Round(t.Context(), maintain.Order{Tables: []string{notes}}); err != nil || r.Left != 1 || len(r.Tables) != 0 {
		t.Errorf("without time it did %+v (%v)", r, err)
	}
}

// TestHealth checks that each round replaces the table, and remembers when others have compacted.
func TestHealth(t *testing.T) {
	t.Parallel()
	d := open(t, noteSchema())
	for range 9 {
		d.commit(t, notes, d.notes("acme", start, 10))
	}
	m := d.maintainer(t, nil)
	row := func() (string, []string) {
		t.Helper()
		rows, _ := d.rows(t, lake.OpsHealth)
		if len(rows) != 2 {
			t.Fatalf("got %d rows", len(rows))
		}
		return rows[0], strings.Fields(rows[0])
	}
	d.round(t, m, maintain.Order{})
	_, first := row()
	// table, files, small, rows, deleted share, delete files, bytes, snapshots, batch, tail, compacted, measured
	if want := []string{`"lake.notes"`, "1", "1", "90", "0", "0"}; !slices.Equal(first[:6], want) || first[8] != "9" || first[9] != "9" || first[10] == "null" {
		t.Errorf("got %q", first)
	}
	d.commit(t, notes, d.notes("acme", start, 10))
	d.round(t, d.maintainer(t, nil), maintain.Order{})
	_, second := row()
	if second[1] != "2" || second[3] != "100" || second[10] != first[10] || second[11] == first[11] {
		t.Errorf("got %q after %q", second, first)
	}
}

// TestHealthOfASleeperIsNotNamed: what a round wrote before it slept may be deleted when it wakes, if the table has moved.
func TestHealthOfASleeperIsNotNamed(t *testing.T) {
	t.Parallel()
	d := open(t, noteSchema())
	other, slept := d.maintainer(t, nil), ""
	bucket, _ := faulty.New(d.bucket, func(c faulty.Call) faulty.Fault {
		if slept == "" && c.Op == faulty.Put && strings.Contains(c.Key, "/data/health-") {
			slept = c.Key
			d.round(t, other, maintain.Order{})
		}
		return faulty.None
	})
	m := d.maintainer(t, func(c *maintain.Config) { c.Bucket, c.Tables = bucket, d.open(t, bucket) })
	d.round(t, m, maintain.Order{})
	files := d.live(t, lake.OpsHealth)
	if len(files) != 1 || slept == "" || strings.HasSuffix(files[0].Path, slept) {
		t.Errorf("%d files, of which the one from before the sleep", len(files))
	}
}

// TestFaults fails each call of a round in each way, and then does a sound one: nothing is lost, and what is left over is
// found.
func TestFaults(t *testing.T) {
	t.Parallel()
	prepare := func(t *testing.T) (*depot, []string) {
		t.Helper()
		d := open(t, noteSchema())
		var loads []*load
		for range 8 {
			l := d.notes("acme", start, 4)
			loads = append(loads, l)
		}
		d.commit(t, notes, loads...)
		two := []*load{d.notes("acme", start, 3), d.notes("acme", start, 3)}
		d.commitTogether(t, notes, two...)
		d.drop(t, notes, two[0])
		d.maintainer(t, nil) // makes ops.health
		rows, _ := d.rows(t, notes)
		return d, rows
	}
	run := func(t *testing.T, n int, fault faulty.Fault) (d *depot, want []string, calls []faulty.Call) {
		t.Helper()
		d, want = prepare(t)
		from := -1 // the first call of the round
		bucket, driver := faulty.New(d.bucket, func(c faulty.Call) faulty.Fault {
			if from < 0 || c.N != from+n {
				return faulty.None
			}
			return fault
		})
		w := d.open(t, bucket)
		m := d.maintainer(t, func(c *maintain.Config) { c.Bucket, c.Tables = bucket, w })
		from = len(driver.Calls())
		_, _ = m.Round(t.Context(), maintain.Order{Delete: true})
		return d, want, driver.Calls()[from:]
	}
	_, _, calls := run(t, 0, faulty.None)
	for i, c := range calls {
		if !c.IsWrite() && i%5 > 0 {
			continue
		}
		fault := faulty.Faults()[i%len(faulty.Faults())]
		t.Run(fmt.Sprintf("%d %s %s", i, c.Op, fault), func(t *testing.T) {
			t.Parallel()
			d, want, _ := run(t, i, fault)
			if got, _ := d.rows(t, notes); !slices.Equal(got, want) {
				t.Fatalf("the table shows %d rows, want %d", len(got), len(want))
			}
			d.round(t, d.after(t, 3*time.Hour, 0), maintain.Order{Delete: true})
			if got, hidden := d.rows(t, notes); !slices.Equal(got, want) || hidden > 0 || len(d.live(t, notes)) > 2 {
				t.Fatalf("afterwards the table shows %d rows of %d in %d files", len(got), len(want), len(d.live(t, notes)))
			}
			d.whole(t, notes)
		})
	}
}
