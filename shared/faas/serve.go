package faas

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"knative.dev/pkg/network/handlers"
	"knative.dev/pkg/signals"
)

const (
	quiet       = 500 * time.Millisecond // no request for this long after the signal: routes have moved on
	finish      = 20 * time.Second       // what running requests get to end
	readHeaders = 10 * time.Second
	idle        = 2 * time.Minute // what a connection may lie still between two requests
)

// Signals returns a context that ends at the first SIGINT or SIGTERM; a second one ends the process. Call it once.
func Signals() context.Context { return signals.NewContext() }

// probes are the paths of health checks: Kubernetes', and OpenFaaS's.
var probes = []string{"/healthz", "/readyz", "/_/health", "/_/ready"}

// Serve answers h on ln until ctx ends, then drains: probes fail first so that no new request comes, running ones finish,
// and it returns nil. GET of probes and those of kubelet and Knative by their User-Agent are answered here: who serves has
// opened all that it needs, so alive and ready are one. It closes ln.
func Serve(ctx context.Context, ln net.Listener, h http.Handler) error {
	mux := http.NewServeMux()
	for _, path := range probes {
		mux.HandleFunc("GET "+path, func(w http.ResponseWriter, _ *http.Request) {
			status := http.StatusOK
			if ctx.Err() != nil {
				status = http.StatusServiceUnavailable
			}
			w.WriteHeader(status)
		})
	}
	mux.Handle("/", h)
	drainer := &handlers.Drainer{Inner: mux, QuietPeriod: quiet}
	server := &http.Server{
		Handler:           drainer,
		ReadHeaderTimeout: readHeaders,
		IdleTimeout:       idle,
		ErrorLog:          slog.NewLogLogger(slog.Default().Handler(), slog.LevelWarn),
		// Requests outlive the signal: they end by themselves or when Shutdown gives up.
		BaseContext: func(net.Listener) context.Context { return context.WithoutCancel(ctx) },
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(ln) }()
	select {
	case err := <-served:
		return fmt.Errorf("serve %s: %w", ln.Addr(), err)
	case <-ctx.Done():
	}
	drainer.Drain()
	limit, cancel := context.WithTimeout(context.WithoutCancel(ctx), finish)
	defer cancel()
	err := server.Shutdown(limit)
	if err != nil {
		err = errors.Join(err, server.Close())
	}
	if s := <-served; !errors.Is(s, http.ErrServerClosed) {
		err = errors.Join(err, s)
	}
	if err != nil {
		return fmt.Errorf("stop serving %s: %w", ln.Addr(), err)
	}
	return nil
}
