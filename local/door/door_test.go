package door_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"medlake/local/door"
	"medlake/shared/lake"
)

// shelf is a lake that keeps what arrives.
type shelf struct {
	got      map[string]string // customer/name -> body
	receipts map[string]lake.Receipt
	err      error
}

func (s *shelf) Arrive(_ context.Context, customer, name string, body io.Reader) (lake.Arrival, error) {
	if s.err != nil {
		return lake.Arrival{}, s.err
	}
	b, err := io.ReadAll(body)
	if err != nil {
		return lake.Arrival{}, err
	}
	s.got[customer+"/"+name] = string(b)
	return lake.Arrival{Bucket: "b", Key: "landing/" + customer + "/2026-03-05/" + name + "@1", Version: "v"}, nil
}

func (s *shelf) Receipt(_ context.Context, id string, _ time.Duration) (lake.Receipt, error) {
	if r, ok := s.receipts[id]; ok {
		return r, nil
	}
	return lake.Receipt{}, lake.ErrNotFound
}

func serve(t *testing.T, s *shelf) *httptest.Server {
	t.Helper()
	secrets := map[string][]string{"key/acme": {"new-key", "old-key"}, "key/zen": {"zen-key"}}
	d := door.Door{
		Lake: s, MaxBytes: 10, MaxStill: 200 * time.Millisecond, Log: slog.New(slog.DiscardHandler),
		Keys: &door.Keys{Customers: []string{"acme", "zen", "nokey"}, Every: time.Minute, Now: time.Now, Lines: func(_ context.Context, name string) ([]string, error) {
			if l, ok := secrets[name]; ok {
				return l, nil
			}
			return nil, lake.ErrNotFound
		}},
	}
	srv := httptest.NewServer(d.Handler())
	t.Cleanup(srv.Close)
	return srv
}

func ask(t *testing.T, method, url, key, body string) (int, map[string]any) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if key != "" {
		req.Header.Set("Authorization", "Bearer "+key)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	var answer map[string]any
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, answer
}

func TestPut(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, path, key, body string
		err                   error
		want                  int
		stored                string
	}{
		{name: "current key", path: "visits/a.zip", key: "new-key", body: "zip", want: 201, stored: "acme/visits/a.zip"},
		{name: "previous key", path: "visits/a.zip", key: "old-key", body: "zip", want: 201, stored: "acme/visits/a.zip"},
		{name: "customer comes from the key", path: "acme/a.zip", key: "zen-key", body: "zip", want: 201, stored: "zen/acme/a.zip"},
		{name: "no key", path: "a.zip", want: 401},
		{name: "unknown key", path: "a.zip", key: "guess", want: 401},
		{name: "no name", path: "", key: "new-key", want: 400},
		{name: "dot parts", path: "a/%2e%2e/b.zip", key: "new-key", want: 400},
		{name: "hidden file", path: "a/.b.zip", key: "new-key", want: 400},
		{name: "too large", path: "a.zip", key: "new-key", body: "eleven bytes", want: 413},
		{name: "busy", path: "a.zip", key: "new-key", err: door.ErrBusy, want: 503},
		{name: "broken store", path: "a.zip", key: "new-key", err: errors.New("disk"), want: 503},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := &shelf{got: map[string]string{}, err: c.err}
			code, answer := ask(t, http.MethodPut, serve(t, s).URL+"/v1/files/"+c.path, c.key, c.body)
			if code != c.want {
				t.Fatalf("got %d %v, want %d", code, answer, c.want)
			}
			if c.stored != "" && s.got[c.stored] != c.body {
				t.Errorf("stored %v, want %s", s.got, c.stored)
			}
			if c.stored == "" && len(s.got) > 0 {
				t.Errorf("stored %v, want nothing", s.got)
			}
		})
	}
}

// An upload that stands still is ended and does not arrive; so is one that is cut.
func TestUnfinishedBody(t *testing.T) {
	t.Parallel()
	s := &shelf{got: map[string]string{}}
	srv := serve(t, s)
	body, sender := io.Pipe()
	defer func() { _ = sender.Close() }()
	go func() { _, _ = sender.Write([]byte("half")) }()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPut, srv.URL+"/v1/files/a.zip", body)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer new-key")
	resp, err := http.DefaultClient.Do(req)
	if err == nil {
		_ = resp.Body.Close()
		if resp.StatusCode == http.StatusCreated {
			t.Error("half a body was taken")
		}
	}
	if len(s.got) > 0 {
		t.Errorf("stored %v, want nothing", s.got)
	}
}

func TestReceiptIsShownToItsCustomerOnly(t *testing.T) {
	t.Parallel()
	s := &shelf{receipts: map[string]lake.Receipt{"r1": {ID: "r1", Status: lake.Loaded, Arrival: lake.Arrival{Key: "landing/acme/2026-03-05/a.zip@1"}}}}
	url := serve(t, s).URL + "/v1/receipts/"
	if code, answer := ask(t, http.MethodGet, url+"r1", "new-key", ""); code != 200 || answer["status"] != "loaded" {
		t.Errorf("own receipt: got %d %v", code, answer)
	}
	if code, _ := ask(t, http.MethodGet, url+"r1", "zen-key", ""); code != 404 {
		t.Errorf("another customer's receipt: got %d, want 404", code)
	}
	if code, _ := ask(t, http.MethodGet, url+"r1?wait=2h", "new-key", ""); code != 400 {
		t.Errorf("a wait of two hours: got %d, want 400", code)
	}
	if code, _ := ask(t, http.MethodGet, url+"r2", "new-key", ""); code != 404 {
		t.Errorf("unknown receipt: got %d, want 404", code)
	}
}

func TestKeysAreReadAgain(t *testing.T) {
	t.Parallel()
	now := time.Unix(0, 0)
	lines := []string{"first"}
	k := &door.Keys{Customers: []string{"acme"}, Every: time.Minute, Now: func() time.Time { return now }, Lines: func(context.Context, string) ([]string, error) { return lines, nil }}
	known := func(key string) bool {
		c, err := k.Customer(t.Context(), key)
		return err == nil && c == "acme"
	}
	if !known("first") || known("second") || known("") {
		t.Fatal("keys before the change are wrong")
	}
	lines = []string{"second"}
	now = now.Add(time.Minute)
	if known("first") || !known("second") {
		t.Fatal("keys after the change are wrong")
	}
}
