package ingest_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"testing"
	"time"

	"medlake/functions/ingest"
	"medlake/shared/archive/lock"
	"medlake/shared/store"
)

// BenchmarkArrival processes small locked zips, durably, as many at once as a node does. Most of it is waiting for the
// disk; allocations are those of a whole arrival.
func BenchmarkArrival(b *testing.B) {
	for _, where := range []string{"mem", "file"} {
		b.Run(where, func(b *testing.B) {
			url := "mem://"
			if where == "file" {
				url = store.FileURL(b.TempDir())
			}
			d := open(b, url)
			f, err := ingest.New(ingest.Config{
				Bucket: d.bucket, Engine: ingest.Metadata(d.library), Secrets: secrets{"zip/acme": {"open sesame"}},
				Log: slog.New(slog.NewJSONHandler(io.Discard, nil)),
			})
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			b.SetParallelism(4)
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					a := d.upload(b, "acme/visits/1.zip", packed(b))
					if _, err := f.Process(context.Background(), a, false); err != nil {
						b.Error(err)
						return
					}
				}
			})
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "zips/s")
		})
	}
}

// packed is a locked zip of 200 rows that no other zip has.
func packed(tb testing.TB) []byte {
	tb.Helper()
	id := strings.ToLower(rand.Text())
	var csv bytes.Buffer
	csv.WriteString("visit_id,event,beds\n")
	for n := range 200 {
		fmt.Fprintf(&csv, "%s-%d,A01,%d\n", id, n, n%90)
	}
	z, err := lock.Zip([]lock.File{{Name: "visits.csv", Data: csv.Bytes()}},
		lock.Options{Cipher: lock.ZipCrypto, Password: "open sesame", Random: rand.Reader, Modified: time.Unix(0, 0)})
	if err != nil {
		tb.Fatal(err)
	}
	return z
}
