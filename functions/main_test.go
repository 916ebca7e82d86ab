package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"medlake/shared/archive/lock"
	"medlake/shared/faas"
	"medlake/shared/lake"
	"medlake/shared/store"
	"medlake/shared/warehouse"
)

func TestRoleMustBeKnown(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{nil, {"nothing"}, {"ingest", "more"}, {"ingest", "once"}, {"sweep", "once", "some"}, {"sweep", "once", "all", "more"}} {
		var out bytes.Buffer
		if code := run(t.Context(), args, environment{}, &out); code != 2 || !strings.Contains(out.String(), "alone|commit|dead|ingest|maintain|merge|sweep") {
			t.Errorf("%v: exit %d: %s", args, code, &out)
		}
	}
}

func TestEveryRoleSaysWhatIsNotSet(t *testing.T) {
	t.Parallel()
	for role, want := range map[string]int{"ingest": 2, "commit": 2, "maintain": 2, "merge": 2, "sweep": 2, "alone": 75} {
		var out bytes.Buffer
		e := environment{getenv: func(string) string { return "" }}
		if code := run(t.Context(), []string{role}, e, &out); code != want || !strings.Contains(out.String(), "MEDLAKE_BUCKET is not set") {
			t.Errorf("%s: exit %d: %s", role, code, &out)
		}
	}
}

// TestOnce: a tick by hand tells by its exit code how it went, and pushes its metrics before it ends.
func TestOnce(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var pushed []byte
	collector := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		data, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		pushed = append(pushed, data...)
	}))
	defer collector.Close()
	dir := t.TempDir()
	env := map[string]string{
		"MEDLAKE_BUCKET":           store.FileURL(filepath.Join(dir, "bucket")),
		"MEDLAKE_CATALOG":          "sqlite://" + filepath.Join(dir, "catalog.db"),
		"MEDLAKE_METADATA":         "ingest/testdata/metadata",
		"K_SINK":                   "http://127.0.0.1:1/",
		"MEDLAKE_METRICS":          "http/protobuf",
		"MEDLAKE_METRICS_ENDPOINT": collector.URL + "/v1/metrics",
	}
	e := environment{getenv: func(name string) string { return env[name] }}
	for _, args := range [][]string{{"commit", "once"}, {"merge", "once"}, {"maintain", "once", "all"}, {"sweep", "once"}} {
		var out bytes.Buffer
		if code := run(t.Context(), args, e, &out); code != 0 {
			t.Errorf("%v: exit %d: %s", args, code, &out)
		}
	}
	b, err := store.Open(t.Context(), env["MEDLAKE_BUCKET"])
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.Upload(t.Context(), store.LandingKey("acme", time.Now(), "visits/a.zip", "1"), strings.NewReader("x")); err != nil {
		t.Fatal(err)
	}
	age(t, filepath.Join(dir, "bucket"))
	var out bytes.Buffer
	if code := run(t.Context(), []string{"sweep", "once", "all"}, e, &out); code != 1 || !strings.Contains(out.String(), "event failed") {
		t.Errorf("a sweep that cannot send: exit %d: %s", code, &out)
	}
	mu.Lock()
	defer mu.Unlock()
	for _, name := range []string{"medlake_rounds", "medlake_events", "medlake_process_start_timestamp", "medlake_store_call_duration", "medlake_catalog_call_duration"} {
		if !bytes.Contains(pushed, []byte(name)) {
			t.Errorf("%s was not pushed", name)
		}
	}
}

// TestQueueThatIsNone: an ingest that cannot pull ends, instead of looking well and taking nothing in.
func TestQueueThatIsNone(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	env := map[string]string{
		"MEDLAKE_BUCKET":   store.FileURL(filepath.Join(dir, "bucket")),
		"MEDLAKE_METADATA": "ingest/testdata/metadata",
		"MEDLAKE_SECRETS":  store.FileURL(filepath.Join(dir, "secrets")),
		"MEDLAKE_EVENTS":   "nothing://queue",
	}
	var out bytes.Buffer
	e := environment{getenv: func(name string) string { return env[name] }, listen: func(ctx context.Context, _ string) (net.Listener, error) {
		return listen(ctx, "127.0.0.1:0")
	}}
	if code := run(t.Context(), []string{"ingest"}, e, &out); code != 2 || !strings.Contains(out.String(), "cannot run") {
		t.Errorf("exit %d: %s", code, &out)
	}
}

// TestDeadEventsEndThere: the role needs neither bucket nor catalog.
func TestDeadEventsEndThere(t *testing.T) {
	t.Parallel()
	var h house
	url := h.start(t, "dead")
	if err := faas.Sink(http.DefaultClient, url)(t.Context(), faas.NewTick("1")); err != nil {
		t.Fatal(err)
	}
	if logs := h.logs.String(); !strings.Contains(logs, "event is dead") {
		t.Errorf("not told: %s", logs)
	}
}

// house is a lake whose roles run, each behind its own port.
type house struct {
	dir  string
	env  map[string]string
	logs safe
}

type safe struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *safe) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *safe) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// start runs a role until the test ends and returns its URL.
func (h *house) start(t *testing.T, role string) string {
	t.Helper()
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	address, ended := make(chan string, 1), make(chan int, 1)
	e := environment{
		getenv: func(name string) string { return h.env[name] },
		listen: func(ctx context.Context, _ string) (net.Listener, error) {
			ln, err := listen(ctx, "127.0.0.1:0")
			if err == nil {
				address <- ln.Addr().String()
			}
			return ln, err
		},
	}
	go func() { ended <- run(ctx, []string{role}, e, &h.logs) }()
	t.Cleanup(func() {
		stop()
		if code := <-ended; code != 0 {
			t.Errorf("%s: exit %d: %s", role, code, &h.logs)
		}
	})
	select {
	case a := <-address:
		return "http://" + a
	case code := <-ended:
		ended <- code
		t.Fatalf("%s: exit %d: %s", role, code, &h.logs)
		return ""
	}
}

// TestZipGoesFromEventToTable: the roles meet in the bucket and the catalog alone.
func TestZipGoesFromEventToTable(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	h := &house{dir: dir, env: map[string]string{
		"MEDLAKE_BUCKET":   store.FileURL(filepath.Join(dir, "bucket")),
		"MEDLAKE_CATALOG":  "sqlite://" + filepath.Join(dir, "catalog.db"),
		"MEDLAKE_METADATA": "ingest/testdata/metadata",
		"MEDLAKE_SECRETS":  store.FileURL(filepath.Join(dir, "secrets")),
	}}
	if err := os.MkdirAll(filepath.Join(dir, "secrets/zip"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "secrets/zip/acme"), []byte("open sesame\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	commit := h.start(t, "commit")
	h.env["MEDLAKE_COMMIT"] = commit
	ingest := h.start(t, "ingest")
	b, err := store.Open(t.Context(), h.env["MEDLAKE_BUCKET"])
	if err != nil {
		t.Fatal(err)
	}
	upload := func(bed string) lake.Arrival {
		z, err := lock.Zip([]lock.File{{Name: "beds.csv", Data: []byte("bed\n" + bed + "\n")}},
			lock.Options{Cipher: lock.AES256, Password: "open sesame", Random: rand.Reader})
		if err != nil {
			t.Fatal(err)
		}
		o, err := b.Upload(t.Context(), store.LandingKey("acme", time.Now(), "visits/a.zip", bed), bytes.NewReader(z))
		if err != nil {
			t.Fatal(err)
		}
		return b.Arrival(o)
	}
	send := func(url string, e func() error) {
		t.Helper()
		if err := e(); err != nil {
			t.Fatalf("%s: %v: %s", url, err, &h.logs)
		}
	}
	tick := func(url string) {
		send(url, func() error { return faas.Sink(http.DefaultClient, url)(t.Context(), faas.NewTick("1")) })
	}
	e, err := faas.NewArrival(upload("B1"), false)
	if err != nil {
		t.Fatal(err)
	}
	send(ingest, func() error { return faas.Sink(http.DefaultClient, ingest)(t.Context(), e) })
	tick(commit)
	if n := h.rows(t, b); n != 1 {
		t.Errorf("%d rows after the event, want 1: %s", n, &h.logs)
	}

	upload("B2") // its event is lost
	age(t, filepath.Join(dir, "bucket"))
	h.env["K_SINK"] = ingest
	tick(h.start(t, "sweep"))
	tick(commit)
	if n := h.rows(t, b); n != 2 {
		t.Errorf("%d rows after the sweep, want 2: %s", n, &h.logs)
	}
}

func (h *house) rows(t *testing.T, b *store.Bucket) int64 {
	t.Helper()
	w, err := warehouse.Open(t.Context(), h.env["MEDLAKE_CATALOG"], b)
	if err != nil {
		t.Fatal(err)
	}
	p, err := w.Plan(t.Context(), "lake.beds", "acme")
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return p.Rows()
}

// age makes the uploads an hour old: the sweep leaves young ones alone. Their versions change with it, so that the one
// that was processed is another arrival of the same bytes: a duplicate.
func age(t *testing.T, bucket string) {
	t.Helper()
	old := time.Now().Add(-time.Hour)
	err := filepath.WalkDir(filepath.Join(bucket, "landing"), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		return os.Chtimes(path, old, old)
	})
	if err != nil {
		t.Fatal(err)
	}
}
