package store_test

import (
	"crypto/rand"
	"net/url"
	"os"
	"strings"
	"testing"

	"medlake/shared/store"
	"medlake/shared/store/fakes3"
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
		return remote(t, false)
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

// remote is the URL of a folder of an S3 bucket.
func remote(t testing.TB, versions bool) string {
	t.Helper()
	return strings.Replace(fakes3.Start(t, versions), "?", "/some/where?", 1)
}
