// Package meter counts what functions do, for those who run them. What there is to count is listed in instruments.go: a
// function names an instrument, an amount and the values of the instrument's labels. It does not know where the numbers
// go; package telemetry does.
//
// No number is about a customer, a file or a patient: labels take values from the metadata (feeds, tables) or from lists
// in the program (statuses, reasons, outcomes), so there are few of them, and all may be shown to whoever runs the lake.
package meter

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
)

// Meter counts. A nil Meter counts nothing. It is safe for concurrent use.
type Meter struct {
	counters   map[string]metric.Int64Counter
	gauges     map[string]metric.Float64Gauge
	histograms map[string]metric.Float64Histogram
}

// Scope is the name under which the instruments are registered.
const Scope = "medlake"

// New makes a meter of all instruments.
func New(p metric.MeterProvider) (*Meter, error) {
	from := p.Meter(Scope)
	m := &Meter{
		counters: map[string]metric.Int64Counter{}, gauges: map[string]metric.Float64Gauge{},
		histograms: map[string]metric.Float64Histogram{},
	}
	var errs []error
	var err error
	for _, c := range Counters() {
		m.counters[c.name], err = from.Int64Counter(c.name, metric.WithDescription(c.about), metric.WithUnit(c.unit))
		errs = append(errs, err)
	}
	for _, g := range Gauges() {
		m.gauges[g.name], err = from.Float64Gauge(g.name, metric.WithDescription(g.about), metric.WithUnit(g.unit))
		errs = append(errs, err)
	}
	for _, h := range Histograms() {
		m.histograms[h.name], err = from.Float64Histogram(h.name, metric.WithDescription(h.about), metric.WithUnit(h.unit),
			metric.WithExplicitBucketBoundaries(h.bounds...))
		errs = append(errs, err)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, fmt.Errorf("make meter: %w", err)
	}
	return m, nil
}

// Add adds n to a counter, under the values of its labels.
func (m *Meter) Add(ctx context.Context, c Counter, n int64, values ...string) {
	if m != nil {
		m.counters[c.name].Add(ctx, n, metric.WithAttributeSet(c.set(values)))
	}
}

// Set says what a gauge stands at, under the values of its labels.
func (m *Meter) Set(ctx context.Context, g Gauge, v float64, values ...string) {
	if m != nil {
		m.gauges[g.name].Record(ctx, v, metric.WithAttributeSet(g.set(values)))
	}
}

// Observe takes one value into a histogram, under the values of its labels.
func (m *Meter) Observe(ctx context.Context, h Histogram, v float64, values ...string) {
	if m != nil {
		m.histograms[h.name].Record(ctx, v, metric.WithAttributeSet(h.set(values)))
	}
}

// Outcomes of rounds, and of other things that work or do not.
const (
	Done   = "done"
	Failed = "failed"
)

// Outcome is Done or Failed.
func Outcome(err error) string {
	if err != nil {
		return Failed
	}
	return Done
}

// Round counts a round that a role began at start and that ended with err. One that was asked to stop counts as neither.
func (m *Meter) Round(ctx context.Context, role string, start time.Time, err error) {
	if err != nil && ctx.Err() != nil {
		return
	}
	m.Add(ctx, Rounds, 1, role, Outcome(err))
	m.Observe(ctx, RoundTime, time.Since(start).Seconds(), role)
	if err == nil {
		m.Set(ctx, RoundAt, float64(time.Now().Unix()), role)
	}
}

// instrument is what all kinds have.
type instrument struct {
	name   string // without the unit, which exporters append
	unit   string // as UCUM spells it
	about  string
	labels []string
}

// Name is what the instrument is registered as; exporters append its unit, and that it is a total.
func (i instrument) Name() string { return i.name }

// Labels are the names of its labels, in the order of their values.
func (i instrument) Labels() []string { return i.labels }

// About says what it is, in a sentence.
func (i instrument) About() string { return i.about }

// set pairs the labels with their values. A missing value is empty.
func (i instrument) set(values []string) attribute.Set {
	pairs := make([]attribute.KeyValue, len(i.labels))
	for n, label := range i.labels {
		v := ""
		if n < len(values) {
			v = values[n]
		}
		pairs[n] = attribute.String(label, v)
	}
	return attribute.NewSet(pairs...)
}

// Counter only grows.
type Counter struct{ instrument }

// Gauge stands at something.
type Gauge struct{ instrument }

// Histogram says how values are spread.
type Histogram struct {
	instrument
	bounds []float64 // of its buckets
}
