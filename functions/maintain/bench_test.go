package maintain_test

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"medlake/functions/maintain"
	"medlake/shared/datafile"
	"medlake/shared/lake"
	"medlake/shared/store"
	"medlake/shared/store/journal"
	"medlake/shared/transform/column"
	"medlake/shared/warehouse"
)

// BenchmarkCompaction compacts 5,000 files of 200 rows and 22 columns. A scan plans, and reads two columns of all rows; it
// is the best of three. The peak is that of the process from just before the compaction until its end.
func BenchmarkCompaction(b *testing.B) {
	const files, rows = 5000, 200
	wide := noteSchema()
	for i := range 12 {
		wide.Columns = append(wide.Columns, lake.Column{Name: fmt.Sprint("c", i), Type: lake.Type{Kind: []lake.Kind{lake.String, lake.Long, lake.Timestamp}[i%3]}, Bounds: i%2 == 0})
	}
	var before, work, after time.Duration
	var peak int64
	for b.Loop() {
		b.StopTimer()
		dir := b.TempDir()
		bucket, err := store.Open(b.Context(), store.FileURL(filepath.Join(dir, "bucket")))
		if err != nil {
			b.Fatal(err)
		}
		d := &depot{catalog: "sqlite://" + filepath.Join(dir, "catalog.db"), bucket: bucket, journal: journal.New(bucket)}
		d.warehouse = d.open(b, bucket)
		if _, err := d.warehouse.Ensure(b.Context(), wide, 0); err != nil {
			b.Fatal(err)
		}
		d.fill(b, filepath.Join(dir, "bucket"), files, rows)
		m := d.maintainer(b, func(c *maintain.Config) { c.Target, c.Parallel = 0, 0 })
		before += d.scans(b)
		forgetPeak(b)
		b.StartTimer()
		work += used(func() {
			if done := d.round(b, m, maintain.Order{Tables: []string{notes}})[notes]; done.Compacted != 1 {
				b.Fatalf("%d groups were compacted", done.Compacted)
			}
		})
		b.StopTimer()
		peak = max(peak, peakBytes(b))
		after += d.scans(b)
		b.StartTimer()
	}
	n := float64(b.N)
	b.ReportMetric(work.Seconds()/n, "CPU-s/op")
	b.ReportMetric(float64(peak)/(1<<20), "peak-MB")
	b.ReportMetric(before.Seconds()/n, "scan-before-CPU-s")
	b.ReportMetric(after.Seconds()/n, "scan-after-CPU-s")
	b.ReportMetric(before.Seconds()/after.Seconds(), "times-cheaper")
}

// forgetPeak makes the system forget how much memory the process ever had.
func forgetPeak(b *testing.B) {
	b.Helper()
	debug.FreeOSMemory()
	if err := os.WriteFile("/proc/self/clear_refs", []byte("5"), 0o200); err != nil {
		b.Skip(err)
	}
}

// peakBytes is how much memory the process had at most since.
func peakBytes(b *testing.B) int64 {
	b.Helper()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		b.Skip(err)
	}
	_, rest, _ := strings.Cut(string(status), "VmHWM:")
	var kb int64
	if _, err := fmt.Sscanf(rest, "%d kB", &kb); err != nil {
		b.Fatal(err)
	}
	return kb << 10
}

// used is the processor time that f takes.
func used(f func()) time.Duration {
	now := func() time.Duration {
		var u syscall.Rusage
		if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
			return 0
		}
		return time.Duration(u.Utime.Nano() + u.Stime.Nano())
	}
	start := now()
	f()
	return now() - start
}

// fill adds files to notes.
func (d *depot) fill(b *testing.B, dir string, files, rows int) {
	b.Helper()
	s, err := warehouse.PublishedSchema(b.Context(), d.bucket, notes)
	if err != nil {
		b.Fatal(err)
	}
	e, err := datafile.NewEncoder(s)
	if err != nil {
		b.Fatal(err)
	}
	var add []lake.DataFile
	rowsOf := column.New(s.Columns)
	var text []byte
	for i := range files {
		load, at := lake.Hash("load", fmt.Sprint(i)), start.Add(time.Duration(i)*time.Second)
		rowsOf.Reset()
		for j := range rows {
			for k := range rowsOf.Columns {
				switch c := &rowsOf.Columns[k]; {
				case c.Name == lake.ColCustomer:
					c.AppendString("acme")
				case c.Name == lake.ColLoad:
					c.AppendString(load)
				case c.Name == lake.ColArrivedAt:
					c.AppendInt(at.UnixMicro())
				case c.Name == lake.ColExtra, (i+j+k)%9 == 0 && !s.Columns[k].Required:
					c.AppendNull()
				case c.Type.Kind == lake.String:
					text = strconv.AppendInt(append(text[:0], "value "...), int64(i*j*7+k)%5000, 10)
					c.AppendText(text)
				case c.Type.Kind == lake.Double:
					c.AppendFloat(float64(j) / 8)
				case c.Type.Kind == lake.Boolean:
					c.AppendBool(j%2 == 0)
				default:
					c.AppendInt(int64(i*31 + j*17 + k))
				}
			}
			rowsOf.EndRow()
		}
		var out spool
		e.Begin(&out)
		if err := e.Append(rowsOf); err != nil {
			b.Fatal(err)
		}
		f, err := e.Finish()
		if err != nil {
			b.Fatal(err)
		}
		key := fmt.Sprintf("%sdata/customer=acme/month=2026-11/%s-A-0.parquet", store.TablePrefix(notes), load)
		path := filepath.Join(dir, key) // as a file bucket has it, but not flushed
		err = os.MkdirAll(filepath.Dir(path), 0o700)
		if err == nil {
			err = os.WriteFile(path, out.data, 0o600)
		}
		if err != nil {
			b.Fatal(err)
		}
		f.Path, f.Customer, f.Month = d.bucket.URL(key), "acme", datafile.Month(at)
		add = append(add, f)
	}
	d.apply(b, notes, warehouse.Change{Add: add, Batch: 1})
}

type spool struct{ data []byte }

func (s *spool) Write(b []byte) (int, error) { s.data = append(s.data, b...); return len(b), nil }

// scans is the processor time of a scan, the best of three.
func (d *depot) scans(b *testing.B) time.Duration {
	b.Helper()
	least := used(func() { d.scan(b) })
	for range 2 {
		least = min(least, used(func() { d.scan(b) }))
	}
	return least
}

// scan reads two columns of all rows of notes.
func (d *depot) scan(b *testing.B) {
	b.Helper()
	s, err := warehouse.PublishedSchema(b.Context(), d.bucket, notes)
	if err != nil {
		b.Fatal(err)
	}
	batch := column.New(s.Columns)
	for _, f := range d.live(b, notes) {
		key, err := d.bucket.Key(f.Path)
		if err != nil {
			b.Fatal(err)
		}
		r, err := datafile.OpenReader(d.bucket.ReaderAt(b.Context(), key, f.Bytes), f.Bytes, s)
		if err != nil {
			b.Fatal(err)
		}
		for g := range r.Groups() {
			batch.Reset()
			if err := r.Read(g, []string{"at", "cost"}, batch); err != nil {
				b.Fatal(err)
			}
		}
	}
}
