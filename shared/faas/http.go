package faas

import (
	"errors"
	"net/http"

	"github.com/cloudevents/sdk-go/v2/binding"
	"github.com/cloudevents/sdk-go/v2/event"
	cehttp "github.com/cloudevents/sdk-go/v2/protocol/http"

	"medlake/shared/lake"
)

// maxBody bounds one request: events name objects, they do not carry them.
const maxBody = 1 << 20

// HTTP answers CloudEvents over HTTP: binary, structured and batches. 202 is done; 422 means that the event is at fault
// and goes to the dead letters; 503 means try again, which brokers do with backoff. 404 and 409 are never answered,
// because brokers retry them. OPTIONS answers the handshake of webhooks. Answers tell a status and no cause: causes may
// be about data, and go to the log of whoever wraps the handler.
func HTTP(h Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.Method {
		case http.MethodPost:
			r.Body = http.MaxBytesReader(w, r.Body, maxBody)
			serveEvents(h, w, r)
		case http.MethodOptions:
			handshake(w, r)
		default:
			notAllowed(w)
		}
	})
}

func serveEvents(h Handler, w http.ResponseWriter, r *http.Request) {
	if cehttp.IsHTTPBatch(r.Header) {
		events, err := cehttp.NewEventsFromHTTPRequest(r)
		if err != nil {
			http.Error(w, "not a batch of CloudEvents", http.StatusBadRequest)
			return
		}
		status(w, handleBatch(h, r, events))
		return
	}
	e, err := cehttp.NewEventFromHTTPRequest(r)
	switch {
	case errors.Is(err, binding.ErrUnknownEncoding):
		http.Error(w, "not a CloudEvent", http.StatusUnsupportedMediaType)
	case err != nil || e.Validate() != nil:
		http.Error(w, "not a valid CloudEvent", http.StatusBadRequest)
	default:
		status(w, h(r.Context(), *e))
	}
}

// handleBatch handles every event of a batch. One that must be tried again makes the whole batch come again, which is
// harmless because handlers are idempotent; it outweighs those at fault.
func handleBatch(h Handler, r *http.Request, events []event.Event) error {
	var invalid, again error
	for _, e := range events {
		err := e.Validate()
		if err != nil {
			err = lake.ErrInvalid
		} else {
			err = h(r.Context(), e)
		}
		switch {
		case err == nil:
		case errors.Is(err, lake.ErrInvalid):
			invalid = err
		default:
			again = err
		}
	}
	if again != nil {
		return again
	}
	return invalid
}

func status(w http.ResponseWriter, err error) {
	switch {
	case err == nil:
		w.WriteHeader(http.StatusAccepted)
	case errors.Is(err, lake.ErrInvalid):
		http.Error(w, "the event is at fault", http.StatusUnprocessableEntity)
	default:
		http.Error(w, "try again", http.StatusServiceUnavailable)
	}
}

func handshake(w http.ResponseWriter, r *http.Request) {
	origin := r.Header.Get("WebHook-Request-Origin")
	if origin == "" {
		notAllowed(w)
		return
	}
	w.Header().Set("WebHook-Allowed-Origin", origin)
	w.Header().Set("WebHook-Allowed-Rate", "*")
	w.Header().Set("Allow", "POST, OPTIONS")
}

func notAllowed(w http.ResponseWriter) {
	w.Header().Set("Allow", "POST, OPTIONS")
	w.WriteHeader(http.StatusMethodNotAllowed)
}
