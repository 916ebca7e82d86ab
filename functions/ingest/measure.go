package ingest

import (
	"context"
	"time"

	"medlake/shared/faas/meter"
	"medlake/shared/lake"
)

// measure counts what became of an arrival.
func (f *Ingest) measure(ctx context.Context, a lake.Arrival, rec *lake.Record, res Result, took time.Duration) {
	m := f.cfg.Meter
	m.Add(ctx, meter.Arrivals, 1, rec.Feed, string(res.Status), string(res.Reason))
	m.Observe(ctx, meter.IngestTime, took.Seconds(), string(res.Status))
	m.Observe(ctx, meter.IngestSize, float64(a.Size))
	if res.Status != lake.Loaded {
		return
	}
	for _, t := range rec.Tables {
		if t.Table != lake.OpsRejects {
			m.Add(ctx, meter.Records, t.Committed, t.Table, "committed")
			m.Add(ctx, meter.Records, t.Filtered, t.Table, "filtered")
			m.Add(ctx, meter.Records, t.Rejected, t.Table, "rejected")
		}
	}
	for _, w := range rec.Warnings {
		m.Add(ctx, meter.Warned, w.Rows, w.Table)
	}
}
