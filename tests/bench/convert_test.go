package bench

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"os"
	"runtime"
	"syscall"
	"testing"
	"time"

	"medlake/functions/ingest"
	"medlake/shared/archive/lock"
	"medlake/shared/datafile"
	"medlake/shared/metadata"
	"medlake/shared/transform"
	"medlake/shared/transform/column"
)

const password = "S3cret-Pa55"

// workloads of the benchmarks: W1 195 XML documents, W2 a CSV of 7,200 rows, W3 3,000 pipe-delimited rows, W4 a CSV of
// 290,000 rows, which is a zip of about 40 MB.
var workloads = []struct {
	name, path string
	records    int
	files      func() []lock.File
}{
	{"W1", "acme/xml/w1.zip", 195, func() []lock.File { return xmlFiles(1, 195) }},
	{"W2", "acme/csv/w2.zip", 7200, func() []lock.File { return []lock.File{csvFile(2, 7200)} }},
	{"W3", "acme/pipe/w3.zip", 3000, func() []lock.File { return []lock.File{pipeFile(3, 3000)} }},
	{"W4", "acme/csv/w4.zip", 290_000, func() []lock.File { return []lock.File{csvFile(4, 290_000)} }},
}

// BenchmarkConvert turns zip bytes into Parquet bytes on one core, by turns with the naive reference. Times are CPU time
// of the process, garbage collection included.
func BenchmarkConvert(b *testing.B) {
	set, engine := load(b)
	for _, w := range workloads {
		files := w.files()
		naive := newNaive(set.Table("encounters"), set.Feed(map[string]string{"W1": "encounters_xml"}[w.name]))
		for _, c := range []struct {
			name   string
			cipher lock.Cipher
		}{{"plain", lock.None}, {"zipcrypto", lock.ZipCrypto}, {"aes256", lock.AES256}} {
			zip := pack(b, files, c.cipher)
			plain := pack(b, files, lock.None)
			b.Run(w.name+"/"+c.name, func(b *testing.B) {
				defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
				ours := newConverter(b, engine, w.path)
				rounds := max(1, 20_000/w.records) // so that one turn is long enough to measure
				b.SetBytes(int64(len(zip) * rounds))
				var mine, theirs time.Duration
				var allocs uint64
				for b.Loop() {
					d, a := cost(rounds, func() { ours.convert(b, zip, w.records) })
					mine, allocs = mine+d, allocs+a
					if c.cipher == lock.None { // the reference cannot open locked zips
						d, _ := cost(1, func() {
							if _, err := naive.convert(plain); err != nil {
								b.Fatal(err)
							}
						})
						theirs += d
					}
				}
				records := float64(b.N * rounds * w.records)
				b.ReportMetric(float64(mine.Microseconds())/records, "µs-cpu/record")
				b.ReportMetric(float64(allocs)/records, "allocs/record")
				b.ReportMetric(0, "ns/op")
				if theirs > 0 {
					b.ReportMetric(float64(theirs.Microseconds())/float64(b.N*w.records), "naive-µs-cpu/record")
					b.ReportMetric(float64(theirs)*float64(rounds)/float64(mine), "times-faster")
				}
			})
		}
	}
}

// cost is the CPU time and the allocations of n calls of f, with the garbage they leave.
func cost(n int, f func()) (time.Duration, uint64) {
	runtime.GC()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	start := cpu()
	for range n {
		f()
	}
	runtime.GC()
	d := cpu() - start
	runtime.ReadMemStats(&after)
	return d, after.Mallocs - before.Mallocs
}

// cpu is the CPU time of this process so far.
func cpu() time.Duration {
	var u syscall.Rusage
	must(syscall.Getrusage(syscall.RUSAGE_SELF, &u))
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func load(tb testing.TB) (*metadata.Set, ingest.Engine) {
	tb.Helper()
	set, faults := metadata.Load(os.DirFS("testdata/metadata"))
	if len(faults) > 0 {
		tb.Fatal(faults)
	}
	library, faults := transform.Compile(set)
	if len(faults) > 0 {
		tb.Fatal(faults)
	}
	return set, ingest.Metadata(library)
}

func pack(tb testing.TB, files []lock.File, c lock.Cipher) []byte {
	tb.Helper()
	zip, err := lock.Zip(files, lock.Options{Cipher: c, Password: password, Random: rand.Reader, Modified: time.Unix(1772697600, 0)})
	if err != nil {
		tb.Fatal(err)
	}
	return zip
}

// converter is what ingest does between reading an upload and storing its data files.
type converter struct {
	plan    ingest.Plan
	encoder *datafile.Encoder
	out     bytes.Buffer
}

func newConverter(tb testing.TB, engine ingest.Engine, path string) *converter {
	tb.Helper()
	plan, err := engine.Match(path)
	if err != nil {
		tb.Fatal(err)
	}
	schema := plan.Tables()[0].Schema
	for i := range schema.Columns {
		schema.Columns[i].ID = i + 1
	}
	encoder, err := datafile.NewEncoder(schema)
	if err != nil {
		tb.Fatal(err)
	}
	return &converter{plan: plan, encoder: encoder}
}

func (c *converter) convert(tb testing.TB, zip []byte, records int) {
	content, err := c.plan.Open(zip, []string{password})
	if err != nil {
		tb.Fatal(err)
	}
	c.out.Reset()
	c.encoder.Begin(&c.out)
	out, err := content.Run(ingest.Origin{
		Load: "abcdefghijklmnopqrstuvwxyz", ArrivedAt: time.Unix(1772697600, 0),
		Flush: func(table int, b *column.Batch) error {
			if table > 0 {
				return fmt.Errorf("%d rows for table %d", b.Rows, table)
			}
			return c.encoder.Append(b)
		},
	})
	if err != nil {
		tb.Fatal(err)
	}
	file, err := c.encoder.Finish()
	if err != nil {
		tb.Fatal(err)
	}
	if err := content.Close(); err != nil {
		tb.Fatal(err)
	}
	if file.Rows != int64(records) || out.Tables[0].Committed != file.Rows {
		tb.Fatalf("%d rows, want %d", file.Rows, records)
	}
}

// TestReferenceAgrees checks that both pipelines make the same number of rows of every workload.
func TestReferenceAgrees(t *testing.T) {
	t.Parallel()
	set, engine := load(t)
	for _, w := range workloads[:3] {
		zip := pack(t, w.files(), lock.None)
		newConverter(t, engine, w.path).convert(t, zip, w.records)
		naive := newNaive(set.Table("encounters"), set.Feed(map[string]string{"W1": "encounters_xml"}[w.name]))
		if _, err := naive.convert(zip); err != nil {
			t.Errorf("%s: %v", w.name, err)
		}
	}
}
