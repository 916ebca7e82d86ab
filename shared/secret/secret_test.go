package secret

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"gocloud.dev/secrets"

	"medlake/shared/lake"
)

func write(t *testing.T, dir, name, value string) {
	t.Helper()
	path := filepath.Join(dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(value), 0o600); err != nil {
		t.Fatal(err)
	}
}

func open(t *testing.T, url string) *Store {
	t.Helper()
	s, err := Open(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func TestLinesAreCurrentThenPrevious(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		file string
		want []string
	}{
		"one line":               {"new", []string{"new"}},
		"newline at the end":     {"new\n", []string{"new"}},
		"two":                    {"new\nold\n", []string{"new", "old"}},
		"windows line ends":      {"new\r\nold\r\n", []string{"new", "old"}},
		"spaces belong to it":    {"  a b \n\told\n", []string{"  a b ", "\told"}},
		"empty lines are none":   {"\n\nnew\n\nold\n", []string{"new", "old"}},
		"byte order mark":        {"\ufeffnew\n", []string{"new"}},
		"not UTF-8":              {"p\xe4ss\n", []string{"p\xe4ss"}},
		"carriage return inside": {"a\rb\n", []string{"a\rb"}},
	}
	dir := t.TempDir()
	s := open(t, "file://"+dir)
	for name, tt := range tests {
		id := strings.ReplaceAll("zip/"+name, " ", "-")
		write(t, dir, id, tt.file)
		got, err := s.Lines(t.Context(), id)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if d := cmp.Diff(tt.want, got); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
	}
}

func TestFileIsReadAnew(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, "file://"+dir+"/{flat}.secret")
	for _, want := range []string{"first", "other"} {
		write(t, dir, "zip-acme.secret", want)
		got, err := s.Lines(t.Context(), "zip/acme")
		if err != nil || len(got) != 1 || got[0] != want {
			t.Errorf("got %q, %v; want %q", got, err, want)
		}
	}
}

func TestErrors(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, dir, "zip/empty", "\n\r\n")
	write(t, dir, "zip/large", strings.Repeat("hunter2", maxSize))
	s := open(t, "file://"+dir)
	tests := map[string]error{
		"zip/none":         lake.ErrNotFound,
		"zip/none/deeper":  lake.ErrNotFound,
		"zip":              lake.ErrInvalid, // a folder
		"zip/empty":        lake.ErrInvalid,
		"zip/large":        lake.ErrInvalid,
		"":                 lake.ErrInvalid,
		"/etc/passwd":      lake.ErrInvalid,
		"zip/../../passwd": lake.ErrInvalid,
		"zip//acme":        lake.ErrInvalid,
		"zip/.hidden":      lake.ErrInvalid,
		"zip/a b":          lake.ErrInvalid,
		"zip/{name}":       lake.ErrInvalid,
		`zip\acme`:         lake.ErrInvalid,
	}
	for name, want := range tests {
		got, err := s.Lines(t.Context(), name)
		if !errors.Is(err, want) || got != nil {
			t.Errorf("%q: got %v, %v; want %v", name, got, err, want)
		}
		if err != nil && strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%q: the error holds the value", name)
		}
	}
}

func TestUnreadableFileSaysWhatToDo(t *testing.T) {
	t.Parallel()
	if os.Getuid() == 0 {
		t.Skip("root reads every file")
	}
	dir := t.TempDir()
	write(t, dir, "zip/acme", "x")
	if err := os.Chmod(filepath.Join(dir, "zip/acme"), 0); err != nil {
		t.Fatal(err)
	}
	_, err := open(t, "file://"+dir).Lines(t.Context(), "zip/acme")
	if !errors.Is(err, lake.ErrDenied) || !strings.Contains(err.Error(), "0600") {
		t.Errorf("got %v", err)
	}
}

func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	for _, u := range []string{"file://relative/dir", "constant://?val=hunter2", "file:///x?keeper=base64key%3A%2F%2Fhunter2", "file:///x?decoder=string", "::"} {
		_, err := Open(t.Context(), u)
		if !errors.Is(err, lake.ErrInvalid) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: got %v", u, err)
		}
	}
}

func TestKeeperDecryptsFiles(t *testing.T) {
	t.Parallel()
	const key = "base64key://smGbjm71Nxd1Ig5FS0wj9SlbzAIrnolCz9bQQ6uAhl4="
	k, err := secrets.OpenKeeper(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	defer k.Close()
	locked, err := k.Encrypt(t.Context(), []byte("new\nold\n"))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	write(t, dir, "zip/acme", string(locked))
	write(t, dir, "zip/clear", "hunter2")
	s := open(t, "file://"+dir+"?keeper="+url.QueryEscape(key))
	for range 2 {
		got, err := s.Lines(t.Context(), "zip/acme")
		if d := cmp.Diff([]string{"new", "old"}, got); d != "" || err != nil {
			t.Errorf("%v (-want +got):\n%s", err, d)
		}
		got[0] = "changed by the caller"
	}
	if _, err := s.Lines(t.Context(), "zip/clear"); err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("got %v", err)
	}
}

func TestRemoteStoreIsAskedOnceInAWhile(t *testing.T) {
	t.Parallel()
	var asked atomic.Int32
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		switch r.URL.Path {
		case "/v/zip/acme":
			_, _ = w.Write([]byte("new\nold\n"))
		case "/v/zip/denied":
			http.Error(w, "no", http.StatusForbidden)
		default:
			http.NotFound(w, r)
		}
	}))
	defer srv.Close()
	s := open(t, srv.URL+"/v/{name}?decoder=bytes")
	var mu sync.Mutex
	now := time.Unix(0, 0)
	s.now = func() time.Time { mu.Lock(); defer mu.Unlock(); return now }
	var wg sync.WaitGroup
	lines := func() {
		got, err := s.Lines(context.Background(), "zip/acme")
		if d := cmp.Diff([]string{"new", "old"}, got); d != "" || err != nil {
			t.Errorf("%v (-want +got):\n%s", err, d)
		}
	}
	lines()
	for range 8 {
		wg.Go(lines)
	}
	wg.Wait()
	if n := asked.Load(); n != 1 {
		t.Errorf("asked %d times, want once", n)
	}
	now = now.Add(keepValue)
	lines()
	if n := asked.Load(); n != 2 {
		t.Errorf("asked %d times after the value grew old, want twice", n)
	}
	for range 2 {
		if _, err := s.Lines(t.Context(), "zip/none"); !errors.Is(err, lake.ErrNotFound) {
			t.Errorf("got %v", err)
		}
	}
	if n := asked.Load(); n != 3 {
		t.Errorf("asked %d times, want an absence to be remembered", n)
	}
	if _, err := s.Lines(t.Context(), "zip/denied"); err == nil || errors.Is(err, lake.ErrNotFound) {
		t.Errorf("got %v", err)
	}
}
