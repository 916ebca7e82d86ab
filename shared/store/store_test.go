package store_test

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"

	"medlake/shared/lake"
	"medlake/shared/store"
	"medlake/shared/store/faulty"
)

// each runs a test on a bucket of every kind this machine has.
func each(t *testing.T, test func(t *testing.T, b *store.Bucket)) {
	t.Helper()
	t.Parallel()
	for _, kind := range kinds() {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			test(t, open(t, kind))
		})
	}
}

func open(t testing.TB, kind string) *store.Bucket {
	t.Helper()
	b, err := store.Open(t.Context(), address(t, kind))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	if kind == "faulty" {
		b, _ = faulty.New(b, nil)
	}
	return b
}

func keys(t *testing.T, b *store.Bucket, prefix string) (got []string) {
	t.Helper()
	for o, err := range b.List(t.Context(), prefix) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, o.Key)
	}
	return got
}

func folders(t *testing.T, b *store.Bucket, prefix string) (got []string) {
	t.Helper()
	for f, err := range b.Folders(t.Context(), prefix) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, f)
	}
	return got
}

func TestReadAfterWrite(t *testing.T) {
	each(t, func(t *testing.T, b *store.Bucket) {
		ctx := t.Context()
		for _, v := range []string{"one", "", "three"} {
			if err := b.Put(ctx, "a/k", []byte(v)); err != nil {
				t.Fatal(err)
			}
			if got, err := b.Get(ctx, "a/k"); err != nil || string(got) != v {
				t.Errorf("got %q, %v; want %q", got, err, v)
			}
			r, err := b.Reader(ctx, "a/k")
			if err != nil {
				t.Fatal(err)
			}
			if got, err := io.ReadAll(r); err != nil || string(got) != v {
				t.Errorf("got %q, %v; want %q", got, err, v)
			}
			if err := r.Close(); err != nil {
				t.Error(err)
			}
			if o, err := b.Head(ctx, "a/k"); err != nil || o.Key != "a/k" || o.Size != int64(len(v)) || o.Version == "" || o.ModTime.IsZero() {
				t.Errorf("got %+v, %v", o, err)
			}
		}
		if err := b.PutIfAbsent(ctx, "a/k", nil); !errors.Is(err, lake.ErrConflict) {
			t.Errorf("got %v", err)
		}
		if err := b.PutIfAbsent(ctx, "a/k2", []byte("x")); err != nil {
			t.Error(err)
		}
		for range 2 {
			if err := b.Delete(ctx, "a/k"); err != nil {
				t.Error(err)
			}
		}
		_, gerr := b.Get(ctx, "a/k")
		_, herr := b.Head(ctx, "a/k")
		_, rerr := b.Reader(ctx, "a/k")
		for _, err := range []error{gerr, herr, rerr} {
			if !errors.Is(err, lake.ErrNotFound) || !strings.Contains(err.Error(), "a/k") {
				t.Errorf("got %v", err)
			}
		}
	})
}

func TestListings(t *testing.T) {
	each(t, func(t *testing.T, b *store.Bucket) {
		all := []string{
			"landing/acme-2/2026-11-24/x.zip@1", "landing/acme/2026-11-23/x.zip@2", "landing/acme/2026-11-24/p/y.zip@3",
			"log/000000000001", "log/000000000010", "pending/a.0",
		}
		for _, k := range slices.Backward(all) {
			if err := b.Put(t.Context(), k, []byte(k)); err != nil {
				t.Fatal(err)
			}
		}
		if err := b.Put(t.Context(), "landing/gone/2026-11-24/x.zip@4", nil); err != nil {
			t.Fatal(err)
		}
		if err := b.Delete(t.Context(), "landing/gone/2026-11-24/x.zip@4"); err != nil {
			t.Fatal(err)
		}
		for prefix, want := range map[string][]string{
			"": all, "log/": all[3:5], "landing/acme/": all[1:3], "landing/ac": all[:3], "none/": nil,
		} {
			if d := cmp.Diff(want, keys(t, b, prefix)); d != "" {
				t.Errorf("list %q (-want +got):\n%s", prefix, d)
			}
		}
		for prefix, want := range map[string][]string{
			"":              {"landing/", "log/", "pending/"},
			"landing/":      {"landing/acme-2/", "landing/acme/"},
			"landing/acme/": {"landing/acme/2026-11-23/", "landing/acme/2026-11-24/"},
			"log/":          nil,
			"none/":         nil,
		} {
			if d := cmp.Diff(want, folders(t, b, prefix)); d != "" {
				t.Errorf("folders of %q (-want +got):\n%s", prefix, d)
			}
		}
		for o, err := range b.List(t.Context(), store.LandingPrefix) {
			if err != nil {
				t.Fatal(err)
			}
			head, err := b.Head(t.Context(), o.Key)
			if d := cmp.Diff(head, o); d != "" || err != nil {
				t.Errorf("listed, not as by head: %v (-head +listed):\n%s", err, d)
			}
			break // ending early is fine
		}
	})
}

func TestArrivalIsTheSameByEveryWay(t *testing.T) {
	each(t, func(t *testing.T, b *store.Bucket) {
		key := store.LandingKey("acme", time.Now(), "visits/jan.zip", "1")
		up, err := b.Upload(t.Context(), key, strings.NewReader("bytes"))
		if err != nil {
			t.Fatal(err)
		}
		want := b.Arrival(up)
		if want.Bucket != b.Name() || want.Size != 5 || want.Name() != "acme/visits/jan.zip" || want.Version == "" ||
			want.At.Location() != time.UTC || want.At.Nanosecond()%1000 != 0 || time.Since(want.At).Abs() > time.Hour {
			t.Errorf("got %+v", want)
		}
		for o, err := range b.List(t.Context(), store.LandingPrefix) {
			if d := cmp.Diff(want, b.Arrival(o)); d != "" || err != nil {
				t.Errorf("by listing: %v (-want +got):\n%s", err, d)
			}
		}
	})
}

func TestUploadPublishesAllOrNothing(t *testing.T) {
	each(t, func(t *testing.T, b *store.Bucket) {
		broken := errors.New("sender hung up")
		half := strings.Repeat("half", 100_000)
		_, err := b.Upload(t.Context(), "landing/c/d/n@1", io.MultiReader(strings.NewReader(half), iotest.ErrReader(broken)))
		if !errors.Is(err, broken) {
			t.Errorf("got %v, want the source's error", err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		_, err = b.Upload(ctx, "landing/c/d/n@2", io.MultiReader(strings.NewReader(half), readerFunc(func([]byte) (int, error) {
			cancel()
			return 0, io.EOF
		})))
		if !errors.Is(err, context.Canceled) {
			t.Errorf("got %v, want the context's error", err)
		}
		if got := keys(t, b, ""); got != nil {
			t.Errorf("published %v", got)
		}
		for _, want := range []error{nil, nil} { // again with the same bytes: a lost reply looks like that
			if o, err := b.Upload(t.Context(), "landing/c/d/n@3", strings.NewReader(half)); err != want || o.Size != int64(len(half)) {
				t.Errorf("got %+v, %v", o, err)
			}
		}
		for _, other := range []string{"shorter", strings.Replace(half, "half", "HALF", 1)} {
			if _, err := b.Upload(t.Context(), "landing/c/d/n@3", strings.NewReader(other)); !errors.Is(err, lake.ErrConflict) {
				t.Errorf("got %v, want a conflict", err)
			}
		}
	})
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

// TestErrorsNameNoSendersFile: a file's name may identify a patient.
func TestErrorsNameNoSendersFile(t *testing.T) {
	each(t, func(t *testing.T, b *store.Bucket) {
		key := store.LandingKey("acme", time.Unix(0, 0), "p/Jane Doe 1950.zip", "id7")
		_, gerr := b.Get(t.Context(), key)
		_, herr := b.Head(t.Context(), key)
		_, rerr := b.Reader(t.Context(), key)
		if err := b.Put(t.Context(), key, nil); err != nil {
			t.Fatal(err)
		}
		perr := b.PutIfAbsent(t.Context(), key, nil)
		_, uerr := b.Upload(t.Context(), key, strings.NewReader("x"))
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, cerr := b.Claim(ctx, key+"2", nil)
		derr := b.Put(t.Context(), key+"/deeper", nil) // not possible in files
		for i, err := range []error{gerr, herr, rerr, perr, uerr, cerr, derr} {
			if err == nil && i == 6 {
				continue
			}
			if err == nil || strings.Contains(err.Error(), "Jane") || !strings.Contains(err.Error(), "landing/acme/1970-01-01/…@id7") {
				t.Errorf("%d: got %v", i, err)
			}
		}
	})
}

// TestUploadNamesNoSource: nor may the error of a source that is a file.
func TestUploadNamesNoSource(t *testing.T) {
	t.Parallel()
	b, err := store.Open(t.Context(), "mem://")
	if err != nil {
		t.Fatal(err)
	}
	source := readerFunc(func([]byte) (int, error) {
		return 0, &fs.PathError{Op: "read", Path: "Jane Doe.zip", Err: fs.ErrPermission}
	})
	if _, err := b.Upload(t.Context(), "landing/acme/1970-01-01/a@id7", source); !errors.Is(err, fs.ErrPermission) || strings.Contains(err.Error(), "Jane") {
		t.Errorf("got %v", err)
	}
}
