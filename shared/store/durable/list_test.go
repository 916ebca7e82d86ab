package durable

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"gocloud.dev/blob"
)

// list pages through a listing, a few objects at a time.
func list(ctx context.Context, b *blob.Bucket, prefix, delim string, page int) ([]string, error) {
	var keys []string
	for token := blob.FirstPageToken; len(token) > 0; {
		objects, next, err := b.ListPage(ctx, token, page, &blob.ListOptions{Prefix: prefix, Delimiter: delim})
		if err != nil {
			return nil, err
		}
		if len(objects) > page {
			return nil, fmt.Errorf("page of %d objects, want at most %d", len(objects), page)
		}
		for _, o := range objects {
			keys = append(keys, o.Key)
		}
		token = next
	}
	return keys, nil
}

// wanted is the same by definition.
func wanted(keys []string, prefix, delim string) []string {
	var want []string
	for _, k := range slices.Sorted(slices.Values(keys)) {
		if !strings.HasPrefix(k, prefix) {
			continue
		}
		if i := strings.Index(k[len(prefix):], delim); delim != "" && i >= 0 {
			k = k[:len(prefix)+i+len(delim)]
		}
		if len(want) == 0 || want[len(want)-1] != k {
			want = append(want, k)
		}
	}
	return want
}

// TestListEqualsSortedKeys compares listings with the definition over random keys whose parts sort badly around the
// slash, for every prefix, delimiter and page size.
func TestListEqualsSortedKeys(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(1, 2))
	parts := []string{"a", "a-", "a.b", "a b", "a0", "b", "B", "é", "%", "..", "-", hidden, "x%2F"}
	_, b, _ := recorded(t)
	keys := []string{"a//b", "/lead", "trail/", hidden}
	taken := map[string]bool{hidden: true, "trail": true, "a": true}
	for range 120 {
		var key string
		for depth := range 1 + rng.IntN(4) {
			if depth > 0 {
				key += "/"
			}
			key += parts[rng.IntN(len(parts))]
		}
		ok := !taken[key]
		for dir := key; strings.Contains(dir, "/"); {
			dir = dir[:strings.LastIndexByte(dir, '/')]
			ok = ok && !slices.Contains(keys, dir)
		}
		if !ok || slices.Contains(keys, key) {
			continue
		}
		for dir := key; strings.Contains(dir, "/"); {
			dir = dir[:strings.LastIndexByte(dir, '/')]
			taken[dir] = true
		}
		keys = append(keys, key)
	}
	for _, k := range keys {
		if err := put(t.Context(), b, k, "x", true); err != nil {
			t.Fatalf("put %q: %v", k, err)
		}
	}
	prefixes := map[string]bool{"": true, "nothing": true, "a/nothing/": true}
	for _, k := range keys {
		for i := range k {
			prefixes[k[:i+1]] = true
		}
	}
	for prefix := range prefixes {
		for _, delim := range []string{"", "/", "-", "a/"} {
			for _, page := range []int{1, 3, 1000} {
				got, err := list(t.Context(), b, prefix, delim, page)
				if err != nil {
					t.Fatal(err)
				}
				if d := cmp.Diff(wanted(keys, prefix, delim), got); d != "" {
					t.Fatalf("prefix %q, delimiter %q, page %d (-want +got):\n%s", prefix, delim, page, d)
				}
			}
		}
	}
	for _, k := range keys {
		if err := b.Delete(t.Context(), k); err != nil {
			t.Errorf("delete %q: %v", k, err)
		}
	}
	for _, delim := range []string{"", "/"} {
		if got, err := list(t.Context(), b, "", delim, 10); err != nil || len(got) > 0 {
			t.Errorf("delimiter %q: listed %v, %v in empty folders", delim, got, err)
		}
	}
}

func TestListStartsAtThePrefixFolder(t *testing.T) {
	t.Parallel()
	for prefix, want := range map[string]string{
		"":                       "",
		"landing":                "",
		"landing/acme/":          "landing/acme/",
		"landing/acme/2026-11-2": "landing/acme/",
		"a//b/c":                 "a/", // the second slash is spelled with the name after it
		"a/../b/":                "a/",
		"/lead/":                 "",
		hidden + "/x/":           "",
		"50%/x":                  "",
	} {
		if got := startFolder(prefix); got != want {
			t.Errorf("%q: got %q, want %q", prefix, got, want)
		}
	}
}

// TestForeignFilesAreNoObjects: links, sockets and names that no key has are left out.
func TestForeignFilesAreNoObjects(t *testing.T) {
	t.Parallel()
	d, b, _ := recorded(t)
	if err := put(t.Context(), b, "a/k", "x", true); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("/etc/passwd", filepath.Join(d.root, "a/link")); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(d.root, "a/50%.csv"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := list(t.Context(), b, "", "", 10)
	if d := cmp.Diff([]string{"a/k"}, got); d != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, d)
	}
	if _, err := b.ReadAll(t.Context(), "a/link"); err == nil {
		t.Error("a symbolic link was followed")
	}
}

func FuzzEscape(f *testing.F) {
	for _, s := range []string{"a/b", "a//b", "../x", "./", "/", "%2F", hidden + "/id", "a/" + hidden, "é ☺", "a\x00b"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, key string) {
		path := Escape(key)
		if got, ok := Unescape(path); !ok || got != key {
			t.Errorf("%q: got %q back", key, got)
		}
		if key == "" {
			return
		}
		if !filepath.IsLocal(path) || filepath.Clean(path) != path || strings.ContainsRune(path, 0) {
			t.Errorf("%q: path %q is not a clean path below the root", key, path)
		}
		if top, _, _ := strings.Cut(path, "/"); top == hidden {
			t.Errorf("%q: path %q is in the hidden folder", key, path)
		}
	})
}
