package store_test

import (
	"crypto/rand"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"

	"medlake/shared/store"
)

// kinds are the buckets that each test runs on: those that need no server, and the one that MEDLAKE_TEST_BUCKET names.
func kinds() []string {
	all := []string{"mem", "file", "faulty", "s3"}
	if os.Getenv("MEDLAKE_TEST_BUCKET") != "" {
		all = append(all, "remote")
	}
	return all
}

// address is the URL of an empty bucket.
func address(t testing.TB, kind string) string {
	t.Helper()
	switch kind {
	case "file":
		return store.FileURL(t.TempDir())
	case "s3":
		srv := httptest.NewServer(gofakes3.New(s3mem.New(), gofakes3.WithAutoBucket(true)).Server())
		t.Cleanup(srv.Close)
		return "s3://lake/some/where?region=us-east-1&anonymous=true&use_path_style=true&endpoint=" + srv.URL
	case "remote":
		u, err := url.Parse(os.Getenv("MEDLAKE_TEST_BUCKET"))
		if err != nil {
			t.Fatal(err)
		}
		u.Path += "/test-" + strings.ToLower(rand.Text())
		return u.String()
	}
	return "mem://"
}
