package ingest_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"medlake/functions/ingest"
	"medlake/shared/lake"
	"medlake/shared/store"
	"medlake/shared/store/faulty"
)

// TestRetryWritesTheSame: whatever call fails, loses its reply or is the last, running again leaves the record, the rows
// and the pending object of a run without faults, and no second record.
func TestRetryWritesTheSame(t *testing.T) {
	t.Parallel()
	z := locked(t)
	for _, c := range []struct {
		name, path string
		data       []byte
		before     bool // another arrival of the same bytes was there first
	}{
		{"loaded", "acme/visits/1.zip", z, false},
		{"duplicate", "acme/visits/1.zip", z, true},
		{"quarantined", "acme/visits/1.zip", []byte("hello"), false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			published := open(t, "mem://")
			want, calls := trial(t, published, c.path, c.data, c.before, nil)
			if calls == 0 {
				t.Fatal("nothing was called")
			}
			for n := range calls {
				for _, fault := range faulty.Faults() {
					got, _ := trial(t, published, c.path, c.data, c.before, faulty.Nth(n, fault))
					if diff := cmp.Diff(want, got); diff != "" {
						t.Fatalf("call %d, %s: %s", n, fault, diff)
					}
				}
			}
		})
	}
}

// copy makes another depot with the same tables.
func (d *depot) copy(t *testing.T) *depot {
	t.Helper()
	b, err := store.Open(t.Context(), "mem://")
	if err != nil {
		t.Fatal(err)
	}
	for o, err := range d.bucket.List(t.Context(), "schemas/") {
		if err != nil {
			t.Fatal(err)
		}
		data, err := d.bucket.Get(t.Context(), o.Key)
		if err != nil {
			t.Fatal(err)
		}
		if err := b.Put(t.Context(), o.Key, data); err != nil {
			t.Fatal(err)
		}
	}
	return &depot{bucket: b, library: d.library, logs: &bytes.Buffer{}}
}

// left is what an arrival leaves behind.
type left struct {
	Result  ingest.Result
	Record  lake.Record
	Visits  []string
	Objects []string // folders with the number of their objects, but for data files
}

// trial processes an upload with faults, then again without, and tells what is left. Names that differ from trial to
// trial are blanked.
func trial(t *testing.T, published *depot, path string, data []byte, before bool, plan func(faulty.Call) faulty.Fault) (left, int) {
	t.Helper()
	d := published.copy(t)
	if before {
		d.process(t, d.ingest(t, nil), d.upload(t, path, data))
	}
	a := d.upload(t, path, data)
	bad, driver := faulty.New(d.bucket, plan)
	bad.Retry.Tries = 1
	first := d.ingest(t, func(c *ingest.Config) { c.Bucket, c.Parallel = bad, 1 })
	_, err := first.Process(t.Context(), a, false)
	calls := len(driver.Calls())
	if plan == nil && err != nil {
		t.Fatal(err)
	}
	l := left{Result: d.process(t, d.ingest(t, nil), a), Record: d.pending(t, a).Record}
	l.Visits = d.values(t, l.Record, "lake.visits", "visit_id")
	count := map[string]int{}
	for o, err := range d.bucket.List(t.Context(), "") {
		if err != nil {
			t.Fatal(err)
		}
		folder, _, _ := strings.Cut(o.Key, "/")
		if folder != "tables" && folder != "schemas" {
			count[folder]++
		}
	}
	for _, folder := range []string{"landing", "loads", "arrivals", "pending", "attempts"} {
		l.Objects = append(l.Objects, fmt.Sprintf("%s %d", folder, count[folder]))
	}
	l.Result.Arrival, l.Record.Arrival, l.Record.ArrivedAt = "", "", a.At
	if l.Result.Status == lake.Quarantined {
		l.Result.Load, l.Record.Load = "", ""
	}
	l.Record.ArrivedAt = l.Record.ArrivedAt.UTC().Truncate(1 << 62)
	for i := range l.Record.Tables {
		for j := range l.Record.Tables[i].Files {
			f := &l.Record.Tables[i].Files[j]
			*f = lake.DataFile{Rows: f.Rows, Customer: f.Customer}
		}
	}
	return l, calls
}

// TestPendingKeepsTheFirstBase: an arrival that is processed again later says the same base, for else the log would not
// be searched where the arrival stands.
func TestPendingKeepsTheFirstBase(t *testing.T) {
	t.Parallel()
	d := open(t, "mem://")
	f := d.ingest(t, nil)
	maker, other := d.upload(t, "acme/visits/1.zip", locked(t)), d.upload(t, "acme/visits/2.zip", locked(t))
	d.process(t, f, maker)
	d.process(t, f, other)
	var before []lake.Pending
	for _, a := range []lake.Arrival{maker, other} {
		before = append(before, d.pending(t, a))
	}
	if err := d.bucket.Put(t.Context(), store.HintKey(), []byte(`{"format":1,"n":7}`)); err != nil {
		t.Fatal(err)
	}
	late := d.ingest(t, nil)
	for i, a := range []lake.Arrival{maker, other} {
		d.process(t, late, a)
		if diff := cmp.Diff(before[i], d.pending(t, a), cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("arrival %d: %s", i, diff)
		}
	}
}
