package faas

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"

	"github.com/cloudevents/sdk-go/v2/binding"
	"github.com/cloudevents/sdk-go/v2/event"
	cehttp "github.com/cloudevents/sdk-go/v2/protocol/http"

	"medlake/shared/faas/notice"
	"medlake/shared/lake"
)

// maxBody bounds one request: events name objects, they do not carry them.
const maxBody = 1 << 20

// HTTP answers events over HTTP at any path: CloudEvents (binary, structured and batches) and what stores and their queues
// post without such headers (see package notice). 202 is done, or nothing to do; 422 means that the event is at fault and
// goes to the dead letters; 503 means try again, which brokers do with backoff. 404 and 409 are never answered, because
// brokers retry them. OPTIONS, and Event Grid's question by POST, answer the handshake of webhooks. Answers tell a status
// and no cause: causes may be about data, and go to the log of whoever wraps the handler.
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
		var all outcome
		for _, e := range events {
			all.add(handle(r.Context(), h, e))
		}
		status(w, all.err())
		return
	}
	if cehttp.NewMessageFromHttpRequest(r).ReadEncoding() == binding.EncodingUnknown {
		serveNotice(h, w, r)
		return
	}
	e, err := cehttp.NewEventFromHTTPRequest(r)
	if err != nil || e.Validate() != nil {
		http.Error(w, "not a valid CloudEvent", http.StatusBadRequest)
		return
	}
	status(w, handle(r.Context(), h, *e))
}

// handle handles the events that e stands for.
func handle(ctx context.Context, h Handler, e event.Event) error {
	events, fault := expand(e)
	return handleAll(ctx, h, events, fault)
}

func handleAll(ctx context.Context, h Handler, events []event.Event, fault error) error {
	var all outcome
	all.add(fault)
	for _, e := range events {
		all.add(h(ctx, e))
	}
	return all.err()
}

// serveNotice answers a body that is no CloudEvent.
func serveNotice(h Handler, w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		http.Error(w, "too large", http.StatusRequestEntityTooLarge)
		return
	case err != nil:
		http.Error(w, "body breaks off", http.StatusBadRequest)
		return
	}
	if code, asks := notice.Validation(body); asks {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]string{"validationResponse": code}) // whoever asked has gone
		return
	}
	if topic, asks := notice.Subscription(body); asks {
		// Confirming means to fetch a URL that anybody can send, so a person does it, or the topic feeds a queue.
		slog.WarnContext(r.Context(), "a topic asks for a subscription, which is not confirmed: give it a queue", "topic", topic)
	}
	events, fault := unwrap(notice.Message{Body: body})
	status(w, handleAll(r.Context(), h, events, fault))
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
