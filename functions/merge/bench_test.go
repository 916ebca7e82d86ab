package merge_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"runtime/debug"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"medlake/shared/store"
	"medlake/shared/warehouse"
)

const visits = `
table: visits
columns:
  visit_id: string!
  facility_id: long
  mrn: string phi(mrn)
  birth_date: date phi(date)
  event: string!
  event_at: timestamp!
  admitted_at: timestamp
  discharged_at: timestamp
  bed: string
  class: string
  description: string
  total_cost: decimal(18,2)
key: [customer, visit_id]
change:
  order: [event_at]
  delete: event in ["A11", "A23"]
  only:
    discharged_at: event in ["A03", "A13"]
  keep: [admitted_at]
`

func visit(r *rand.Rand, id, at int) map[string]any {
	return map[string]any{
		"visit_id": fmt.Sprintf("V%09d", id), "facility_id": r.IntN(100), "mrn": fmt.Sprintf("M%08d", r.IntN(1e8)), "birth_date": r.IntN(20000),
		"event": []string{"A01", "A02", "A03", "A08"}[r.IntN(4)], "event_at": at, "admitted_at": at - r.IntN(1e9), "discharged_at": at + r.IntN(1e9),
		"bed": fmt.Sprint("bed ", r.IntN(500)), "class": []string{"inpatient", "emergency"}[r.IntN(2)],
		"description": fmt.Sprint("a finding of kind ", r.IntN(3000)), "total_cost": r.IntN(1e6),
	}
}

// BenchmarkUpsert merges 10,000 rows, 9,000 of them new versions of any rows, into a table of 1,000,000 in ten files: what
// the processor did for it, and the memory of the whole process.
func BenchmarkUpsert(b *testing.B) {
	const rows, file = 1_000_000, 100_000
	bucket, err := store.Open(b.Context(), store.FileURL(b.TempDir()))
	if err != nil {
		b.Fatal(err)
	}
	d := openOn(b, bucket, "visits", visits)
	r := rand.New(rand.NewPCG(1, 1))
	newLoad := func(n int) *load {
		return &load{id: fmt.Sprintf("load%022d", n), customer: "acme", at: time.Unix(int64(1_790_000_000+n), 0)}
	}
	d.commit(b) // an entry of the log without rows
	for _, name := range []string{d.log.Table, d.table.Current.Table} {
		h, err := d.warehouse.Batch(b.Context(), name)
		if err != nil {
			b.Fatal(err)
		}
		c := warehouse.Change{Batch: 1}
		if name == d.table.Current.Table {
			c.Fold = d.table.Fold.Version()
			for n := range rows / file {
				l := newLoad(n)
				for i := range file {
					l.rows = append(l.rows, visit(r, n*file+i, 1e15+i))
				}
				c.Add = append(c.Add, d.writeTo(b, name, l))
			}
		}
		if err := d.warehouse.Apply(b.Context(), h, c); err != nil {
			b.Fatal(err)
		}
	}
	m := d.merger(b, d.bucket)
	var cpu time.Duration
	peak := 0
	next := 100
	for b.Loop() {
		b.StopTimer()
		l := newLoad(next)
		for i := range 10_000 {
			id := r.IntN(rows)
			if i%10 == 0 {
				id = rows + next*10_000 + i
			}
			l.rows = append(l.rows, visit(r, id, 2e15+next*10_000+i))
		}
		next++
		d.write(b, l)
		d.commit(b, l)
		l.rows = nil
		debug.FreeOSMemory()
		resetPeak(b)
		before := used(b)
		b.StartTimer()
		got, err := m.Round(b.Context())
		b.StopTimer()
		if err != nil || got.Merged != 1 {
			b.Fatal(got, err)
		}
		cpu += used(b) - before
		peak = max(peak, peakBytes(b))
		b.StartTimer()
	}
	b.ReportMetric(cpu.Seconds()/float64(b.N), "cpu-s/op")
	b.ReportMetric(float64(peak>>20), "peak-MB")
}

// used is the processor time of this process: on a busy machine it says more than the clock.
func used(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// resetPeak and peakBytes measure the resident memory of this process where Linux tells.
func resetPeak(b *testing.B) {
	b.Helper()
	if err := os.WriteFile("/proc/self/clear_refs", []byte("5"), 0); err != nil {
		b.Log("the peak holds the making of the table too:", err)
	}
}

func peakBytes(b *testing.B) int {
	b.Helper()
	data, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(data)) {
		if text, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			n, err := strconv.Atoi(strings.Fields(text)[0])
			if err != nil {
				b.Fatal(err)
			}
			return n << 10
		}
	}
	return 0
}
