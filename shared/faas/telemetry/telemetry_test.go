package telemetry_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/cloudevents/sdk-go/v2/event"

	"medlake/shared/faas"
	"medlake/shared/faas/telemetry"
)

const (
	trace  = "4bf92f3577b34da6a3ce929d0e0e4736"
	parent = "00-" + trace + "-00f067aa0ba902b7-01"
)

func start(t *testing.T, cfg telemetry.Config) *telemetry.Telemetry {
	t.Helper()
	if cfg.Log == nil {
		cfg.Log = telemetry.Log(io.Discard, "ingest")
	}
	cfg.Role = "ingest"
	told, err := telemetry.Start(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := told.Stop(t.Context()); err != nil {
			t.Error(err)
		}
	})
	return told
}

func TestUnknownKindIsRefused(t *testing.T) {
	t.Parallel()
	for _, cfg := range []telemetry.Config{{Metrics: "statsd"}, {Metrics: "grpc"}, {Traces: "jaeger"}, {TracesSample: "often", Traces: "stdout"}} {
		cfg.Log = telemetry.Log(io.Discard, "ingest")
		if _, err := telemetry.Start(t.Context(), cfg); err == nil {
			t.Errorf("%+v was taken", cfg)
		}
	}
}

// TestTraceGoesOn: from a request, or from the event alone, through a handler to what it sends on.
func TestTraceGoesOn(t *testing.T) {
	t.Parallel()
	told := start(t, telemetry.Config{})
	for _, c := range []struct{ name, header, extension string }{
		{"by request", parent, ""},
		{"by event, as from a queue", "", parent},
		{"by both, the request's", parent, "00-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa-bbbbbbbbbbbbbbbb-01"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var extension string
			next := httptest.NewServer(told.HTTP(faas.HTTP(func(_ context.Context, e event.Event) error {
				extension, _ = e.Extensions()["traceparent"].(string)
				return nil
			})))
			defer next.Close()
			send := told.Send(faas.Sink(told.Client(time.Minute), next.URL))
			function := told.HTTP(faas.HTTP(told.Handle(func(ctx context.Context, e event.Event) error {
				return send(ctx, faas.NewTick("next"))
			})))
			r := httptest.NewRequestWithContext(t.Context(), "POST", "/", strings.NewReader(""))
			for k, v := range map[string]string{"ce-specversion": "1.0", "ce-id": "1", "ce-source": "s", "ce-type": "t", "ce-traceparent": c.extension, "traceparent": c.header} {
				if v != "" {
					r.Header.Set(k, v)
				}
			}
			w := httptest.NewRecorder()
			function.ServeHTTP(w, r)
			if w.Code != 202 {
				t.Fatalf("status %d", w.Code)
			}
			if !strings.Contains(extension, trace) {
				t.Errorf("the event that was sent on names trace %q, want %s", extension, trace)
			}
		})
	}
}

// TestOthersEventsAreNotNamed: types and ids of events that are not our own may hold names of files.
func TestOthersEventsAreNotNamed(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	told := start(t, telemetry.Config{Log: telemetry.Log(&out, "ingest")})
	e := event.New()
	e.SetType("com.example.Patricia")
	e.SetID("landing/acme/patricia.zip")
	if err := told.Handle(func(context.Context, event.Event) error { return errors.New("no") })(t.Context(), e); err == nil {
		t.Error("the error is gone")
	}
	if s := strings.ToLower(out.String()); strings.Contains(s, "patricia") || !strings.Contains(s, `"type":"other"`) {
		t.Errorf("told: %s", s)
	}
}

func TestLogTellsTraceAndCause(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	told := start(t, telemetry.Config{Log: telemetry.Log(&out, "ingest")})
	e := faas.NewTick("1")
	e.SetExtension("traceparent", parent)
	handle := told.Handle(func(context.Context, event.Event) error { return errors.New("store is down") })
	if err := handle(t.Context(), e); err == nil {
		t.Error("the error is gone")
	}
	for _, want := range []string{`"trace_id":"` + trace, `"role":"ingest"`, `"again":true`, "store is down"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %s in %s", want, &out)
		}
	}
	out.Reset()
	slog.New(telemetry.Log(&out, "ingest").Handler().WithGroup("g")).Info("x", "a", 1)
	if strings.Contains(out.String(), "trace_id") {
		t.Errorf("a line without trace names one: %s", &out)
	}
}
