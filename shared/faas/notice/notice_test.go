package notice_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"medlake/shared/faas/notice"
	"medlake/shared/lake"
)

// key holds what encodings get wrong.
const key = "landing/acme/visits/a b+c%é.zip"

func read(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// payloads are what each store and queue sends, and the objects it tells of.
var payloads = map[string][]notice.Object{
	"s3.json":                   {{Store: "s3", Bucket: "lake", Key: key, Version: "v.1_x"}},
	"s3-unversioned-empty.json": {{Store: "s3", Bucket: "lake", Key: key}},
	"s3-many.json": {
		{Store: "s3", Bucket: "lake", Key: "landing/acme/1.zip"},
		{Store: "s3", Bucket: "lake", Key: "landing/acme/3.zip", Version: "v3"},
		{Store: "s3", Bucket: "other", Key: "4.zip"},
	},
	"s3-deleted.json":               nil,
	"s3-test.json":                  nil,
	"sns-s3.json":                   {{Store: "s3", Bucket: "lake", Key: key, Version: "v.1_x"}},
	"sns-confirm.json":              nil,
	"eventbridge.json":              {{Store: "s3", Bucket: "lake", Key: key, Version: "v.1_x"}},
	"eventbridge-deleted.json":      nil,
	"knative-sqs.json":              {{Store: "s3", Bucket: "lake", Key: key, Version: "v.1_x"}},
	"knative-sqs-text.json":         {{Store: "s3", Bucket: "lake", Key: key, Version: "v.1_x"}},
	"minio.json":                    {{Store: "s3", Bucket: "lake", Key: key, Version: "7c1c5d34-0d4b-4c4e-9f0e-1b5f6f1c2a3b"}},
	"versitygw.json":                {{Store: "s3", Bucket: "lake", Key: key}},
	"gcs-object.json":               {{Store: "gs", Bucket: "lake", Key: key, Version: "1732442400000001"}},
	"gcs-eventarc.json":             {{Store: "gs", Bucket: "lake", Key: key, Version: "1732442400000001"}},
	"gcs-eventarc-base64.json":      {{Store: "gs", Bucket: "lake", Key: key, Version: "1732442400000001"}},
	"gcs-eventarc-deleted.json":     nil,
	"pubsub-push.json":              {{Store: "gs", Bucket: "lake", Key: key, Version: "1732442400000001"}},
	"pubsub-push-none.json":         {{Store: "gs", Bucket: "lake", Key: key, Version: "1732442400000001"}},
	"pubsub-push-deleted.json":      nil,
	"pubsub-eventarc.json":          {{Store: "gs", Bucket: "lake", Key: key, Version: "1732442400000001"}},
	"azure-cloudevent.json":         {{Store: "azblob", Bucket: "lake", Key: key}},
	"azure-cloudevent-deleted.json": nil,
	"azure-eventgrid.json":          {{Store: "azblob", Bucket: "lake", Key: key}},
	"azure-eventgrid-single.json":   {{Store: "azblob", Bucket: "lake", Key: key}},
	"azure-eventgrid-many.json": {
		{Store: "azblob", Bucket: "lake", Key: "landing/acme/1.zip"},
		{Store: "azblob", Bucket: "lake", Key: "landing/birch/2.zip"},
	},
	"azure-validation.json": nil,
}

func TestEveryPayloadTellsItsObjects(t *testing.T) {
	t.Parallel()
	for name, want := range payloads {
		got, err := notice.Parse(notice.Message{Body: read(t, name)})
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s: %s", name, d)
		}
	}
	files, err := os.ReadDir("testdata")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if _, ok := payloads[f.Name()]; !ok && f.Name() != "s3-half-broken.json" && !f.IsDir() {
			t.Errorf("%s is not tested", f.Name())
		}
	}
}

// TestMessageOfPubSub: its attributes say what the body does not.
func TestMessageOfPubSub(t *testing.T) {
	t.Parallel()
	for kind, want := range map[string]int{"OBJECT_FINALIZE": 1, "OBJECT_DELETE": 0, "OBJECT_ARCHIVE": 0, "OBJECT_METADATA_UPDATE": 0} {
		for _, body := range [][]byte{nil, read(t, "gcs-object.json")} {
			got, err := notice.Parse(notice.Message{Body: body, Attributes: map[string]string{"bucketId": "lake", "objectId": key, "eventType": kind, "objectGeneration": "7"}})
			if err != nil || len(got) != want || want == 1 && got[0] != (notice.Object{Store: "gs", Bucket: "lake", Key: key, Version: "7"}) {
				t.Errorf("%s: %v, %v", kind, got, err)
			}
		}
	}
}

func TestBinaryCloudEvents(t *testing.T) {
	t.Parallel()
	for _, m := range []notice.Message{
		{Type: "google.cloud.storage.object.v1.finalized", Subject: "objects/" + key, Body: read(t, "gcs-object.json")},
		{Type: "Microsoft.Storage.BlobCreated", Subject: "/blobServices/default/containers/lake/blobs/" + key, Body: []byte(`{"api":"PutBlob"}`)},
		{Type: "Microsoft.Storage.BlobCreated", Subject: "blobServices/default/containers/lake/blobs/" + key, Body: []byte(`{}`)},
		{Type: "dev.knative.eventing.aws-sqs", Body: read(t, "s3.json")},
		{Type: "dev.knative.eventing.aws-sqs", Body: read(t, "sns-s3.json")},
	} {
		got, err := notice.Parse(m)
		if err != nil || len(got) != 1 || got[0].Key != key || got[0].Bucket != "lake" || !notice.Known(m.Type) {
			t.Errorf("%s: %v, %v", m.Type, got, err)
		}
	}
	if notice.Known("dev.medlake.arrival.v1") {
		t.Error("our own events are not notices")
	}
}

func TestWhatIsNoNotice(t *testing.T) {
	t.Parallel()
	for _, body := range []string{
		"", "no json SMITH", `"SMITH"`, `{}`, `{"Records":"SMITH"}`, `{"Records":[{"eventName":"ObjectCreated:Put","s3":{"bucket":{"name":"b"}}}]}`,
		`{"detail-type":"Object Created","detail":"SMITH"}`, `{"eventType":"Microsoft.Storage.BlobCreated","subject":"SMITH"}`, `[1]`,
		`{"message":{"data":"%SMITH"},"subscription":"s"}`, `{"message":7,"subscription":"s"}`, `{"kind":"storage#object","name":"SMITH"}`,
		`{"specversion":"1.0","type":"google.cloud.storage.object.v1.finalized","data_base64":"SMITH%"}`, strings.Repeat("[", 9) + strings.Repeat("]", 9),
	} {
		got, err := notice.Parse(notice.Message{Body: []byte(body)})
		if !errors.Is(err, lake.ErrInvalid) || len(got) > 0 || strings.Contains(err.Error(), "SMITH") {
			t.Errorf("%s: %v, %v", body, got, err)
		}
	}
	got, err := notice.Parse(notice.Message{Body: read(t, "s3-half-broken.json")})
	if !errors.Is(err, lake.ErrInvalid) || len(got) != 1 {
		t.Errorf("half of it can be read: %v, %v", got, err)
	}
}

func TestQuestionsOfWebhooks(t *testing.T) {
	t.Parallel()
	if code, ok := notice.Validation(read(t, "azure-validation.json")); !ok || code != "512d38b6-c7b8-40c8-89fe-f46f9e9622b6" {
		t.Errorf("validation %q, %v", code, ok)
	}
	if topic, ok := notice.Subscription(read(t, "sns-confirm.json")); !ok || topic != "arn:aws:sns:eu-west-1:111122223333:landing" {
		t.Errorf("subscription %q, %v", topic, ok)
	}
	for name := range payloads {
		_, validation := notice.Validation(read(t, name))
		_, subscription := notice.Subscription(read(t, name))
		if validation != (name == "azure-validation.json") || subscription != (name == "sns-confirm.json") {
			t.Errorf("%s: asks %v, %v", name, validation, subscription)
		}
	}
}

func FuzzParse(f *testing.F) {
	for name := range payloads {
		f.Add("", "", "", read(f, name))
	}
	f.Add("Microsoft.Storage.BlobCreated", "/blobServices/default/containers/lake/blobs/a", "", []byte(`{}`))
	f.Add("", "", "OBJECT_FINALIZE", []byte{})
	f.Fuzz(func(t *testing.T, kind, subject, attribute string, body []byte) {
		m := notice.Message{Type: kind, Subject: subject, Body: body}
		if attribute != "" {
			m.Attributes = map[string]string{"bucketId": "lake", "objectId": subject, "eventType": attribute}
		}
		objects, err := notice.Parse(m)
		if err != nil && (!errors.Is(err, lake.ErrInvalid) || len(err.Error()) > 60) {
			t.Error(err)
		}
		for _, o := range objects {
			if o.Bucket == "" || o.Key == "" || o.Version == "null" {
				t.Errorf("%+v", o)
			}
		}
		notice.Validation(body)
		notice.Subscription(body)
	})
}
