package transform_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"medlake/shared/lake"
	"medlake/shared/transform"
	"medlake/shared/transform/column"
)

func FuzzRun(f *testing.F) {
	f.Add(wideCSV(3), uint8(1))
	f.Add([]byte("c0,c1,c1,new\nx,1,2,3\n\"a\"\"b\",,,\n"), uint8(2))
	f.Add([]byte("c0\n\"open"), uint8(0))
	m := match(f, compile(f, wideMetadata(true)), "acme/wide/x.zip")
	f.Fuzz(func(t *testing.T, data []byte, batch uint8) {
		rows := map[int]int64{}
		run := m.NewRun(transform.Origin{Load: "load", ArrivedAt: arrived, BatchRows: int(batch), Flush: func(i int, b *column.Batch) error {
			rows[i] += int64(b.Rows)
			return printRows(&strings.Builder{}, b)
		}})
		defer run.Release()
		if _, err := run.Member(0, "x.csv", source(data)); err != nil {
			var r *lake.Refusal
			if !errors.As(err, &r) {
				t.Fatalf("not a refusal: %v", err)
			}
		}
		counts, _, err := run.Finish()
		if err != nil {
			t.Fatal(err)
		}
		for i, c := range counts {
			if c.Read != c.Committed+c.Filtered+c.Rejected || rows[i] != c.Committed {
				t.Errorf("table %s does not balance: %+v, %d rows", c.Table, c, rows[i])
			}
		}
	})
}

func BenchmarkRun(b *testing.B) {
	for _, functions := range []bool{false, true} {
		b.Run(fmt.Sprintf("functions=%v", functions), func(b *testing.B) {
			m := match(b, compile(b, wideMetadata(functions)), "acme/wide/x.zip")
			const rows = 7200
			data := wideCSV(rows)
			b.SetBytes(int64(len(data)))
			b.ReportAllocs()
			for b.Loop() {
				load(b, m, data, nil)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*rows), "ns/row")
		})
	}
}
