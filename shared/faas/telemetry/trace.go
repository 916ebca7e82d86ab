package telemetry

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/cloudevents/sdk-go/v2/event"
	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/metric/noop"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"medlake/shared/faas"
	"medlake/shared/faas/meter"
	"medlake/shared/lake"
)

// HTTP puts a span around each request; a caller's trace goes on.
func (t *Telemetry) HTTP(h http.Handler) http.Handler {
	return otelhttp.NewHandler(h, t.role, t.http()...)
}

// Client makes a client whose requests carry the trace on.
func (t *Telemetry) Client(timeout time.Duration) *http.Client {
	return &http.Client{Timeout: timeout, Transport: otelhttp.NewTransport(http.DefaultTransport, t.http()...)}
}

// http has otelhttp trace and not count: its counters have a label by host name, which callers choose.
func (t *Telemetry) http() []otelhttp.Option {
	return []otelhttp.Option{
		otelhttp.WithTracerProvider(provider{tracer: t.tracer}), otelhttp.WithMeterProvider(noop.NewMeterProvider()),
		otelhttp.WithPropagators(propagation.TraceContext{}),
	}
}

// provider gives everybody the one tracer there is.
type provider struct {
	trace.TracerProvider
	tracer trace.Tracer
}

func (p provider) Tracer(string, ...trace.TracerOption) trace.Tracer { return p.tracer }

// Handle counts the events of a handler, puts a span around each, and logs why one failed: answers do not tell. A trace
// that the event itself names goes on if the request has none, and is linked if it has another.
func (t *Telemetry) Handle(h faas.Handler) faas.Handler {
	return func(ctx context.Context, e event.Event) error {
		start := time.Now()
		ctx, span := t.tracer.Start(follow(ctx, e), t.role, linked(ctx, e), trace.WithSpanKind(trace.SpanKindConsumer))
		defer span.End()
		err := h(ctx, e)
		outcome := "done"
		switch {
		case errors.Is(err, lake.ErrInvalid):
			outcome = "invalid"
		case err != nil:
			outcome = "again"
		}
		t.Meter.Add(ctx, meter.Events, 1, t.role, outcome)
		t.Meter.Observe(ctx, meter.EventTime, time.Since(start).Seconds(), t.role)
		kind, id := faas.Tell(e)
		span.SetAttributes(attribute.String("medlake.outcome", outcome), attribute.String("cloudevents.event_type", kind))
		if err != nil {
			span.SetStatus(codes.Error, outcome)
			t.log.WarnContext(ctx, "event failed", "type", kind, "event", id, "again", outcome == "again", "error", err)
		}
		return err
	}
}

// Send puts a span around a handler that sends events on, and has each event name its trace: brokers and queues keep
// that, whatever becomes of the headers.
func (t *Telemetry) Send(h faas.Handler) faas.Handler {
	return func(ctx context.Context, e event.Event) error {
		ctx, span := t.tracer.Start(ctx, "send", trace.WithSpanKind(trace.SpanKindProducer))
		defer span.End()
		if span.SpanContext().IsValid() {
			e = e.Clone()
			propagation.TraceContext{}.Inject(ctx, carrier{&e})
		}
		err := h(ctx, e)
		if err != nil {
			span.SetStatus(codes.Error, "not sent")
		}
		return err
	}
}

// follow takes up the trace that an event names, unless there is one.
func follow(ctx context.Context, e event.Event) context.Context {
	if trace.SpanContextFromContext(ctx).IsValid() {
		return ctx
	}
	return propagation.TraceContext{}.Extract(ctx, carrier{&e})
}

// linked links the trace that an event names if it is another than the one there is.
func linked(ctx context.Context, e event.Event) trace.SpanStartOption {
	here := trace.SpanContextFromContext(ctx)
	named := trace.SpanContextFromContext(propagation.TraceContext{}.Extract(context.WithoutCancel(ctx), carrier{&e}))
	if here.IsValid() && named.IsValid() && named.TraceID() != here.TraceID() {
		return trace.WithLinks(trace.Link{SpanContext: named})
	}
	return trace.WithLinks()
}

// carrier is the distributed tracing extension of CloudEvents.
type carrier struct{ e *event.Event }

func (c carrier) Get(key string) string {
	v, _ := c.e.Extensions()[key].(string)
	return v
}

func (c carrier) Set(key, v string) { c.e.SetExtension(key, v) }

func (c carrier) Keys() []string { return propagation.TraceContext{}.Fields() }
