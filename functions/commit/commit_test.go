package commit_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/parquet-go/parquet-go"

	"medlake/functions/commit"
	"medlake/shared/datafile"
	"medlake/shared/lake"
	"medlake/shared/store"
	"medlake/shared/store/journal"
	"medlake/shared/transform/column"
	"medlake/shared/warehouse"
)

const table = "lake.words"

// depot is a lake without ingest: the test leaves the pending objects.
type depot struct {
	bucket    *store.Bucket
	warehouse *warehouse.Warehouse
	schema    lake.Schema
}

func wanted() lake.Schema {
	return lake.Schema{
		Format: lake.Format, Table: table, Partition: []string{"customer", "month(_arrived_at)"},
		Columns: append(lake.SystemColumns(), lake.Column{Name: "word", Type: lake.Type{Kind: lake.String}}),
	}
}

func open(t *testing.T) *depot {
	t.Helper()
	dir := t.TempDir()
	b, err := store.Open(t.Context(), store.FileURL(filepath.Join(dir, "bucket")))
	if err != nil {
		t.Fatal(err)
	}
	w, err := warehouse.Open(t.Context(), "sqlite://"+filepath.Join(dir, "catalog.db"), b)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	})
	d := &depot{bucket: b, warehouse: w}
	d.committer(t)
	if d.schema, err = warehouse.PublishedSchema(t.Context(), b, table); err != nil {
		t.Fatal(err)
	}
	return d
}

// committer is one with a journal of its own, as another process would have.
func (d *depot) committer(t *testing.T) *commit.Committer {
	t.Helper()
	c, err := commit.New(commit.Config{
		Bucket: d.bucket, Tables: commit.Warehouse(d.warehouse), Log: slog.New(slog.DiscardHandler), Tries: 20,
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Ensure(t.Context(), wanted()); err != nil {
		t.Fatal(err)
	}
	return c
}

func arrivalOf(n int) lake.Arrival {
	return lake.Arrival{
		Bucket: "b", Key: fmt.Sprintf("landing/acme/2026-11-24/%d.zip@x", n), Version: "v", Size: 10,
		At: time.Date(2026, 11, 24, 0, 0, n, 0, time.UTC),
	}
}

// loaded is the record of an arrival that brought one word, whose file is stored.
func (d *depot) loaded(t *testing.T, n int) lake.Record {
	t.Helper()
	a := arrivalOf(n)
	load := lake.Hash("load", a.ID())
	b := column.New(d.schema.Columns)
	for i, v := range []any{"acme", load, 0, 1, int(a.At.UnixMicro()), "hello"} {
		if s, ok := v.(string); ok {
			b.Columns[i].AppendText([]byte(s))
		} else {
			b.Columns[i].AppendInt(int64(v.(int)))
		}
	}
	b.EndRow()
	e, err := datafile.NewEncoder(d.schema)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	e.Begin(&out)
	if err := e.Append(b); err != nil {
		t.Fatal(err)
	}
	f, err := e.Finish()
	if err != nil {
		t.Fatal(err)
	}
	key := store.TablePrefix(table) + "data/" + load + ".parquet"
	if err := d.bucket.Put(t.Context(), key, out.Bytes()); err != nil {
		t.Fatal(err)
	}
	f.Path, f.Customer, f.Month = d.bucket.URL(key), "acme", datafile.Month(a.At)
	return lake.Record{
		Format: lake.Format, Load: load, Arrival: a.ID(), Customer: "acme", Feed: "words", Metadata: "v1", Status: lake.Loaded, ArrivedAt: a.At,
		Tables: []lake.TableFiles{
			{Table: table, Schema: 1, Read: 4, Committed: 1, Filtered: 1, Rejected: 2, Files: []lake.DataFile{f}},
			{Table: lake.OpsRejects, Read: 2, Committed: 2},
		},
	}
}

func (d *depot) pend(t *testing.T, a lake.Arrival, r lake.Record, base int64) {
	t.Helper()
	data, err := json.Marshal(lake.Pending{Format: lake.Format, Arrival: a, Base: base, Record: r})
	if err != nil {
		t.Fatal(err)
	}
	if err := d.bucket.Put(t.Context(), store.PendingKey(a.ID(), 0), data); err != nil {
		t.Fatal(err)
	}
}

func (d *depot) count(t *testing.T, prefix string) (n int) {
	t.Helper()
	for _, err := range d.bucket.List(t.Context(), prefix) {
		if err != nil {
			t.Fatal(err)
		}
		n++
	}
	return n
}

// rows reads columns of a table as text, "" for null.
func (d *depot) rows(t *testing.T, table string, columns ...string) [][]string {
	t.Helper()
	p, err := d.warehouse.Plan(t.Context(), table, "")
	if err != nil {
		t.Fatal(err)
	}
	var all [][]string
	for _, file := range p.Files {
		key, err := d.bucket.Key(file.Path)
		if err != nil {
			t.Fatal(err)
		}
		data, err := d.bucket.Get(t.Context(), key)
		if err != nil {
			t.Fatal(err)
		}
		f, err := parquet.OpenFile(bytes.NewReader(data), int64(len(data)))
		if err != nil {
			t.Fatal(err)
		}
		rows := make([]parquet.Row, f.NumRows())
		n, _ := f.RowGroups()[0].Rows().ReadRows(rows)
		for _, row := range rows[:n] {
			var texts []string
			for _, c := range columns {
				leaf, ok := f.Schema().Lookup(c)
				if !ok {
					t.Fatalf("no column %s", c)
				}
				v := row[leaf.ColumnIndex]
				if v.IsNull() {
					texts = append(texts, "")
				} else {
					texts = append(texts, v.String())
				}
			}
			all = append(all, texts)
		}
	}
	return all
}

func TestRoundTakesPendingIntoLogAndTables(t *testing.T) {
	t.Parallel()
	d := open(t)
	c := d.committer(t)
	r := d.loaded(t, 1)
	d.pend(t, arrivalOf(2), r, 0) // the same bytes: listed first, but the rows stand on the maker's receipt
	d.pend(t, arrivalOf(1), r, 0)
	d.pend(t, arrivalOf(3), lake.Record{
		Format: lake.Format, Load: "q", Arrival: arrivalOf(3).ID(), Customer: "acme", Status: lake.Quarantined,
		Reason: lake.Malformed, Where: lake.Where{Entry: 2, Line: 7}, Metadata: "v1",
	}, 0)
	round, err := c.Round(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(commit.Round{Entry: 1, Arrivals: 3, Tables: 3}, round); d != "" {
		t.Error(d)
	}
	if n := d.count(t, store.PendingPrefix); n != 0 {
		t.Errorf("%d left pending", n)
	}
	got := d.rows(t, lake.OpsLoads, "arrival", "status", "reason", "entry", "line", "feed", "read", "committed", "filtered", "rejected", "log")
	want := [][]string{
		{arrivalOf(2).ID(), "duplicate", "", "", "", "words", "0", "0", "0", "0", "1"},
		{arrivalOf(1).ID(), "loaded", "", "", "", "words", "4", "1", "1", "2", "1"},
		{arrivalOf(3).ID(), "quarantined", "malformed", "2", "7", "", "0", "0", "0", "0", "1"},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if got := d.rows(t, table, "word", lake.ColLoad); len(got) != 1 || got[0][1] != r.Load {
		t.Errorf("rows %v", got)
	}

	d.pend(t, arrivalOf(1), r, 0) // the reply to its first put was lost
	d.pend(t, arrivalOf(4), r, 1) // the same bytes once more
	if round, err = c.Round(t.Context()); err != nil || round.Arrivals != 1 {
		t.Errorf("round %+v, %v: want the new arrival alone", round, err)
	}
	if round, err = c.Round(t.Context()); err != nil || round != (commit.Round{Entry: 2}) {
		t.Errorf("idle round %+v, %v", round, err)
	}
	if got := d.rows(t, table, "word"); len(got) != 1 {
		t.Errorf("%d rows, want 1", len(got))
	}
	if got := d.rows(t, lake.OpsLoads, "arrival"); len(got) != 4 {
		t.Errorf("%d receipts, want 4", len(got))
	}
}

func TestManyCommittersAtOnce(t *testing.T) {
	t.Parallel()
	d := open(t)
	const arrivals = 60
	var group sync.WaitGroup
	stop := make(chan struct{})
	for range 3 {
		c := d.committer(t)
		group.Go(func() {
			for {
				if _, err := c.Round(t.Context()); err != nil {
					t.Log(err) // lost a race more often than it tries in a round
				}
				select {
				case <-stop:
					return
				default:
				}
			}
		})
	}
	for n := range arrivals {
		r := d.loaded(t, n)
		d.pend(t, arrivalOf(n), r, 0)
		if n%3 == 0 {
			d.pend(t, arrivalOf(1000+n), r, 0)
		}
	}
	close(stop)
	group.Wait()
	for d.count(t, store.PendingPrefix) > 0 {
		if _, err := d.committer(t).Round(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := d.committer(t).Round(t.Context()); err != nil { // whoever came last may have lost a table
		t.Fatal(err)
	}
	seen := map[string]int{}
	for _, row := range d.rows(t, lake.OpsLoads, "arrival") {
		seen[row[0]]++
	}
	if want := arrivals + arrivals/3; len(seen) != want {
		t.Errorf("%d arrivals, want %d", len(seen), want)
	}
	for id, n := range seen {
		if n != 1 {
			t.Errorf("arrival %s has %d rows", id, n)
		}
	}
	if got := d.rows(t, table, "word"); len(got) != arrivals {
		t.Errorf("%d rows, want %d", len(got), arrivals)
	}
}

// TestEntryIsBounded: a backlog becomes several entries of a thousand arrivals, in one round and one commit.
func TestEntryIsBounded(t *testing.T) {
	t.Parallel()
	d := open(t)
	for n := range 1100 {
		a := arrivalOf(n)
		d.pend(t, a, lake.Record{Format: lake.Format, Load: a.ID(), Arrival: a.ID(), Status: lake.Quarantined, Reason: lake.Corrupt}, 0)
	}
	r, err := d.committer(t).Round(t.Context())
	if err != nil || r.Arrivals != 1100 || r.Entry != 2 {
		t.Errorf("round %+v, %v", r, err)
	}
	e, err := journal.New(d.bucket).Entry(t.Context(), 1)
	if err != nil || len(e.Receipts) != 1000 {
		t.Errorf("first entry: %v, error %v", len(e.Receipts), err)
	}
	p, err := d.warehouse.Plan(t.Context(), lake.OpsLoads, "")
	if err != nil || len(p.Files) != 1 || p.Rows() != 1100 {
		t.Errorf("%d files, %d rows, %v; want one commit", len(p.Files), p.Rows(), err)
	}
}

func TestUnreadablePendingHoldsUpNobody(t *testing.T) {
	t.Parallel()
	d := open(t)
	for _, key := range []string{"pending/torn.0", store.PendingKey(arrivalOf(5).ID(), 0)} {
		if err := d.bucket.Put(t.Context(), key, []byte("{")); err != nil {
			t.Fatal(err)
		}
	}
	d.pend(t, arrivalOf(1), d.loaded(t, 1), 0)
	r, err := d.committer(t).Round(t.Context())
	if err != nil || r.Arrivals != 1 {
		t.Errorf("round %+v, %v", r, err)
	}
}

// TestRunCommitsALoneArrivalAtOnce wakes a committer that would look by itself only after an hour.
func TestRunCommitsALoneArrivalAtOnce(t *testing.T) {
	t.Parallel()
	d := open(t)
	rounds := make(chan commit.Round, 10)
	c, err := commit.New(commit.Config{
		Bucket: d.bucket, Tables: commit.Warehouse(d.warehouse), Log: slog.New(slog.DiscardHandler), Tick: time.Hour,
		Done: func(_ context.Context, r commit.Round) { rounds <- r },
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Ensure(t.Context(), wanted()); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); c.Run(ctx) }()
	d.pend(t, arrivalOf(1), d.loaded(t, 1), 0)
	c.Wake()
	if r := <-rounds; r.Arrivals != 1 || r.Tables == 0 {
		t.Errorf("round %+v", r)
	}
	stop()
	<-ended
}
