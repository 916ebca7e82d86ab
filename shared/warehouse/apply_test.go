package warehouse

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"github.com/apache/iceberg-go/table"
	"github.com/google/go-cmp/cmp"

	"medlake/shared/lake"
	"medlake/shared/store"
	"medlake/shared/store/faulty"
	"medlake/shared/warehouse/warehousetest"
)

// paths lists a plan's files.
func paths(p Plan) []string {
	var out []string
	for _, f := range p.Files {
		out = append(out, f.Path)
	}
	return out
}

// apply brings a table up to the log, entry n being log[n-1], in steps of up to most entries. Errors are unknown outcomes:
// it looks again, up to tries times.
func apply(ctx context.Context, w *Warehouse, name string, log []lake.DataFile, most, tries int) error {
	var last error
	for range tries {
		h, err := w.Batch(ctx, name)
		if err != nil {
			last = err
			continue
		}
		if h.Batch == int64(len(log)) {
			return nil
		}
		n := min(h.Batch+1+rand.Int64N(int64(most)), int64(len(log)))
		if err := w.Append(ctx, h, log[h.Batch:n], n); err != nil {
			last = err
		}
	}
	return fmt.Errorf("did not get there: %w", last)
}

func fakeLog(b *store.Bucket, s lake.Schema, n int) []lake.DataFile {
	var log []lake.DataFile
	for i := range n {
		log = append(log, fakeFile(b, s, fmt.Sprint("c", i%5), i))
	}
	return log
}

func wantAll(t *testing.T, w *Warehouse, s lake.Schema, log []lake.DataFile) {
	t.Helper()
	var want []string
	for _, f := range log {
		want = append(want, f.Path)
	}
	slices.Sort(want)
	p := plan(t.Context(), t, w, s.Table, "")
	if diff := cmp.Diff(want, paths(p)); diff != "" || p.Batch != int64(len(log)) {
		t.Errorf("batch %d of %d (-log +table):\n%s", p.Batch, len(log), diff)
	}
}

func TestRacingCommittersAppendOnce(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	w, b := lakeAt(t, dir)
	s := ensure(t, w, visits(t), 0)
	log := fakeLog(b, s, 200)
	var wg sync.WaitGroup
	for range 2 {
		w, _ := lakeAt(t, dir) // a process of its own
		wg.Go(func() {
			if err := apply(t.Context(), w, s.Table, log, 9, 1000); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	wantAll(t, w, s, log)
}

// deaf is a catalog whose commits get lost on the way there or on the way back.
type deaf struct {
	*opened
	fault func() faulty.Fault
}

func (d *deaf) CommitTable(ctx context.Context, ident table.Identifier, reqs []table.Requirement, ups []table.Update) (table.Metadata, string, error) {
	f := d.fault()
	if f == faulty.Before {
		return nil, "", faulty.ErrInjected
	}
	m, at, err := d.opened.CommitTable(ctx, ident, reqs, ups)
	if f == faulty.After {
		return nil, "", faulty.ErrInjected
	}
	return m, at, err
}

func TestLostRepliesOfTheCatalogAppendOnce(t *testing.T) {
	t.Parallel()
	w, b := lakeAt(t, t.TempDir())
	s := ensure(t, w, visits(t), 0)
	calls := 0
	w.cat.commits = &deaf{opened: w.cat, fault: func() faulty.Fault {
		calls++
		return []faulty.Fault{faulty.After, faulty.None, faulty.Before}[calls%3]
	}}
	clear(w.cat.heads)
	log := fakeLog(b, s, 30)
	if err := apply(t.Context(), w, s.Table, log, 3, 200); err != nil {
		t.Fatal(err)
	}
	wantAll(t, w, s, log)
}

// Every call to the bucket fails in turn, or does its work and loses its reply, or is the last of the process.
func TestFaultsOfTheBucketAppendOnce(t *testing.T) {
	t.Parallel()
	for _, f := range faulty.Faults() {
		t.Run(f.String(), func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			_, b := lakeAt(t, dir)
			for nth := 0; ; nth++ {
				bad, record := faulty.New(b, faulty.Nth(nth, f))
				w, err := Open(t.Context(), warehousetest.Catalog(t, dir), bad)
				if err != nil {
					t.Fatal(err)
				}
				want := visits(t)
				want.Table = fmt.Sprint("lake.t", nth)
				if s, err := w.Ensure(t.Context(), want, 0); err == nil {
					_ = apply(t.Context(), w, s.Table, fakeLog(b, s, 2), 1, 3) // as far as it gets
				}
				if err := w.Close(); err != nil {
					t.Fatal(err)
				}
				done := len(record.Calls()) <= nth
				sound, _ := lakeAt(t, dir) // the next process
				s := ensure(t, sound, want, 0)
				log := fakeLog(b, s, 2)
				if err := apply(t.Context(), sound, s.Table, log, 1, 3); err != nil {
					t.Fatalf("after call %d: %v", nth, err)
				}
				wantAll(t, sound, s, log)
				if done {
					return
				}
			}
		})
	}
}

func TestApplyNeedsFilesOfTheTableAndAHeadThatStands(t *testing.T) {
	t.Parallel()
	w, b := lakeAt(t, t.TempDir())
	s := ensure(t, w, visits(t), 4)
	old := head(t, w, s.Table)
	f := fakeFile(b, s, "acme", 1)
	for name, err := range map[string]error{
		"an older number":    w.Append(t.Context(), old, []lake.DataFile{f}, 3),
		"not live":           w.Apply(t.Context(), old, Change{Remove: []string{f.Path}, Batch: 5}),
		"no rows":            w.Append(t.Context(), old, []lake.DataFile{{Path: f.Path, Bytes: 1, Customer: "acme"}}, 5),
		"no customer":        w.Append(t.Context(), old, []lake.DataFile{{Path: f.Path, Bytes: 1, Rows: 1}}, 5),
		"not of this table":  w.Append(t.Context(), old, []lake.DataFile{{Path: b.URL("tables/lake/other/data/x"), Bytes: 1, Rows: 1, Customer: "acme"}}, 5),
		"not in this bucket": w.Append(t.Context(), old, []lake.DataFile{{Path: "s3://elsewhere/x", Bytes: 1, Rows: 1, Customer: "acme"}}, 5),
	} {
		if !errors.Is(err, lake.ErrInvalid) {
			t.Errorf("%s: got %v, want invalid", name, err)
		}
	}
	if err := w.Append(t.Context(), old, []lake.DataFile{f}, 5); err != nil {
		t.Fatal(err)
	}
	if err := w.Append(t.Context(), old, []lake.DataFile{fakeFile(b, s, "acme", 2)}, 6); err == nil {
		t.Error("an append from an old head took effect")
	}
	p := plan(t.Context(), t, w, s.Table, "")
	if len(p.Files) != 1 || p.Batch != 5 {
		t.Errorf("got %d files, batch %d; want 1, 5", len(p.Files), p.Batch)
	}
	tbl, err := w.load(t.Context(), s.Table)
	if err != nil {
		t.Fatal(err)
	}
	if got := tbl.CurrentSnapshot().Summary.Properties[propBatch]; got != "5" {
		t.Errorf("the snapshot's summary says %q, want 5", got)
	}
}

func TestAppendKeepsFewSnapshots(t *testing.T) {
	t.Parallel()
	b, err := store.Open(t.Context(), "mem://")
	if err != nil {
		t.Fatal(err)
	}
	w := openOn(t, t.TempDir(), b)
	s := ensure(t, w, visits(t), 0)
	log := fakeLog(b, s, keepSnapshots+expireAt+20)
	if err := apply(t.Context(), w, s.Table, log, 1, 2*len(log)); err != nil {
		t.Fatal(err)
	}
	wantAll(t, w, s, log)
	tbl, err := w.load(t.Context(), s.Table)
	if err != nil {
		t.Fatal(err)
	}
	if n := len(tbl.Metadata().Snapshots()); n > keepSnapshots+expireAt+len(keepWindows)+2 {
		t.Errorf("%d snapshots are kept", n)
	}
	if err := w.Expire(t.Context(), s.Table); err != nil {
		t.Fatal(err)
	}
	wantAll(t, w, s, log)
}

func TestMemoryBucket(t *testing.T) {
	t.Parallel()
	b, err := store.Open(t.Context(), "mem://")
	if err != nil {
		t.Fatal(err)
	}
	w := openOn(t, t.TempDir(), b)
	s := ensure(t, w, visits(t), 0)
	log := fakeLog(b, s, 5)
	if err := apply(t.Context(), w, s.Table, log, 2, 10); err != nil {
		t.Fatal(err)
	}
	wantAll(t, w, s, log)
}

// Ledgers are partitioned by month alone, and a small table may have no partitions at all.
func TestPartitionsAreTheTables(t *testing.T) {
	t.Parallel()
	w, b := lakeAt(t, t.TempDir())
	for name, by := range map[string][]string{"ops.loads": {byMonth}, "mart.whole": nil, "lake.customers": {byCustomer}} {
		want := visits(t)
		want.Table, want.Partition = name, by
		s := ensure(t, w, want, 0)
		if !slices.Equal(s.Partition, by) {
			t.Errorf("%s is partitioned by %v, want %v", name, s.Partition, by)
		}
		files := []lake.DataFile{newFile(t, b, s, "acme", "one", 2), newFile(t, b, s, "bolt", "two", 3)}
		if err := w.Append(t.Context(), head(t, w, name), files, 1); err != nil {
			t.Fatal(err)
		}
		p := plan(t.Context(), t, w, name, "bolt") // where the partition does not tell, the bounds do
		if len(p.Files) != 1 || p.Rows() != 3 || (p.Files[0].Customer == "bolt") != slices.Contains(by, byCustomer) {
			t.Errorf("%s: got %+v, want the file of bolt", name, p.Files)
		}
	}
}
