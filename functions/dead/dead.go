// Package dead takes the events that a broker gave up: it counts them, logs what may be logged, and that is all. What
// was a true arrival comes again by the next sweep; what was none stays an alert until somebody looks.
package dead

import (
	"context"
	"log/slog"
	"strconv"

	"github.com/cloudevents/sdk-go/v2/event"

	"medlake/shared/faas"
	"medlake/shared/faas/meter"
)

// extCode is the extension in which Knative's brokers tell the last answer of the function, an HTTP status.
const extCode = "knativeerrorcode"

// Config is what a Dead works with. Zero fields take the defaults.
type Config struct {
	Meter *meter.Meter // default: nothing is counted
	Log   *slog.Logger
}

// Dead is the end of dead letters. It is safe for concurrent use.
type Dead struct{ cfg Config }

// New makes a Dead.
func New(cfg Config) *Dead {
	if cfg.Log == nil {
		cfg.Log = slog.Default()
	}
	return &Dead{cfg}
}

// Handle takes one event and always is done with it.
func (d *Dead) Handle(ctx context.Context, e event.Event) error {
	kind, id := faas.Tell(e)
	d.cfg.Meter.Add(ctx, meter.Dead, 1, kind)
	d.cfg.Log.ErrorContext(ctx, "event is dead", "type", kind, "event", id, "status", code(e))
	return nil
}

// code is the status that the function answered at last; 0 if it is not told.
func code(e event.Event) int {
	switch c := e.Extensions()[extCode].(type) {
	case int32: // in JSON
		return int(c)
	case string: // in headers
		n, err := strconv.Atoi(c)
		if err == nil {
			return n
		}
	}
	return 0
}
