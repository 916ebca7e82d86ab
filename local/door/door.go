// Package door is the HTTP door of one machine: customers put files in with a bearer key and ask what became of them.
// It decides who the customer is and nothing else about a file. The customer comes from the key, never from the path.
package door

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"path"
	"strings"
	"time"

	"medlake/shared/lake"
)

// Lake is what stands behind the door. Its methods are safe for concurrent use.
type Lake interface {
	// Arrive stores one upload durably as a new arrival and has it processed. It returns ErrBusy, storing nothing, when
	// too much of the customer's is waiting.
	Arrive(ctx context.Context, customer, name string, body io.Reader) (lake.Arrival, error)
	// Receipt returns what became of an arrival once its rows can be queried. It waits up to wait for that, then returns
	// lake.ErrNotFound.
	Receipt(ctx context.Context, id string, wait time.Duration) (lake.Receipt, error)
}

// maxWait is the longest a request for a receipt may wait.
const maxWait = time.Minute

// ErrBusy asks the sender to come back later.
var ErrBusy = errors.New("busy")

// Door serves the API. All fields are required.
type Door struct {
	Lake     Lake
	Keys     *Keys
	MaxBytes int64         // of one upload
	MaxStill time.Duration // that an upload may stand still
	Log      *slog.Logger
}

// Handler serves PUT /v1/files/<path> and GET /v1/receipts/<arrival>[?wait=10s].
func (d *Door) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("PUT /v1/files/{path...}", d.authorised(d.put))
	mux.HandleFunc("GET /v1/receipts/{id}", d.authorised(d.receipt))
	return mux
}

type handler func(w http.ResponseWriter, r *http.Request, customer string) error

// authorised finds the customer of the bearer key and turns errors into answers: a sentence for the sender, the cause for
// the log.
func (d *Door) authorised(h handler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		key, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		customer := ""
		if ok {
			var err error
			if customer, err = d.Keys.Customer(r.Context(), key); err != nil && !errors.Is(err, lake.ErrDenied) {
				d.Log.ErrorContext(r.Context(), "keys cannot be read", "error", err)
				answer(w, http.StatusServiceUnavailable, "the keys cannot be read just now: try again")
				return
			}
		}
		if customer == "" {
			w.Header().Set("WWW-Authenticate", "Bearer")
			sentence := "send your key in the header Authorization: Bearer KEY"
			if ok {
				sentence = "this key is not known here"
			}
			answer(w, http.StatusUnauthorized, sentence)
			return
		}
		var tooLarge *http.MaxBytesError
		switch err := h(w, r, customer); {
		case err == nil:
		case errors.As(err, &tooLarge):
			answer(w, http.StatusRequestEntityTooLarge, "the file is larger than this door takes")
		case errors.Is(err, lake.ErrInvalid):
			answer(w, http.StatusBadRequest, "the path must be like folder/name.zip, without empty or dot parts, at most 512 bytes")
		case errors.Is(err, lake.ErrNotFound):
			answer(w, http.StatusNotFound, "no receipt of yours has this id (yet)")
		case errors.Is(err, ErrBusy):
			w.Header().Set("Retry-After", "5")
			answer(w, http.StatusServiceUnavailable, "many of your files are waiting: try again in a few seconds")
		default:
			d.Log.ErrorContext(r.Context(), "request failed", "customer", customer, "error", err)
			answer(w, http.StatusServiceUnavailable, "the file was not taken: try again")
		}
	}
}

func (d *Door) put(w http.ResponseWriter, r *http.Request, customer string) error {
	name := r.PathValue("path")
	if !ValidName(name) {
		return lake.ErrInvalid
	}
	body := &patient{http.MaxBytesReader(w, r.Body, d.MaxBytes), http.NewResponseController(w), d.MaxStill}
	a, err := d.Lake.Arrive(r.Context(), customer, name, body)
	if err != nil {
		return err
	}
	reply(w, http.StatusCreated, map[string]string{"arrival": a.ID(), "receipt": "/v1/receipts/" + a.ID()})
	return nil
}

// patient reads a body that may take long, but not one that stands still.
type patient struct {
	body    io.Reader
	control *http.ResponseController
	still   time.Duration
}

func (p *patient) Read(b []byte) (int, error) {
	if err := p.control.SetReadDeadline(time.Now().Add(p.still)); err != nil {
		return 0, err
	}
	n, err := p.body.Read(b)
	if errors.Is(err, io.EOF) { // what comes now may take its time
		if err := p.control.SetReadDeadline(time.Time{}); err != nil {
			return n, err
		}
	}
	return n, err
}

func (d *Door) receipt(w http.ResponseWriter, r *http.Request, customer string) error {
	var wait time.Duration
	if s := r.URL.Query().Get("wait"); s != "" {
		var err error
		if wait, err = time.ParseDuration(s); err != nil || wait < 0 || wait > maxWait {
			answer(w, http.StatusBadRequest, "wait must be a time like 10s, one minute at most")
			return nil
		}
	}
	got, err := d.Lake.Receipt(r.Context(), r.PathValue("id"), wait)
	if err != nil {
		return err
	}
	if got.Arrival.Customer() != customer { // somebody else's looks as if it were not there
		return lake.ErrNotFound
	}
	reply(w, http.StatusOK, receiptOf(got))
	return nil
}

// receipt is what a customer sees of a lake.Receipt.
type receipt struct {
	Arrival string           `json:"arrival"`
	Load    string           `json:"load"`
	Feed    string           `json:"feed"`
	Status  lake.Status      `json:"status"`
	Rows    map[string]int64 `json:"rows"`
	Rejects int64            `json:"rejects"`
	Reason  lake.Reason      `json:"reason"`
	Where   *lake.Where      `json:"where,omitempty"` // quarantined: the entry, line, column or rule at fault, as far as known
}

func receiptOf(r lake.Receipt) receipt {
	out := receipt{Arrival: r.ID, Load: r.Load, Feed: r.Feed, Status: r.Status, Rows: r.Rows, Rejects: r.Rejected, Reason: r.Reason}
	if out.Rows == nil {
		out.Rows = map[string]int64{}
	}
	if r.Status == lake.Quarantined && r.Where.Entry >= 0 {
		out.Where = &r.Where
	}
	return out
}

// ValidName reports whether name can be a path below a customer's landing folder.
func ValidName(name string) bool {
	return name != "" && len(name) <= 512 && path.Clean("/"+name) == "/"+name && !strings.ContainsAny(name, "\\\x00") &&
		!strings.HasPrefix(path.Base(name), ".")
}

func answer(w http.ResponseWriter, code int, sentence string) {
	reply(w, code, map[string]string{"error": sentence})
}

func reply(w http.ResponseWriter, code int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(body) // the sender is gone: there is nobody to tell
}
