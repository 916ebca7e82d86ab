package duckdb

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"medlake/shared/datafile"
	"medlake/shared/datafile/datafiletest"
	"medlake/shared/lake"
	"medlake/shared/query"
	"medlake/shared/store"
	"medlake/shared/transform/column"
	"medlake/shared/warehouse"
)

// plans answers for a warehouse.
type plans struct{ *warehouse.Warehouse }

func (p plans) Table(ctx context.Context, name, customer string) (query.Table, error) {
	plan, err := p.Plan(ctx, name, customer)
	if err != nil {
		return query.Table{}, err
	}
	t := query.Table{Schema: plan.Schema, Deletes: plan.Deletes, Snapshot: plan.Snapshot, Batch: plan.Batch}
	for _, f := range plan.Files {
		t.Files = append(t.Files, query.File{URL: f.Path, Customer: f.Customer, Rows: f.Rows})
	}
	return t, nil
}

// TestReadsWhatTheWarehouseHolds goes from data files through real Iceberg commits to answers, in a folder with a name
// that needs care in URLs, globs and SQL.
func TestReadsWhatTheWarehouseHolds(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "a lake's [é] *")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	b, err := store.Open(t.Context(), store.FileURL(filepath.Join(dir, "lake")))
	if err != nil {
		t.Fatal(err)
	}
	w, err := warehouse.Open(t.Context(), "sqlite://"+filepath.Join(t.TempDir(), "catalog.db"), b)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.Close() })
	want := lake.Schema{
		Format: lake.Format, Table: "lake.charges", Partition: []string{lake.ColCustomer, "month(_arrived_at)"},
		Columns: append(lake.SystemColumns(), lake.Column{Name: "amount", Type: lake.Type{Kind: lake.Decimal, Precision: 9, Scale: 2}, Bounds: true}),
	}
	old, err := w.Ensure(t.Context(), want, 0)
	if err != nil {
		t.Fatal(err)
	}
	want.Columns = append(want.Columns, lake.Column{Name: "code", Type: lake.Type{Kind: lake.String}})
	now, err := w.Ensure(t.Context(), want, 0)
	if err != nil {
		t.Fatal(err)
	}
	add := func(n int64, files ...lake.DataFile) {
		t.Helper()
		h, err := w.Batch(t.Context(), "lake.charges")
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Apply(t.Context(), h, warehouse.Change{Add: files, Batch: n}); err != nil {
			t.Fatal(err)
		}
	}
	add(1, dataFile(t, b, old, "acme", "L1", "1.50"), dataFile(t, b, old, "beta", "L2", "100.00"))
	add(4, dataFile(t, b, now, "acme", "L3", "2.25"))
	r := &query.Reader{Source: plans{w}, Engine: Engine{}, Sandbox: &query.Child{Command: []string{os.Args[0], childCommand}}}
	for _, c := range []struct{ customer, want string }{
		{"", "acme,2,3.75,new\nbeta,1,100.00,\n"},
		{"acme", "acme,2,3.75,new\n"},
		{"beta", "beta,1,100.00,\n"},
		{"gamma", ""},
	} {
		res, err := r.Query(t.Context(), query.Request{Customer: c.customer, SQL: "select customer, count(*) n, sum(amount) amount, max(code) code from charges group by 1 order by 1"})
		if err != nil {
			t.Fatalf("%q: %v", c.customer, err)
		}
		var out bytes.Buffer
		if _, err := query.Write(&out, res, query.AsCSV); err != nil {
			t.Fatal(err)
		}
		if len(res.Reads) != 1 || res.Reads[0].Batch != 4 {
			t.Errorf("reads: got %+v, want the table as of entry 4", res.Reads)
		}
		if err := res.Close(); err != nil {
			t.Error(err)
		}
		if got := strings.TrimPrefix(out.String(), "customer,n,amount,code\n"); got != c.want {
			t.Errorf("%q: got %q, want %q", c.customer, got, c.want)
		}
	}
}

// dataFile stores a data file with one row, as ingest does.
func dataFile(t *testing.T, b *store.Bucket, s lake.Schema, customer, load, amount string) lake.DataFile {
	t.Helper()
	at := time.Date(2026, 3, 5, 12, 0, 0, 0, time.UTC)
	row := map[string]string{
		lake.ColCustomer: customer, lake.ColLoad: load, lake.ColEntry: "0", lake.ColRow: "1",
		lake.ColArrivedAt: at.Format(time.RFC3339), "amount": amount, "code": "new",
	}
	batch := column.New(s.Columns)
	for i := range batch.Columns {
		if c := &batch.Columns[i]; !c.Append([]byte(row[c.Name])) {
			t.Fatalf("column %s does not take %q", c.Name, row[c.Name])
		}
	}
	batch.EndRow()
	f, data := datafiletest.Encode(t, s, batch)
	key := store.TablePrefix(s.Table) + "data/customer=" + customer + "/" + load + ".parquet"
	if err := b.Put(t.Context(), key, data); err != nil {
		t.Fatal(err)
	}
	f.Path, f.Customer, f.Month = b.URL(key), customer, datafile.Month(at)
	return f
}
