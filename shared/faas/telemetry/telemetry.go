// Package telemetry tells those who run functions what happens in them: metrics and traces through OpenTelemetry as
// Knative configures it, and logs that name their trace. It decides where all that goes; what is counted is package
// meter's, and nothing of it is about a customer, a file or a patient.
package telemetry

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"runtime/debug"
	"time"

	"go.opentelemetry.io/otel"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/semconv/v1.41.0"
	"go.opentelemetry.io/otel/trace"
	"knative.dev/pkg/observability"
	"knative.dev/pkg/observability/metrics"
	"knative.dev/pkg/observability/tracing"

	"medlake/shared/faas/meter"
)

// Config says where metrics and traces of a process go. Empty fields take the defaults; variables OTEL_… of the
// environment, which collectors and operators know, come before these.
type Config struct {
	Role string
	Log  *slog.Logger

	Metrics         string // none, prometheus (pull), grpc or http/protobuf (OTLP push); default none
	MetricsEndpoint string // host:port to be pulled from, default :9464; or URL of the collector
	MetricsInterval string // between two pushes, as a Go duration; default 60s
	Traces          string // none, grpc, http/protobuf or stdout; default none
	TracesEndpoint  string // URL of the collector
	TracesSample    string // share of traces that are kept, 0 to 1; default 0.05
}

// Environment is a role's configuration by the variables MEDLAKE_METRICS… and MEDLAKE_TRACES…, which functions/README.md lists.
func Environment(role string, getenv func(string) string, log *slog.Logger) Config {
	return Config{
		Role: role, Log: log,
		Metrics: getenv("MEDLAKE_METRICS"), MetricsEndpoint: getenv("MEDLAKE_METRICS_ENDPOINT"), MetricsInterval: getenv("MEDLAKE_METRICS_INTERVAL"),
		Traces: getenv("MEDLAKE_TRACES"), TracesEndpoint: getenv("MEDLAKE_TRACES_ENDPOINT"), TracesSample: getenv("MEDLAKE_TRACES_SAMPLE"),
	}
}

// stopTime is what the last push gets.
const stopTime = 5 * time.Second

// Telemetry is what a process tells.
type Telemetry struct {
	Meter *meter.Meter // nil if nobody asks for metrics

	role   string
	log    *slog.Logger
	tracer trace.Tracer
	stop   []func(context.Context) error
}

// Start begins to tell. A collector that is away is no error: what it missed is lost, and logged.
func Start(ctx context.Context, cfg Config) (*Telemetry, error) {
	t := &Telemetry{role: cfg.Role, log: cfg.Log}
	where, err := observability.NewFromMap(cfg.knative())
	if err != nil {
		return nil, fmt.Errorf("metrics and traces: %w", err)
	}
	about, err := identity(ctx, cfg.Role)
	if err != nil {
		return nil, fmt.Errorf("metrics and traces: %w", err)
	}
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) { cfg.Log.Warn("metrics or traces are lost", "error", err) }))
	if err := t.traces(ctx, where.Tracing, about); err != nil {
		return nil, fmt.Errorf("traces: %w", err)
	}
	if err := t.metrics(ctx, where.Metrics, about); err != nil {
		return nil, errors.Join(fmt.Errorf("metrics: %w", err), t.Stop(ctx))
	}
	return t, nil
}

// Stop pushes what was not told yet. Call it when nothing runs any more.
func (t *Telemetry) Stop(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTime)
	defer cancel()
	var errs []error
	for _, stop := range t.stop {
		errs = append(errs, stop(ctx))
	}
	return errors.Join(errs...)
}

// knative spells the configuration as Knative's config-observability does.
func (c Config) knative() map[string]string {
	m := map[string]string{}
	set := func(key, v string) {
		if v != "" {
			m[key] = v
		}
	}
	set("metrics-protocol", c.Metrics)
	set("metrics-endpoint", c.MetricsEndpoint)
	set("metrics-export-interval", c.MetricsInterval)
	set("tracing-protocol", c.Traces)
	set("tracing-endpoint", c.TracesEndpoint)
	set("tracing-sampling-rate", "0.05")
	set("tracing-sampling-rate", c.TracesSample)
	if c.Metrics == metrics.ProtocolPrometheus && c.MetricsEndpoint == "" {
		m["metrics-endpoint"] = ":9464" // Knative's own, 9090, is taken by the proxy beside us
	}
	return m
}

func (t *Telemetry) traces(ctx context.Context, cfg observability.TracingConfig, about *resource.Resource) error {
	p, err := tracing.NewTracerProvider(ctx, cfg, sdktrace.WithResource(about))
	if err != nil {
		return err
	}
	// Not made the global one: gocloud's spans would tell keys of objects, which are names of files.
	t.tracer = p.Tracer(meter.Scope)
	t.stop = append(t.stop, p.Shutdown)
	return nil
}

func (t *Telemetry) metrics(ctx context.Context, cfg observability.MetricsConfig, about *resource.Resource) error {
	if cfg.Protocol == metrics.ProtocolNone {
		return nil
	}
	if cfg.Protocol == metrics.ProtocolPrometheus { // Knative's server would only print that its address is taken
		ln, err := (&net.ListenConfig{}).Listen(ctx, "tcp", cfg.Endpoint)
		if err != nil {
			return err
		}
		if err := ln.Close(); err != nil {
			return err
		}
	}
	p, err := metrics.NewMeterProvider(ctx, cfg, sdkmetric.WithResource(about), sdkmetric.WithView(Views()...))
	if err != nil {
		return err
	}
	t.stop = append(t.stop, p.Shutdown)
	otel.SetMeterProvider(p) // where gocloud counts the calls of the store
	t.Meter, err = meter.New(p)
	t.Meter.Set(ctx, meter.Started, float64(time.Now().Unix()), t.role, version())
	return err
}

// Views name what gocloud counts of the store as our own metrics, with few buckets and few labels.
func Views() []sdkmetric.View {
	const blob = "gocloud.dev/blob/"
	return []sdkmetric.View{
		sdkmetric.NewView(sdkmetric.Instrument{Name: blob + "latency"}, sdkmetric.Stream{
			Name:        "medlake_store_call_duration",
			Description: "Time of calls of the bucket.",
			Aggregation: sdkmetric.AggregationExplicitBucketHistogram{Boundaries: []float64{5, 20, 50, 100, 250, 500, 1000, 5000, 30_000}},
		}),
		sdkmetric.NewView(sdkmetric.Instrument{Name: blob + "bytes_read"}, sdkmetric.Stream{Name: "medlake_store_read"}),
		sdkmetric.NewView(sdkmetric.Instrument{Name: blob + "bytes_written"}, sdkmetric.Stream{Name: "medlake_store_written"}),
	}
}

// identity is how the process calls itself. A pod's host name is its own.
func identity(ctx context.Context, role string) (*resource.Resource, error) {
	host, err := os.Hostname()
	if err != nil {
		return nil, err
	}
	return resource.New(ctx, resource.WithAttributes(
		semconv.ServiceNamespace("medlake"), semconv.ServiceName(role), semconv.ServiceVersion(version()), semconv.ServiceInstanceID(host),
	), resource.WithFromEnv())
}

// version is that of the program: of its module, or else of its commit.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	if v := info.Main.Version; v != "" && v != "(devel)" {
		return v
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			return s.Value
		}
	}
	return ""
}
