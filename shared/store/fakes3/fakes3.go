// Package fakes3 serves S3 from memory, for tests.
package fakes3

import (
	"net/http/httptest"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"
)

// Start serves one empty bucket, which keeps versions if it is to, until stop is called. url is as store.Open takes it.
func Start(versions bool) (url string, stop func(), err error) {
	mem := s3mem.New()
	if err := mem.CreateBucket("lake"); err != nil {
		return "", nil, err
	}
	if versions {
		on := gofakes3.VersioningConfiguration{Status: gofakes3.VersioningEnabled}
		if err := mem.SetVersioningConfiguration("lake", on); err != nil {
			return "", nil, err
		}
	}
	srv := httptest.NewServer(gofakes3.New(mem).Server())
	return "s3://lake?region=us-east-1&anonymous=true&use_path_style=true&endpoint=" + srv.URL, srv.Close, nil
}
