package bench

import (
	"bytes"
	"context"
	"crypto/rand"
	"flag"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"medlake/functions/maintain"
	"medlake/local/node"
	"medlake/shared/archive/lock"
)

var commits = flag.Int("commits", 500, "how many commits BenchmarkCommits makes")

const (
	tend     = 100 // commits between two rounds of maintenance
	compared = 200 // commits at the beginning and at the end
)

// BenchmarkCommits loads small files one after the other, a commit each, with a merge and maintenance now and then, and
// compares what the first commits cost with what the last ones do.
func BenchmarkCommits(b *testing.B) {
	for b.Loop() {
		first, last, care := commitMany(b)
		b.ReportMetric(first.Seconds()*1e3/compared, "ms-first-commits")
		b.ReportMetric(last.Seconds()*1e3/compared, "ms-last-commits")
		b.ReportMetric(last.Seconds()/first.Seconds(), "last/first")
		b.ReportMetric(care.Seconds()*1e3/float64(*commits), "ms-merge-and-care/commit")
		b.ReportMetric(0, "ns/op")
	}
}

// commitMany tells the processor time of the first and the last commits, and of all merges and maintenance.
func commitMany(b *testing.B) (first, last, care time.Duration) {
	ctx := context.Background()
	n, err := node.Open(ctx, node.Config{Data: b.TempDir(), Metadata: "../../local/testdata/metadata", Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = n.Close() }()
	for i := range *commits {
		beds := fmt.Sprintf("bed,state,since\nB%d,s%d,2026-03-05T08:00:00Z\n", i%500, i)
		zip, err := lock.Zip([]lock.File{{Name: "beds.csv", Data: []byte(beds)}}, lock.Options{Random: rand.Reader})
		if err != nil {
			b.Fatal(err)
		}
		a, err := n.Store(ctx, "acme", "beds/x.zip", bytes.NewReader(zip))
		if err != nil {
			b.Fatal(err)
		}
		if _, err := n.Ingest.Process(ctx, a, false); err != nil {
			b.Fatal(err)
		}
		start := cpu()
		if _, err := n.Committer.Round(ctx); err != nil {
			b.Fatal(err)
		}
		committed := cpu()
		switch {
		case i < compared:
			first += committed - start
		case i >= *commits-compared:
			last += committed - start
		}
		if i%tend == tend-1 {
			if _, err := n.Merger.Round(ctx); err != nil {
				b.Fatal(err)
			}
			if _, err := n.Maintainer.Round(ctx, maintain.Order{}); err != nil {
				b.Fatal(err)
			}
			care += cpu() - committed
		}
	}
	return first, last, care
}
