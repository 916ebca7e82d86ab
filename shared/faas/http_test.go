package faas_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/cloudevents/sdk-go/v2/event"
	"github.com/google/go-cmp/cmp"

	"medlake/shared/faas"
	"medlake/shared/lake"
)

const structured = `{"specversion":"1.0","id":"1","source":"s","type":"t","data":{}}`

func TestHTTPAnswers(t *testing.T) {
	t.Parallel()
	handler := faas.HTTP(func(_ context.Context, e event.Event) error {
		switch e.Subject() {
		case "invalid":
			return lake.ErrInvalid
		case "busy":
			return errors.New("mrn 12345 is busy")
		}
		return nil
	})
	binary := map[string]string{"ce-specversion": "1.0", "ce-id": "1", "ce-source": "s", "ce-type": "t"}
	with := func(subject string) map[string]string {
		h := map[string]string{"ce-subject": subject}
		for k, v := range binary {
			h[k] = v
		}
		return h
	}
	json := func(kind string) map[string]string {
		return map[string]string{"Content-Type": "application/cloudevents" + kind + "+json"}
	}
	batch := func(subjects ...string) string {
		var events []string
		for _, s := range subjects {
			events = append(events, `{"specversion":"1.0","id":"1","source":"s","type":"t","subject":"`+s+`"}`)
		}
		return "[" + strings.Join(events, ",") + "]"
	}
	for _, c := range []struct {
		name, method string
		headers      map[string]string
		body         string
		want         int
	}{
		{"binary", "POST", binary, "{}", 202},
		{"structured", "POST", json(""), structured, 202},
		{"at fault", "POST", with("invalid"), "", 422},
		{"again", "POST", with("busy"), "", 503},
		{"batch", "POST", json("-batch"), batch("a", "b"), 202},
		{"batch with one at fault", "POST", json("-batch"), batch("a", "invalid"), 422},
		{"batch with one to try again", "POST", json("-batch"), batch("busy", "invalid"), 503},
		{"batch that is none", "POST", json("-batch"), "{", 400},
		{"no event", "POST", nil, "{}", 422},
		{"no id", "POST", json(""), `{"specversion":"1.0","source":"s","type":"t"}`, 400},
		{"handshake", "OPTIONS", map[string]string{"WebHook-Request-Origin": "eventgrid"}, "", 200},
		{"no handshake", "OPTIONS", nil, "", 405},
		{"read", "GET", nil, "", 405},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := httptest.NewRequestWithContext(t.Context(), c.method, "/", strings.NewReader(c.body))
			for k, v := range c.headers {
				r.Header.Set(k, v)
			}
			w := httptest.NewRecorder()
			handler.ServeHTTP(w, r)
			if w.Code != c.want {
				t.Errorf("status %d, want %d: %s", w.Code, c.want, w.Body)
			}
			if strings.Contains(w.Body.String(), "12345") {
				t.Error("the answer tells the cause")
			}
		})
	}
}

func TestArrivalEventTellsNoFileName(t *testing.T) {
	t.Parallel()
	a := lake.Arrival{Bucket: "b", Key: "landing/acme/2026-11-24/visits/SMITH_JOHN.zip@x1", Version: "v", Size: 7, At: time.Unix(1, 0).UTC()}
	e, err := faas.NewArrival(a, true)
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Validate(); err != nil {
		t.Fatal(err)
	}
	attributes, err := json.Marshal(e.Context)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(attributes), "SMITH") {
		t.Errorf("file name in the attributes: %s", attributes)
	}
	got, resent, err := faas.ParseArrival(e)
	if err != nil || !resent {
		t.Fatalf("resent %v, error %v", resent, err)
	}
	if d := cmp.Diff(a, got); d != "" {
		t.Error(d)
	}
}

func TestEventThatIsNoArrivalIsInvalid(t *testing.T) {
	t.Parallel()
	for name, data := range map[string]any{
		"not an object":  []int{1},
		"not in landing": lake.Arrival{Bucket: "b", Key: "loads/acme/x/y"},
		"bad customer":   lake.Arrival{Bucket: "b", Key: "landing/../2026-11-24/y"},
		"no bucket":      lake.Arrival{Key: "landing/acme/2026-11-24/y"},
	} {
		e := event.New()
		e.SetType(faas.ArrivalType)
		if err := e.SetData(event.ApplicationJSON, data); err != nil {
			t.Fatal(err)
		}
		if _, _, err := faas.ParseArrival(e); !errors.Is(err, lake.ErrInvalid) {
			t.Errorf("%s: %v, want ErrInvalid", name, err)
		}
	}
}

// TestSinkAndServe sends events through a real server and stops it while a request runs.
func TestSinkAndServe(t *testing.T) {
	t.Parallel()
	ln, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	served := make(chan error, 1)
	go func() {
		served <- faas.Serve(ctx, ln, faas.HTTP(func(ctx context.Context, e event.Event) error {
			switch e.ID() {
			case "invalid":
				return lake.ErrInvalid
			case "stop":
				stop()
				return ctx.Err() // running requests are not cancelled
			case "busy":
				return errors.New("busy")
			}
			return nil
		}))
	}()
	url := "http://" + ln.Addr().String()
	send := faas.Sink(http.DefaultClient, url)
	if err := send(t.Context(), faas.NewTick("a")); err != nil {
		t.Error(err)
	}
	if err := send(t.Context(), faas.NewTick("invalid")); !errors.Is(err, lake.ErrInvalid) {
		t.Errorf("got %v, want ErrInvalid", err)
	}
	if err := send(t.Context(), faas.NewTick("busy")); err == nil || errors.Is(err, lake.ErrInvalid) {
		t.Errorf("got %v, want an error to be tried again", err)
	}
	if got := get(t, url+"/healthz", ""); got != http.StatusOK {
		t.Errorf("health %d", got)
	}
	if got := get(t, url, "kube-probe/1.36"); got != http.StatusOK {
		t.Errorf("probe %d", got)
	}
	if err := send(t.Context(), faas.NewTick("stop")); err != nil {
		t.Error(err)
	}
	if got := get(t, url+"/healthz", ""); got != http.StatusServiceUnavailable {
		t.Errorf("health while draining %d", got)
	}
	if err := <-served; err != nil {
		t.Error(err)
	}
}

func get(t *testing.T, url, agent string) int {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	if agent != "" {
		r.Header.Set("User-Agent", agent)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		t.Fatal(err)
	}
	if err := resp.Body.Close(); err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode
}
