// Package fakes3 serves S3 from memory, for tests.
package fakes3

import (
	"net/http/httptest"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"
)

// T is what Start needs of a test.
type T interface {
	Helper()
	Fatal(args ...any)
	Cleanup(f func())
}

// Start serves one empty bucket, which keeps versions if it is to, until the test ends. The URL is as store.Open takes it.
func Start(t T, versions bool) string {
	t.Helper()
	mem := s3mem.New()
	err := mem.CreateBucket("lake")
	if err == nil && versions {
		err = mem.SetVersioningConfiguration("lake", gofakes3.VersioningConfiguration{Status: gofakes3.VersioningEnabled})
	}
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(gofakes3.New(mem).Server())
	t.Cleanup(srv.Close)
	return "s3://lake?region=us-east-1&anonymous=true&use_path_style=true&endpoint=" + srv.URL
}
