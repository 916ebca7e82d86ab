package store_test

import (
	"crypto/md5"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"medlake/shared/lake"
	"medlake/shared/store"
)

// s3 speaks as much of S3's protocol as the store uses. It keeps versions, and answers the next requests with faults.
type s3 struct {
	mu      sync.Mutex
	objects map[string][]byte
	version map[string]int
	faults  []string // S3 error codes for the next writes; with a "+" in front the write is done first
	heads   int
}

func (s *s3) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	key, _ := strings.CutPrefix(r.URL.Path, "/lake/")
	body, found := s.objects[key]
	switch {
	case r.Method == http.MethodPut:
		data, _ := io.ReadAll(r.Body)
		fault := ""
		if len(s.faults) > 0 {
			fault, s.faults = s.faults[0], s.faults[1:]
		}
		if fault != "" && fault[0] != '+' {
			fail(w, fault)
			return
		}
		if found && r.Header.Get("If-None-Match") == "*" {
			fail(w, "PreconditionFailed")
			return
		}
		s.objects[key] = data
		s.version[key]++
		if fault != "" {
			fail(w, fault[1:])
			return
		}
		w.Header().Set("ETag", etag(data))
	case r.URL.Query().Has("list-type"):
		s.list(w, r.URL.Query())
	case !found:
		fail(w, "NoSuchKey")
	case r.Method == http.MethodDelete:
		delete(s.objects, key)
		w.WriteHeader(http.StatusNoContent)
	default:
		if r.Method == http.MethodHead {
			s.heads++
		}
		w.Header().Set("ETag", etag(body))
		w.Header().Set("Last-Modified", "Tue, 24 Nov 2026 10:00:00 GMT")
		w.Header().Set("Content-Length", fmt.Sprint(len(body)))
		w.Header().Set("x-amz-version-id", fmt.Sprintf("v%d", s.version[key]))
		_, _ = w.Write(body)
	}
}

func (s *s3) list(w http.ResponseWriter, q url.Values) {
	type object struct {
		Key, LastModified, ETag string
		Size                    int
	}
	var result struct {
		XMLName  xml.Name `xml:"ListBucketResult"`
		Contents []object
	}
	var keys []string
	for k := range s.objects {
		if strings.HasPrefix(k, q.Get("prefix")) {
			keys = append(keys, k)
		}
	}
	slices.Sort(keys)
	for _, k := range keys {
		result.Contents = append(result.Contents, object{k, "2026-11-24T10:00:00Z", etag(s.objects[k]), len(s.objects[k])})
	}
	_ = xml.NewEncoder(w).Encode(result)
}

func etag(b []byte) string { return fmt.Sprintf(`"%x"`, md5.Sum(b)) }

func fail(w http.ResponseWriter, code string) {
	status := map[string]int{
		"PreconditionFailed": 412, "NoSuchKey": 404, "SlowDown": 503, "ConditionalRequestConflict": 409, "AccessDenied": 403,
	}[code]
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(status)
	_, _ = fmt.Fprintf(w, "<Error><Code>%s</Code><Message>for %s</Message></Error>", code, "Jane Doe")
}

func openS3(t *testing.T) (*store.Bucket, *s3) {
	t.Helper()
	s := &s3{objects: map[string][]byte{}, version: map[string]int{}}
	srv := httptest.NewServer(s)
	t.Cleanup(srv.Close)
	b, err := store.Open(t.Context(), "s3://lake/some/where?region=us-east-1&anonymous=true&use_path_style=true&request_checksum_calculation=when_required&response_checksum_validation=when_required&endpoint="+srv.URL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close() })
	b.Retry.Base = 0
	return b, s
}

func TestS3(t *testing.T) {
	t.Parallel()
	b, s := openS3(t)
	if err := b.SelfTest(t.Context()); err != nil {
		t.Fatal(err)
	}
	key := "landing/acme/2026-11-24/Jane Doe.zip@1"
	for _, v := range []string{"one", "two"} { // a customer's own bucket: the key is written again
		if err := b.Put(t.Context(), key, []byte(v)); err != nil {
			t.Fatal(err)
		}
	}
	if _, ok := s.objects["some/where/"+key]; !ok {
		t.Error("the URL's path is not the prefix of the keys")
	}
	head, err := b.Head(t.Context(), key)
	if err != nil || head.Version != "v2" {
		t.Errorf("got %+v, %v; want S3's version", head, err)
	}
	if err := b.Put(t.Context(), store.LogKey(1), nil); err != nil {
		t.Fatal(err)
	}
	s.heads = 0
	for o, err := range b.List(t.Context(), "") {
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(head, o); o.Key == key && d != "" {
			t.Errorf("listed, not as by head (-head +listed):\n%s", d)
		}
	}
	if s.heads != 1 {
		t.Errorf("%d requests beside the listing, want one for the landing object", s.heads)
	}
}

// TestS3TransientErrors: 409 and 503 arrive without a meaning and are tried again.
func TestS3TransientErrors(t *testing.T) {
	t.Parallel()
	for _, fault := range []string{"ConditionalRequestConflict", "+ConditionalRequestConflict"} {
		b, s := openS3(t)
		s.faults = []string{fault, fault, fault, fault}
		if err := b.Put(t.Context(), "k", []byte("x")); err != nil {
			t.Errorf("put, %s: %v", fault, err)
		}
		s.faults = []string{fault, fault, fault, fault}
		if got, err := b.Claim(t.Context(), "claimed", []byte("mine")); err != nil || string(got) != "mine" {
			t.Errorf("claim, %s: %q, %v", fault, got, err)
		}
		s.faults = []string{fault}
		_, err := b.Upload(t.Context(), "landing/acme/2026-11-24/Jane Doe.zip@1", strings.NewReader("x"))
		if fault[0] == '+' && err != nil {
			t.Errorf("upload, %s: %v", fault, err)
		}
		if err != nil && strings.Contains(err.Error(), "Jane") {
			t.Errorf("the error names the sender's file: %v", err)
		}
	}
}

// TestS3RetriesBelowUs: after a lost reply the SDK itself writes again, and is told that the key is taken by its own bytes.
func TestS3RetriesBelowUs(t *testing.T) {
	t.Parallel()
	b, s := openS3(t)
	s.faults = []string{"+SlowDown"}
	if got, err := b.Claim(t.Context(), "claimed", []byte("mine")); err != nil || string(got) != "mine" {
		t.Errorf("claim: %q, %v", got, err)
	}
	s.faults = []string{"+SlowDown"}
	if _, err := b.Upload(t.Context(), "landing/acme/2026-11-24/x@1", strings.NewReader("x")); err != nil {
		t.Errorf("upload: %v", err)
	}
	s.faults = []string{"+SlowDown"}
	if err := b.PutIfAbsent(t.Context(), "put", nil); !errors.Is(err, lake.ErrConflict) {
		t.Errorf("put if absent: %v", err)
	}
}

func TestS3Denied(t *testing.T) {
	t.Parallel()
	b, s := openS3(t)
	s.faults = []string{"AccessDenied"}
	err := b.Put(t.Context(), "landing/acme/2026-11-24/Jane Doe.zip@1", nil)
	if !errors.Is(err, lake.ErrDenied) || strings.Contains(err.Error(), "Jane") {
		t.Errorf("got %v", err)
	}
}

// TestS3DeniedWhereTheKeyIsTaken: who may create and not overwrite may be denied what is there already.
func TestS3DeniedWhereTheKeyIsTaken(t *testing.T) {
	t.Parallel()
	b, s := openS3(t)
	for _, there := range []bool{false, true} {
		if there {
			put(t, b, "claimed", "theirs")
			put(t, b, "landing/acme/2026-11-24/x@1", "mine")
		}
		s.faults = []string{"AccessDenied"}
		got, err := b.Claim(t.Context(), "claimed", []byte("mine"))
		if there && (err != nil || string(got) != "theirs") || !there && !errors.Is(err, lake.ErrDenied) {
			t.Errorf("claim, there %v: %q, %v", there, got, err)
		}
		s.faults = []string{"AccessDenied"}
		_, err = b.Upload(t.Context(), "landing/acme/2026-11-24/x@1", strings.NewReader("mine"))
		if there && err != nil || !there && !errors.Is(err, lake.ErrDenied) {
			t.Errorf("upload, there %v: %v", there, err)
		}
	}
}
