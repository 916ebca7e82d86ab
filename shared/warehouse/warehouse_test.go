package warehouse

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"medlake/shared/datafile"
	"medlake/shared/datafile/datafiletest"
	"medlake/shared/lake"
	"medlake/shared/store"
	"medlake/shared/transform/column"
	"medlake/shared/warehouse/warehousetest"
)

// lakeAt opens the bucket and the catalog in a folder, as a process would.
func lakeAt(t *testing.T, dir string) (*Warehouse, *store.Bucket) {
	t.Helper()
	b, err := store.Open(t.Context(), warehousetest.Bucket(t, dir))
	if err != nil {
		t.Fatal(err)
	}
	return openOn(t, dir, b), b
}

// openOn opens the folder's catalog on a given bucket.
func openOn(t *testing.T, dir string, b *store.Bucket) *Warehouse {
	t.Helper()
	at := warehousetest.Catalog(t, dir)
	if strings.HasPrefix(b.URL(""), "mem:") { // no server can write there
		at = "sqlite://" + filepath.Join(dir, "catalog.db")
	}
	w, err := Open(t.Context(), at, b)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	})
	return w
}

func typ(t *testing.T, s string) lake.Type {
	t.Helper()
	typ, err := lake.ParseType(s)
	if err != nil {
		t.Fatal(err)
	}
	return typ
}

// visits is a wanted table.
func visits(t *testing.T) lake.Schema {
	return lake.Schema{
		Format: lake.Format, Table: "lake.visits", Partition: []string{byCustomer, byMonth}, Sort: []string{"visit_id"}, Doc: "Visits.",
		Columns: append(lake.SystemColumns(),
			lake.Column{Name: "visit_id", Type: typ(t, "string"), Required: true, Bounds: true},
			lake.Column{Name: "mrn", Type: typ(t, "string")},
			lake.Column{Name: "charge", Type: typ(t, "decimal(9,2)"), Bounds: true},
		),
	}
}

// newFile writes a real data file of a table and describes it.
func newFile(t *testing.T, b *store.Bucket, s lake.Schema, customer, name string, rows int) lake.DataFile {
	t.Helper()
	at := time.Date(2026, 11, 24, 10, 0, 0, 0, time.UTC)
	batch := column.New(s.Columns)
	batch.Rows = rows
	for row := range rows {
		for i := range batch.Columns {
			c := &batch.Columns[i]
			switch c.Name {
			case lake.ColCustomer:
				c.AppendText([]byte(customer))
			case lake.ColLoad:
				c.AppendText([]byte(name))
			case lake.ColArrivedAt:
				c.AppendInt(at.UnixMicro())
			case "mrn":
				c.AppendNull()
			case "visit_id":
				c.AppendText(fmt.Append(nil, "V", row))
			default:
				if c.Type.Kind == lake.String {
					c.AppendText([]byte("x"))
				} else {
					c.AppendInt(int64(row))
				}
			}
		}
	}
	f, data := datafiletest.Encode(t, s, batch)
	key := fmt.Sprintf("%sdata/customer=%s/%s.parquet", store.TablePrefix(s.Table), customer, name)
	if err := b.PutIfAbsent(t.Context(), key, data); err != nil {
		t.Fatal(err)
	}
	f.Path, f.Customer, f.Month = b.URL(key), customer, datafile.Month(at)
	return f
}

// fakeFile describes a data file that nobody wrote: a commit does not open it.
func fakeFile(b *store.Bucket, s lake.Schema, customer string, n int) lake.DataFile {
	return lake.DataFile{
		Path: b.URL(fmt.Sprintf("%sdata/customer=%s/f%06d.parquet", store.TablePrefix(s.Table), customer, n)),
		Rows: 10, Bytes: 1000, Customer: customer, Month: 682,
	}
}

// Append is the change that most tests make.
func (w *Warehouse) Append(ctx context.Context, h Head, files []lake.DataFile, n int64) error {
	return w.Apply(ctx, h, Change{Add: files, Batch: n})
}

func ensure(t *testing.T, w *Warehouse, s lake.Schema, tail int64) lake.Schema {
	t.Helper()
	got, err := w.Ensure(t.Context(), s, tail)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func head(t *testing.T, w *Warehouse, name string) Head {
	t.Helper()
	h, err := w.Batch(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func plan(ctx context.Context, t *testing.T, w *Warehouse, name, customer string) Plan {
	t.Helper()
	p, err := w.Plan(ctx, name, customer)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestAppendedFilesAreInThePlan(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "a folder") // engines' URLs escape what ours do not
	w, b := lakeAt(t, dir)
	s := ensure(t, w, visits(t), 7)
	files := []lake.DataFile{newFile(t, b, s, "acme", "one", 3), newFile(t, b, s, "bolt", "two", 5)}
	if err := w.Append(t.Context(), head(t, w, s.Table), files, 9); err != nil {
		t.Fatal(err)
	}
	p := plan(t.Context(), t, w, s.Table, "")
	if len(p.Files) != 2 || p.Rows() != 8 || p.Batch != 9 || p.Snapshot == 0 {
		t.Errorf("got %d files, %d rows, batch %d, snapshot %d; want 2, 8, 9 and a snapshot", len(p.Files), p.Rows(), p.Batch, p.Snapshot)
	}
	p = plan(t.Context(), t, w, s.Table, "bolt")
	if len(p.Files) != 1 || p.Files[0].Path != files[1].Path || p.Files[0].Customer != "bolt" {
		t.Errorf("got %+v, want the one file of bolt", p.Files)
	}
	if p := plan(t.Context(), t, w, s.Table, "nobody"); len(p.Files) != 0 {
		t.Errorf("got %d files for a customer without any", len(p.Files))
	}
}

func TestMetadataIsPrivate(t *testing.T) {
	t.Parallel()
	if warehousetest.Remote() {
		t.Skip("it is about files")
	}
	dir := t.TempDir()
	w, b := lakeAt(t, dir)
	s := ensure(t, w, visits(t), 0)
	if err := w.Append(t.Context(), head(t, w, s.Table), []lake.DataFile{fakeFile(b, s, "acme", 1)}, 1); err != nil {
		t.Fatal(err)
	}
	err := filepath.Walk(dir, func(path string, info os.FileInfo, err error) error {
		if err == nil && info.Mode().IsRegular() && info.Mode().Perm()&0o077 != 0 && !strings.Contains(path, "-shm") {
			t.Errorf("%s has mode %v", path, info.Mode())
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// BenchmarkAppend is one commit of n files, durable, with the reading of the head.
func BenchmarkAppend(b *testing.B) {
	for _, n := range []int{1, 100} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			dir := b.TempDir()
			bucket, err := store.Open(b.Context(), store.FileURL(dir))
			if err != nil {
				b.Fatal(err)
			}
			w, err := Open(b.Context(), "sqlite://"+filepath.Join(dir, "catalog.db"), bucket)
			if err != nil {
				b.Fatal(err)
			}
			want := lake.Schema{Table: "lake.t", Partition: []string{byCustomer, byMonth}, Columns: lake.SystemColumns()}
			for i := range 40 {
				want.Columns = append(want.Columns, lake.Column{Name: fmt.Sprint("c", i), Type: lake.Type{Kind: lake.String}})
			}
			s, err := w.Ensure(b.Context(), want, 0)
			if err != nil {
				b.Fatal(err)
			}
			i, busy := 0, cpu(b)
			for b.Loop() {
				h, err := w.Batch(b.Context(), s.Table)
				if err != nil {
					b.Fatal(err)
				}
				var files []lake.DataFile
				for range n {
					i++
					files = append(files, fakeFile(bucket, s, fmt.Sprint("c", i%100), i))
				}
				if err := w.Append(b.Context(), h, files, h.Batch+1); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Microseconds())/1000/float64(b.N), "ms/commit")
			b.ReportMetric(float64((cpu(b)-busy).Microseconds())/1000/float64(b.N), "cpu-ms/commit")
			if err := w.Close(); err != nil {
				b.Fatal(err)
			}
		})
	}
}

// cpu is the processor time this process has used.
func cpu(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
