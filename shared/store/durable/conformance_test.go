package durable

import (
	"context"
	"net/http"
	"testing"

	"gocloud.dev/blob/driver"
	"gocloud.dev/blob/drivertest"
)

type harness struct{ dir, prefix string }

func (h harness) MakeDriver(context.Context) (driver.Bucket, error) {
	d, err := New(h.dir)
	if err != nil || h.prefix == "" {
		return d, err
	}
	return driver.NewPrefixedBucket(d, h.prefix), nil
}

// MakeDriverForNonexistentBucket returns nil: New makes the folder.
func (harness) MakeDriverForNonexistentBucket(context.Context) (driver.Bucket, error) {
	return nil, nil
}
func (harness) HTTPClient() *http.Client         { return nil }
func (harness) SupportsCopy() bool               { return true }
func (harness) SupportsNonSlashDelimiters() bool { return true }
func (harness) Close()                           {}

func TestConformance(t *testing.T) {
	t.Parallel()
	for _, prefix := range []string{"", "some/prefix/"} {
		dir := t.TempDir() // the suite's subtests share what they have written
		drivertest.RunConformanceTests(t, func(context.Context, *testing.T) (drivertest.Harness, error) {
			return harness{dir, prefix}, nil
		}, nil)
	}
}
