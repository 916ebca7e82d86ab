package ingest_test

import (
	"bytes"
	"context"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cloudevents/sdk-go/v2/event"
	"gocloud.dev/blob/memblob"

	"medlake/functions/sweep"
	"medlake/shared/faas"
	"medlake/shared/lake"
	"medlake/shared/store"
	"medlake/shared/store/fakes3"
)

// noticed is the key that the payloads of package notice tell of.
const noticed = "landing/acme/visits/a b+c%é.zip"

// post posts a body to ingest's handler.
func post(t *testing.T, h faas.Handler, body []byte) int {
	t.Helper()
	w := httptest.NewRecorder()
	faas.HTTP(h).ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), "POST", "/", bytes.NewReader(body)))
	return w.Code
}

// count counts objects below a prefix.
func (d *depot) count(t *testing.T, prefix string) int {
	t.Helper()
	n := 0
	for _, err := range d.bucket.List(t.Context(), prefix) {
		if err != nil {
			t.Fatal(err)
		}
		n++
	}
	return n
}

func (d *depot) put(t *testing.T, key string, data []byte) lake.Arrival {
	t.Helper()
	if err := d.bucket.Put(t.Context(), key, data); err != nil {
		t.Fatal(err)
	}
	o, err := d.bucket.Head(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	return d.bucket.Arrival(o)
}

// TestEveryShapeIsOneArrival: whatever tells of an object, and however often, it is one arrival, one load and one receipt.
func TestEveryShapeIsOneArrival(t *testing.T) {
	t.Parallel()
	s3 := open(t, fakes3.Start(t, true))
	google, azure := open(t, "mem://"), open(t, "mem://")
	google.bucket = store.New(memblob.OpenBucket(nil), "gs://lake")
	azure.bucket = store.New(memblob.OpenBucket(nil), "azblob://lake")
	for _, tt := range []struct {
		depot  *depot
		shapes []string
	}{
		{s3, []string{"s3", "s3-unversioned-empty", "sns-s3", "eventbridge", "knative-sqs", "knative-sqs-text", "minio", "versitygw"}},
		{google, []string{"gcs-object", "gcs-eventarc", "gcs-eventarc-base64", "pubsub-push", "pubsub-push-none", "pubsub-eventarc"}},
		{azure, []string{"azure-cloudevent", "azure-eventgrid", "azure-eventgrid-single"}},
	} {
		d := tt.depot
		a := d.put(t, noticed, []byte("no archive"))
		if d == s3 {
			a = d.put(t, noticed, locked(t)) // the versions that the payloads name are not there: it is the newest
		}
		f := d.ingest(t, nil)
		for _, shape := range tt.shapes {
			body, err := os.ReadFile(filepath.Join("../../shared/faas/notice/testdata", shape+".json"))
			if err != nil {
				t.Fatal(err)
			}
			if status := post(t, f.Handle, body); status != 202 {
				t.Errorf("%s: status %d", shape, status)
			}
		}
		door, err := faas.NewArrival(a, false)
		if err != nil {
			t.Fatal(err)
		}
		if err := f.Handle(t.Context(), door); err != nil {
			t.Error(err)
		}
		swept := 0
		s, err := sweep.New(sweep.Config{Bucket: d.bucket, Now: func() time.Time { return time.Now().Add(time.Hour) }, Send: func(ctx context.Context, e event.Event) error {
			swept++
			return f.Handle(ctx, e)
		}})
		if err != nil {
			t.Fatal(err)
		}
		pending := d.pending(t, a)
		if err := d.bucket.Delete(t.Context(), store.PendingKey(a.ID(), 0)); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Sweep(t.Context(), true); err != nil || swept != 1 {
			t.Errorf("swept %d, %v", swept, err)
		}
		if again := d.pending(t, a); again.Record.Load != pending.Record.Load {
			t.Errorf("the sweep made load %s, events %s", again.Record.Load, pending.Record.Load)
		}
		if p, l := d.count(t, store.PendingPrefix), d.count(t, "loads/"); p != 1 || l != 1 {
			t.Errorf("%s: %d pending, %d records, want one of each", d.bucket.Name(), p, l)
		}
		if status := d.pending(t, a).Record.Status; d == s3 && status != lake.Loaded {
			t.Errorf("status %s", status)
		}
	}
}

// TestNoticesThatAreNoUploads: another bucket, outside landing, no customer, a folder, an object that is gone: all done.
func TestNoticesThatAreNoUploads(t *testing.T) {
	t.Parallel()
	d := open(t, fakes3.Start(t, true))
	f := d.ingest(t, nil)
	d.put(t, "landing/acme/visits/folder/", nil)
	for _, object := range []string{
		`"bucket":{"name":"other"},"object":{"key":"landing/acme/visits/a.zip"}`, `"bucket":{"name":"lake"},"object":{"key":"loads/abc"}`,
		`"bucket":{"name":"lake"},"object":{"key":"landing/No+Customer/a.zip"}`, `"bucket":{"name":"lake"},"object":{"key":"landing/a.zip"}`,
		`"bucket":{"name":"lake"},"object":{"key":"landing/acme/visits/folder/"}`, `"bucket":{"name":"lake"},"object":{"key":"landing/acme/visits/gone.zip"}`,
		`"bucket":{"name":"lake"},"object":{"key":"landing/acme/visits/gone.zip","versionId":"3/gone"}`,
	} {
		if status := post(t, f.Handle, []byte(`{"Records":[{"eventName":"ObjectCreated:Put","s3":{`+object+`}}]}`)); status != 202 {
			t.Errorf("%s: status %d", object, status)
		}
	}
	if n := d.count(t, store.PendingPrefix); n != 0 {
		t.Errorf("%d pending", n)
	}
	if strings.Contains(d.logs.String(), "gone.zip") {
		t.Error("a key is in the log")
	}
}

// TestEachVersionIsAnArrival: a sender overwrites an object before its event comes. Where versions are kept, both are taken.
func TestEachVersionIsAnArrival(t *testing.T) {
	t.Parallel()
	d := open(t, fakes3.Start(t, true))
	f := d.ingest(t, nil)
	notice := func(a lake.Arrival) []byte {
		return []byte(`{"Records":[{"eventName":"ObjectCreated:Put","s3":{"bucket":{"name":"lake"},"object":{"key":"` + a.Key + `","versionId":"` + a.Version + `"}}}]}`)
	}
	first := d.put(t, "landing/acme/visits/v.zip", locked(t))
	second := d.put(t, "landing/acme/visits/v.zip", zip(t, 0, "", map[string]string{"beds.csv": "bed\nB7\n"}))
	for _, a := range []lake.Arrival{second, first, second} {
		if status := post(t, f.Handle, notice(a)); status != 202 {
			t.Errorf("status %d", status)
		}
	}
	for a, rows := range map[lake.Arrival]int64{first: 2, second: 1} {
		r := d.pending(t, a).Record
		beds := int64(0)
		for _, table := range r.Tables {
			if table.Table == "lake.beds" {
				beds += table.Committed
			}
		}
		if r.Status != lake.Loaded || beds != rows {
			t.Errorf("%s: %s, %d beds, want %d", a.Version, r.Status, beds, rows)
		}
	}
	older := d.process(t, f, first) // a sweep that had listed it before, and a replay
	if older.Arrival != first.ID() || older.Status != lake.Loaded {
		t.Errorf("got %+v", older)
	}
	if n := d.count(t, store.PendingPrefix); n != 2 {
		t.Errorf("%d pending, want 2", n)
	}
}
