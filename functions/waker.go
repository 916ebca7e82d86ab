package main

import (
	"context"
	"log/slog"

	"medlake/shared/faas"
)

// waker tells commit that something is pending, so that it need not wait for its next look. It sends one event at a time
// however many arrivals there are. A lost one costs only time.
type waker struct {
	woken chan struct{}
	send  faas.Handler // nil: nobody is told
	log   *slog.Logger
}

func newWaker(e environment) *waker {
	w := &waker{woken: make(chan struct{}, 1), log: e.log}
	if url := e.getenv("MEDLAKE_COMMIT"); url != "" {
		w.send = e.sink(url)
	}
	return w
}

func (w *waker) wake() {
	select {
	case w.woken <- struct{}{}:
	default:
	}
}

func (w *waker) run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-w.woken:
			if w.send == nil {
				continue
			}
			if err := w.send(ctx, faas.NewTick("pending")); err != nil && ctx.Err() == nil {
				w.log.WarnContext(ctx, "commit was not woken", "error", err)
			}
		}
	}
}
