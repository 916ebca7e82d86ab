// Package status is the plain page of one machine: what waits, what came lately, what the tables hold. It shows ids and
// counts, never a name or a value, so it needs no login on a loopback address.
package status

import (
	"bytes"
	"context"
	_ "embed"
	"html/template"
	"log/slog"
	"net/http"
	"time"

	"medlake/shared/lake"
)

// Status is what the page shows.
type Status struct {
	Now     time.Time
	Started time.Time
	Waiting int   // events on the bus
	Entry   int64 // the last entry of the log
	Recent  []Arrival
	Tables  []Table
}

// Arrival is one line of recent arrivals, newest first.
type Arrival struct {
	ID       string
	Customer string
	Feed     string
	Status   lake.Status
	Reason   lake.Reason
	Rows     int64
	Rejects  int64
	At       time.Time
}

// Table is one table.
type Table struct {
	Name  string
	Rows  int64
	Files int
	Entry int64 // of the log, up to which it is filled
}

//go:embed page.html
var page string

// Handler serves the page at /.
func Handler(read func(ctx context.Context) (Status, error), log *slog.Logger) (http.Handler, error) {
	t, err := template.New("page").Funcs(template.FuncMap{
		"clock": func(t time.Time) string { return t.UTC().Format("15:04:05") },
		"stamp": func(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") },
	}).Parse(page)
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		var b bytes.Buffer
		s, err := read(r.Context())
		if err == nil {
			err = t.Execute(&b, s)
		}
		if err != nil {
			log.ErrorContext(r.Context(), "status page", "error", err)
			http.Error(w, "the status cannot be read just now", http.StatusServiceUnavailable)
			return
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'")
		_, _ = w.Write(b.Bytes()) // the reader is gone: there is nobody to tell
	})
	return mux, nil
}
