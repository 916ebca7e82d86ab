package duckdb

import (
	"fmt"
	"io"
	"os"
	"testing"
	"time"

	"medlake/shared/lake"
	"medlake/shared/query"
	"medlake/shared/query/querytest"
)

// BenchmarkCount measures a small statement from text to answer: in this process as operators run it, and in a process
// of its own as customers' do.
func BenchmarkCount(b *testing.B) {
	for _, files := range []int{1, 1000} {
		l := querytest.NewLake(b)
		l.Create(lake.Schema{Table: "lake.events", Partition: []string{lake.ColCustomer}, Columns: append(lake.SystemColumns(), lake.Column{Name: "id", Type: lake.Type{Kind: lake.String}})})
		for i := range files {
			l.Add("lake.events", "acme", map[string]string{
				lake.ColCustomer: "acme", lake.ColLoad: "L", lake.ColEntry: "0", lake.ColRow: fmt.Sprint(i),
				lake.ColArrivedAt: time.Unix(int64(i), 0).UTC().Format(time.RFC3339), "id": fmt.Sprint(i),
			})
		}
		r := &query.Reader{Source: l, Engine: Engine{}, Sandbox: &query.Child{Command: []string{os.Args[0], childCommand}}}
		for name, customer := range map[string]string{"operator": "", "customer": "acme"} {
			b.Run(fmt.Sprintf("%s/files=%d", name, files), func(b *testing.B) {
				for b.Loop() {
					res, err := r.Query(b.Context(), query.Request{Customer: customer, SQL: "select count(*), max(id) from events"})
					if err != nil {
						b.Fatal(err)
					}
					if _, err := query.Write(io.Discard, res, query.AsCSV); err != nil {
						b.Fatal(err)
					}
					if err := res.Close(); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

// BenchmarkRows measures how fast rows come out of a customer's statement.
func BenchmarkRows(b *testing.B) {
	const rows = 200_000
	r := &query.Reader{Source: querytest.NewLake(b), Engine: Engine{}, Sandbox: &query.Child{Command: []string{os.Args[0], childCommand}}}
	for name, customer := range map[string]string{"operator": "", "customer": "acme"} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				res, err := r.Query(b.Context(), query.Request{Customer: customer, SQL: fmt.Sprintf("select range, range / 7, 'text ' || range, timestamptz '2026-01-01' + to_seconds(range) from range(%d)", rows)})
				if err != nil {
					b.Fatal(err)
				}
				if n, err := query.Write(io.Discard, res, query.AsCSV); err != nil || n != rows {
					b.Fatal(n, err)
				}
				if err := res.Close(); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(rows*b.N)/b.Elapsed().Seconds(), "rows/s")
		})
	}
}
