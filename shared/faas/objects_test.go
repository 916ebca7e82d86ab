package faas_test

import (
	"context"
	"errors"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cloudevents/sdk-go/v2/event"
	"github.com/google/go-cmp/cmp"
	"gocloud.dev/pubsub"

	"medlake/shared/faas"
	"medlake/shared/lake"
)

func payload(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("notice/testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// seen collects the keys of objects, or the types of other events, that a handler was given.
type seen struct {
	mu  sync.Mutex
	all []string
}

func (s *seen) handle(_ context.Context, e event.Event) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	name := e.Type()
	if name == faas.ObjectType {
		o, err := faas.ParseObject(e)
		if err != nil {
			return err
		}
		name = o.URL()
	}
	s.all = append(s.all, name)
	switch {
	case strings.HasSuffix(name, "busy.zip"):
		return errors.New("busy")
	case strings.HasSuffix(name, "bad.zip"):
		return lake.ErrInvalid
	}
	return nil
}

func records(keys ...string) string {
	var all []string
	for _, k := range keys {
		all = append(all, `{"eventName":"ObjectCreated:Put","s3":{"bucket":{"name":"lake"},"object":{"key":"`+k+`"}}}`)
	}
	return `{"Records":[` + strings.Join(all, ",") + `]}`
}

const odd = "landing/acme/visits/a b+c%é.zip"

// TestHTTPTakesWhatStoresSend: a handler sees one event for each object, whatever the shape.
func TestHTTPTakesWhatStoresSend(t *testing.T) {
	t.Parallel()
	json := map[string]string{"Content-Type": "application/json"}
	structured := map[string]string{"Content-Type": "application/cloudevents+json; charset=utf-8"}
	batch := map[string]string{"Content-Type": "application/cloudevents-batch+json"}
	binary := map[string]string{
		"Content-Type": "application/json", "ce-specversion": "1.0", "ce-id": "1", "ce-source": "s",
		"ce-type": "google.cloud.storage.object.v1.finalized", "ce-subject": "objects/x",
	}
	for _, tt := range []struct {
		name    string
		headers map[string]string
		body    string
		status  int
		want    []string
	}{
		{"s3", json, payload(t, "s3.json"), 202, []string{"s3://lake/" + odd}},
		{"sns", map[string]string{"Content-Type": "text/plain; charset=UTF-8"}, payload(t, "sns-s3.json"), 202, []string{"s3://lake/" + odd}},
		{"no content type", nil, payload(t, "minio.json"), 202, []string{"s3://lake/" + odd}},
		{"pubsub", json, payload(t, "pubsub-push.json"), 202, []string{"gs://lake/" + odd}},
		{"eventarc, binary", binary, payload(t, "gcs-object.json"), 202, []string{"gs://lake/" + odd}},
		{"eventarc, structured", structured, payload(t, "gcs-eventarc.json"), 202, []string{"gs://lake/" + odd}},
		{"azure, structured", structured, payload(t, "azure-cloudevent.json"), 202, []string{"azblob://lake/" + odd}},
		{"azure, structured and not said", json, payload(t, "azure-cloudevent.json"), 202, []string{"azblob://lake/" + odd}},
		{"azure, batch", batch, "[" + payload(t, "azure-cloudevent.json") + "," + payload(t, "azure-cloudevent-deleted.json") + "]", 202, []string{"azblob://lake/" + odd}},
		{"azure, its own schema", json, payload(t, "azure-eventgrid-many.json"), 202, []string{"azblob://lake/landing/acme/1.zip", "azblob://lake/landing/birch/2.zip"}},
		{"our own, not said", json, `{"specversion":"1.0","id":"1","source":"s","type":"dev.medlake.tick.v1"}`, 202, []string{"dev.medlake.tick.v1"}},
		{"test", json, payload(t, "s3-test.json"), 202, nil},
		{"deleted", json, payload(t, "s3-deleted.json"), 202, nil},
		{"a topic asks", json, payload(t, "sns-confirm.json"), 202, nil},
		{"busy", json, records("a.zip", "busy.zip", "bad.zip", "b.zip"), 503, []string{"s3://lake/a.zip", "s3://lake/busy.zip", "s3://lake/bad.zip", "s3://lake/b.zip"}},
		{"bad", json, records("bad.zip", "b.zip"), 422, []string{"s3://lake/bad.zip", "s3://lake/b.zip"}},
		{"half of it", json, payload(t, "s3-half-broken.json"), 422, []string{"s3://lake/landing/acme/1.zip"}},
		{"known type without data", structured, `{"specversion":"1.0","id":"1","source":"s","type":"google.cloud.storage.object.v1.finalized"}`, 422, nil},
		{"unknown", json, `{"hello":"world"}`, 422, nil},
		{"no json", json, `hello`, 422, nil},
		{"nothing", json, ``, 422, nil},
		{"too large", json, `"` + strings.Repeat("x", 1<<20) + `"`, 413, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var s seen
			r := httptest.NewRequestWithContext(t.Context(), "POST", "/", strings.NewReader(tt.body))
			for k, v := range tt.headers {
				r.Header.Set(k, v)
			}
			w := httptest.NewRecorder()
			faas.HTTP(s.handle).ServeHTTP(w, r)
			if w.Code != tt.status {
				t.Errorf("status %d, want %d: %s", w.Code, tt.status, w.Body)
			}
			if d := cmp.Diff(tt.want, s.all); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestHTTPAnswersTheQuestionOfEventGrid(t *testing.T) {
	t.Parallel()
	r := httptest.NewRequestWithContext(t.Context(), "POST", "/", strings.NewReader(payload(t, "azure-validation.json")))
	r.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	faas.HTTP(new(seen).handle).ServeHTTP(w, r)
	if got := strings.TrimSpace(w.Body.String()); w.Code != 200 || got != `{"validationResponse":"512d38b6-c7b8-40c8-89fe-f46f9e9622b6"}` {
		t.Errorf("%d: %s", w.Code, got)
	}
}

func TestObjectEventTellsNoKey(t *testing.T) {
	t.Parallel()
	r := httptest.NewRequestWithContext(t.Context(), "POST", "/", strings.NewReader(records("SMITH.zip")))
	faas.HTTP(func(_ context.Context, e event.Event) error {
		if err := e.Validate(); err != nil {
			t.Error(err)
		}
		e.DataEncoded = nil
		if strings.Contains(e.String(), "SMITH") {
			t.Errorf("key in the attributes: %s", e)
		}
		return nil
	}).ServeHTTP(httptest.NewRecorder(), r)
}

// TestPull: messages are acknowledged when done and come again when not; those at fault are given back too; what runs when
// it stops is finished.
func TestPull(t *testing.T) {
	t.Parallel()
	topic, err := pubsub.OpenTopic(t.Context(), "mem://landing")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = topic.Shutdown(context.Background()) })
	type try struct {
		key string
		n   int
	}
	tries := make(chan try, 100)
	var mu sync.Mutex
	count := map[string]int{}
	release := make(chan struct{})
	ended := make(chan error, 1)
	ctx, stop := context.WithCancel(t.Context())
	pulled := make(chan error, 1)
	go func() {
		pulled <- faas.Pull(ctx, faas.PullConfig{
			URL: "mem://landing", Pause: 1, Finish: 1 << 40, Parallel: 2,
			Handler: func(ctx context.Context, e event.Event) error {
				o, err := faas.ParseObject(e)
				if err != nil {
					return err
				}
				mu.Lock()
				count[o.Key]++
				n := count[o.Key]
				mu.Unlock()
				tries <- try{o.Key, n}
				switch {
				case o.Key == "landing/acme/busy.zip" && n < 3:
					return errors.New("busy")
				case o.Key == "landing/acme/bad.zip" && n < 3:
					return lake.ErrInvalid
				case o.Key == "landing/acme/slow.zip":
					<-release
					ended <- ctx.Err()
				}
				return nil
			},
		})
	}()
	send := func(m *pubsub.Message) {
		t.Helper()
		if err := topic.Send(t.Context(), m); err != nil {
			t.Fatal(err)
		}
	}
	last := func(key string, n int) {
		t.Helper()
		for got := range tries {
			if got == (try{key, n}) {
				return
			}
		}
	}
	for standing := false; !standing; { // until the subscription stands, messages are lost
		send(&pubsub.Message{Body: []byte(records("probe"))})
		select {
		case <-tries:
			standing = true
		case <-time.After(time.Millisecond):
		}
	}
	send(&pubsub.Message{Body: []byte(records("landing/acme/busy.zip"))})
	last("landing/acme/busy.zip", 3)
	send(&pubsub.Message{Body: []byte(records("landing/acme/bad.zip"))})
	last("landing/acme/bad.zip", 3)
	send(&pubsub.Message{Body: []byte(payload(t, "s3-test.json"))})
	send(&pubsub.Message{Metadata: map[string]string{"bucketId": "lake", "objectId": odd, "eventType": "OBJECT_FINALIZE"}})
	last(odd, 1)
	send(&pubsub.Message{Body: []byte(records("landing/acme/slow.zip"))})
	last("landing/acme/slow.zip", 1)
	stop()
	close(release)
	if err := <-ended; err != nil {
		t.Errorf("a running handler was stopped: %v", err)
	}
	if err := <-pulled; err != nil {
		t.Error(err)
	}
	mu.Lock()
	defer mu.Unlock()
	delete(count, "probe")
	if d := cmp.Diff(map[string]int{"landing/acme/busy.zip": 3, "landing/acme/bad.zip": 3, odd: 1, "landing/acme/slow.zip": 1}, count); d != "" {
		t.Error(d)
	}
}

func TestPullSaysThatTheURLIsWrong(t *testing.T) {
	t.Parallel()
	for _, url := range []string{"", "nosuch://queue", "mem://there-is-no-such-topic"} {
		if err := faas.Pull(t.Context(), faas.PullConfig{URL: url, Handler: new(seen).handle}); err == nil {
			t.Errorf("%q: no error", url)
		}
	}
}
