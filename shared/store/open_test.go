package store_test

import (
	"errors"
	"net/url"
	"path/filepath"
	"strings"
	"testing"

	"medlake/shared/lake"
	"medlake/shared/store"
)

func TestURLs(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]string{
		"mem://":                       "mem://lake/a/b",
		"s3://bucket?region=us-east-1": "s3://bucket/a/b",
		"s3://bucket/some/lake/?region=us-east-1":  "s3://bucket/some/lake/a/b",
		"azblob://box/lake?storage_account=clinic": "abfss://box@clinic.dfs.core.windows.net/lake/a/b",
	} {
		b := store.New(open(t, "mem").Blob(), raw)
		if strings.HasPrefix(raw, "s3") {
			var err error
			if b, err = store.Open(t.Context(), raw); err != nil {
				t.Error(err)
				continue
			}
		}
		if got := b.URL("a/b"); got != want {
			t.Errorf("%s: got %s, want %s", raw, got, want)
		}
		if got, err := b.Key(want); err != nil || got != "a/b" {
			t.Errorf("%s: got %s, %v", raw, got, err)
		}
		if strings.Contains(b.Name(), "region") {
			t.Errorf("%s: name %s", raw, b.Name())
		}
	}
	for _, raw := range []string{"", "dir", "file:dir", "file://host/dir", "ftp://x", "s3://", "s3:///key", ":"} {
		if _, err := store.Open(t.Context(), raw); !errors.Is(err, lake.ErrInvalid) {
			t.Errorf("open %q: got %v", raw, err)
		}
	}
}

func TestFileURLs(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"plain", "Jane's lake", "50%25 #1?", "ä"} {
		dir := filepath.Join(t.TempDir(), name)
		b, err := store.Open(t.Context(), store.FileURL(dir))
		if err != nil {
			t.Fatal(err)
		}
		for _, key := range []string{"tables/lake/visits/data/customer=acme/x-1.parquet", "landing/a/d/50% of it?.zip@1", "../up", "a//b/"} {
			u := b.URL(key)
			if got, err := b.Key(u); err != nil || got != key {
				t.Errorf("%s: got %q, %v back from %s", name, got, err, u)
			}
			if strings.HasPrefix(key, "tables/") && !strings.HasSuffix(u, dir+"/"+key) {
				t.Errorf("%s: %s is not the file's path", name, u)
			}
			if err := b.Put(t.Context(), key, []byte(key)); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		again, err := store.Open(t.Context(), "file://localhost"+(&url.URL{Path: dir + "/../" + name}).EscapedPath())
		if err != nil || again.Name() != b.Name() || again.URL("k") != b.URL("k") {
			t.Errorf("%s: opened by another spelling: %v", name, err)
		}
		for _, bad := range []string{"", "file:///elsewhere/k", b.URL(""), "s3://x/y", b.URL("") + "%zz"} {
			if got, err := b.Key(bad); !errors.Is(err, lake.ErrInvalid) {
				t.Errorf("key of %q: got %q, %v", bad, got, err)
			}
		}
	}
}
