// Package faas serves functions: one handler of CloudEvents answers over HTTP (Knative, OpenFaaS, plain) or from an
// in-process bus, with the same rules for done, never and again. It knows how to carry events and how to start and stop
// well; it does not know what a handler does.
package faas

import (
	"context"

	"github.com/cloudevents/sdk-go/v2/event"
)

// Handler handles one event. nil: done. errors.Is(err, lake.ErrInvalid): the event is at fault and is never tried again
// (dead letter). Any other error: try again later. A handler is idempotent, and many may run at once.
type Handler func(ctx context.Context, e event.Event) error
