package status_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"medlake/local/status"
	"medlake/shared/lake"
)

func get(t *testing.T, read func(context.Context) (status.Status, error)) (int, string, http.Header) {
	t.Helper()
	h, err := status.Handler(read, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil))
	body, err := io.ReadAll(w.Result().Body)
	if err != nil {
		t.Fatal(err)
	}
	return w.Code, string(body), w.Header()
}

func TestPage(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 3, 5, 8, 30, 0, 0, time.UTC)
	code, page, header := get(t, func(context.Context) (status.Status, error) {
		return status.Status{
			Started: at, Waiting: 7, Entry: 42,
			Recent: []status.Arrival{
				{ID: "arrival-1", Customer: "acme", Feed: "visits<b>", Status: lake.Loaded, Rows: 12, Rejects: 3, At: at},
				{ID: "arrival-2", Customer: "zen", Status: lake.Quarantined, Reason: lake.WrongPassword, At: at},
			},
			Tables: []status.Table{{Name: "lake.visits_log", Rows: 99, Files: 4, Entry: 41}},
		}, nil
	})
	if code != http.StatusOK || !strings.HasPrefix(header.Get("Content-Type"), "text/html") || header.Get("Content-Security-Policy") == "" {
		t.Errorf("got %d %v", code, header)
	}
	for _, want := range []string{
		"<dd>7</dd>", "<dd>42</dd>", "arrival-1", "visits&lt;b&gt;", ">12<", ">3<", "quarantined: wrong_password", "lake.visits_log", ">99<", ">41<", "08:30:00",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if strings.Contains(page, "<b>") {
		t.Error("a value is not escaped")
	}
}

func TestPageBeforeTheFirstArrival(t *testing.T) {
	t.Parallel()
	if _, page, _ := get(t, func(context.Context) (status.Status, error) { return status.Status{}, nil }); !strings.Contains(page, "Nothing has arrived") {
		t.Error("an empty lake is not told")
	}
}

func TestTroubleIsNotShown(t *testing.T) {
	t.Parallel()
	code, page, _ := get(t, func(context.Context) (status.Status, error) { return status.Status{}, errors.New("secret path") })
	if code != http.StatusServiceUnavailable || strings.Contains(page, "secret path") {
		t.Errorf("got %d %q", code, page)
	}
}
