package faulty

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"gocloud.dev/blob/driver"
	"gocloud.dev/blob/drivertest"

	"medlake/shared/lake"
	"medlake/shared/store"
)

type harness struct{ b *store.Bucket }

func (h harness) MakeDriver(context.Context) (driver.Bucket, error) {
	_, d := New(h.b, nil)
	return d, nil
}

func (harness) MakeDriverForNonexistentBucket(context.Context) (driver.Bucket, error) {
	return nil, nil
}
func (harness) HTTPClient() *http.Client         { return nil }
func (harness) SupportsCopy() bool               { return true }
func (harness) SupportsNonSlashDelimiters() bool { return true }
func (harness) Close()                           {}

func open(t *testing.T, url string) *store.Bucket {
	t.Helper()
	b, err := store.Open(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestConformance: without faults the wrapper is the bucket.
func TestConformance(t *testing.T) {
	t.Parallel()
	for _, url := range []string{"mem://", store.FileURL(t.TempDir())} {
		b := open(t, url)
		drivertest.RunConformanceTests(t, func(context.Context, *testing.T) (drivertest.Harness, error) {
			return harness{b}, nil
		}, nil)
	}
}

func TestFaults(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		fault  Fault
		stored bool
		err    error // of the call
		dead   bool
	}{
		{None, true, nil, false},
		{Before, false, ErrInjected, false},
		{After, true, ErrInjected, false},
		{Crash, false, ErrCrashed, true},
		{CrashAfter, true, ErrCrashed, true},
	} {
		good := open(t, "mem://")
		bad, d := New(good, Nth(0, tt.fault))
		bad.Retry.Tries = 1
		err := bad.Put(t.Context(), "k", []byte("v"))
		if tt.err == nil != (err == nil) || err != nil && !strings.Contains(err.Error(), tt.err.Error()) {
			t.Errorf("%v: got %v, want %v", tt.fault, err, tt.err)
		}
		if _, err := good.Get(t.Context(), "k"); errors.Is(err, lake.ErrNotFound) == tt.stored {
			t.Errorf("%v: stored is %v", tt.fault, !tt.stored)
		}
		err = bad.Put(t.Context(), "k2", nil)
		if d.Crashed() != tt.dead || (err != nil) != tt.dead {
			t.Errorf("%v: crashed %v, then %v", tt.fault, d.Crashed(), err)
		}
	}
}

func TestCallsAreRecorded(t *testing.T) {
	t.Parallel()
	b, d := New(open(t, "mem://"), nil)
	ctx := t.Context()
	_ = b.Put(ctx, "a/k", nil)
	_, _ = b.Get(ctx, "a/k")
	_, _ = b.Head(ctx, "a/k")
	for range b.List(ctx, "a/") {
	}
	_ = b.Delete(ctx, "a/k")
	want := []Call{{0, Put, "a/k"}, {1, Get, "a/k"}, {2, Head, "a/k"}, {3, List, "a/"}, {4, Delete, "a/k"}}
	if d := cmp.Diff(want, d.Calls()); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	if !want[0].IsWrite() || want[1].IsWrite() {
		t.Error("IsWrite")
	}
}
