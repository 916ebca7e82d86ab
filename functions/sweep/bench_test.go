package sweep_test

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"testing"
	"time"

	"github.com/cloudevents/sdk-go/v2/event"
	"golang.org/x/sys/unix"

	"medlake/functions/sweep"
	"medlake/shared/lake"
	"medlake/shared/store"
	"medlake/shared/store/journal"
)

var oldLoads = flag.Int64("loads", 100_000, "how many loads the log of BenchmarkOldLog holds")

// BenchmarkOldLog is a log of many loads, one an entry as on a quiet day, each with files of two tables of 25 columns:
// how large it is, with the records, before and after its old entries are folded, how much processor time that takes, and
// how much a new process needs to read it, to sweep its uploads, and to sweep them once the index of uploads is there.
func BenchmarkOldLog(b *testing.B) {
	loads := *oldLoads
	for b.Loop() {
		bucket, _ := openOrdered()
		for n := int64(1); n <= loads; n++ {
			key := fmt.Sprintf("landing/acme/2026-11-%02d/%d.zip@x", 1+n*20/(loads+1), n)
			put(b, bucket, key, nil)
			o, err := bucket.Head(b.Context(), key)
			if err != nil {
				b.Fatal(err)
			}
			e := entryOf(n, bucket.Arrival(o))
			data, err := json.Marshal(e)
			if err != nil {
				b.Fatal(err)
			}
			put(b, bucket, store.LogKey(n), data)
			data, err = json.Marshal(lake.Record{
				Format: lake.Format, Load: e.Loads[0].Load, Arrival: e.Receipts[0].ID, Customer: "acme", Feed: "visits", Status: lake.Loaded,
				Metadata: e.Receipts[0].Metadata, Base: n - 1, ArrivedAt: e.Receipts[0].Arrival.At, Entries: 2, Tables: e.Loads[0].Tables,
			})
			if err != nil {
				b.Fatal(err)
			}
			put(b, bucket, store.LoadKey(e.Loads[0].Load), data)
		}
		if err := journal.New(bucket).Hint(b.Context(), loads); err != nil {
			b.Fatal(err)
		}
		report(b, bucket, "before")
		spent := processor(b)
		to, more := int64(0), true
		for folder := journal.New(bucket); more; {
			n, err := folder.Fold(b.Context(), loads)
			if err != nil {
				b.Fatal(err)
			}
			to, more = n, n > to
		}
		b.ReportMetric(processor(b)-spent, "fold-cpu-s")
		b.ReportMetric(float64(to), "folded")
		report(b, bucket, "after")

		spent = processor(b)
		j := journal.New(bucket)
		for n := int64(1); n <= loads; n++ {
			if _, err := j.Entry(b.Context(), n); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(processor(b)-spent, "read-cpu-s")

		for _, when := range []string{"first-sweep", "next-sweep"} {
			spent = processor(b)
			s, err := sweep.New(sweep.Config{
				Bucket: bucket, Log: slog.New(slog.NewTextHandler(io.Discard, nil)), Now: func() time.Time { return time.Now().Add(time.Hour) },
				Send: func(context.Context, event.Event) error { b.Error("sent again"); return nil },
			})
			if err != nil {
				b.Fatal(err)
			}
			if r, err := s.Sweep(b.Context(), true); err != nil || int64(r.Objects) != loads {
				b.Fatalf("%+v, %v", r, err)
			}
			b.ReportMetric(processor(b)-spent, when+"-cpu-s")
		}
	}
}

// processor is how many seconds of processor time this process has used.
func processor(b *testing.B) float64 {
	b.Helper()
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()).Seconds()
}

func put(b *testing.B, bucket *store.Bucket, key string, data []byte) {
	b.Helper()
	if err := bucket.Put(b.Context(), key, data); err != nil {
		b.Fatal(err)
	}
}

func entryOf(n int64, a lake.Arrival) lake.Entry {
	load := lake.Hash("load", fmt.Sprint(n))
	e := lake.Entry{Format: lake.Format, N: n, Receipts: []lake.Receipt{{
		ID: a.ID(), Arrival: a, Load: load, Status: lake.Loaded, Feed: "visits", Metadata: lake.Hash("v1"), Read: 200, Committed: 200,
		Rows: map[string]int64{"lake.visits": 100, "lake.beds": 100},
	}}}
	var tables []lake.TableFiles
	for _, table := range []string{"lake.visits", "lake.beds"} {
		f := lake.DataFile{
			Path: "s3://lake/tables/" + table + "/data/customer=acme/month=2026-11/" + load + "-" + lake.Hash("attempt", load) + "-0.parquet",
			Rows: 100, Bytes: 9000 + n%1000, Customer: "acme", Month: 682, SplitOffsets: []int64{4},
			ColumnBytes: map[int]int64{}, Values: map[int]int64{}, Nulls: map[int]int64{}, Lower: map[int][]byte{}, Upper: map[int][]byte{},
		}
		for id := 1; id <= 25; id++ {
			f.ColumnBytes[id], f.Values[id], f.Nulls[id] = 100+n*int64(id)%700, 100, n%int64(id)
			if id <= 15 {
				f.Lower[id], f.Upper[id] = []byte(fmt.Sprintf("%08d", n*int64(id)%9999991)), []byte(fmt.Sprintf("%08d", n*int64(id)%9999991+50))
			}
		}
		tables = append(tables, lake.TableFiles{Table: table, Schema: 1, Read: 100, Committed: 100, Files: []lake.DataFile{f}})
	}
	e.Loads = []lake.Load{{Load: load, Tables: tables}}
	return e
}

// report counts the bytes of the log and of records, and the objects but for pointers and shortened records.
func report(b *testing.B, bucket *store.Bucket, when string) {
	b.Helper()
	size, objects := int64(0), 0
	for _, prefix := range []string{store.LogPrefix, "folded/", "loads/"} {
		for o, err := range bucket.List(b.Context(), prefix) {
			if err != nil {
				b.Fatal(err)
			}
			if size += o.Size; o.Size > 600 {
				objects++
			}
		}
	}
	b.ReportMetric(float64(size)/1e6, when+"-MB")
	b.ReportMetric(float64(objects), when+"-objects")
}
