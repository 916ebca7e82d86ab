package meter_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"medlake/shared/faas/meter"
)

func TestNilMeterCountsNothing(t *testing.T) {
	t.Parallel()
	var m *meter.Meter
	m.Add(t.Context(), meter.Events, 1, "ingest", "done")
	m.Set(t.Context(), meter.Pending, 1)
	m.Round(t.Context(), "commit", time.Now(), nil)
}

// TestInstrumentsAreTold: each is listed once, has a sentence, and can be made.
func TestInstrumentsAreTold(t *testing.T) {
	t.Parallel()
	if _, err := meter.New(metric.NewMeterProvider(metric.WithReader(metric.NewManualReader()))); err != nil {
		t.Fatal(err)
	}
	type told interface {
		Name() string
		About() string
		Labels() []string
	}
	var all []told
	for _, i := range meter.Counters() {
		all = append(all, i)
	}
	for _, i := range meter.Gauges() {
		all = append(all, i)
	}
	for _, i := range meter.Histograms() {
		all = append(all, i)
	}
	seen := map[string]bool{}
	for _, i := range all {
		if seen[i.Name()] {
			t.Errorf("%s is there twice", i.Name())
		}
		seen[i.Name()] = true
		if i.About() == "" {
			t.Errorf("%s says nothing", i.Name())
		}
		for _, l := range i.Labels() {
			if l == "customer" || l == "arrival" || l == "file" {
				t.Errorf("%s has a label without bounds: %s", i.Name(), l)
			}
		}
	}
}

func TestRoundThatWasStoppedIsNoFailure(t *testing.T) {
	t.Parallel()
	reader := metric.NewManualReader()
	m, err := meter.New(metric.NewMeterProvider(metric.WithReader(reader)))
	if err != nil {
		t.Fatal(err)
	}
	m.Round(t.Context(), "commit", time.Now(), nil)
	m.Round(t.Context(), "commit", time.Now(), errors.New("store is down"))
	stopped, stop := context.WithCancel(t.Context())
	stop()
	m.Round(stopped, "commit", time.Now(), context.Canceled)
	var got metricdata.ResourceMetrics
	if err := reader.Collect(t.Context(), &got); err != nil {
		t.Fatal(err)
	}
	rounds := map[string]int64{}
	for _, s := range got.ScopeMetrics {
		for _, i := range s.Metrics {
			if sum, ok := i.Data.(metricdata.Sum[int64]); ok {
				for _, p := range sum.DataPoints {
					role, _ := p.Attributes.Value("role")
					outcome, _ := p.Attributes.Value("outcome")
					rounds[i.Name+" "+role.AsString()+" "+outcome.AsString()] = p.Value
				}
			}
		}
	}
	if d := cmp.Diff(map[string]int64{"medlake_rounds commit done": 1, "medlake_rounds commit failed": 1}, rounds); d != "" {
		t.Error(d)
	}
}
