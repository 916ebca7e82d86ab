// Package secret turns the name of a secret into its values: the current one and, while senders move over, the one
// before. Secrets are files by default, or anything gocloud.dev/runtimevar can read. It never writes secrets, and no
// value stands in an error.
package secret

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"gocloud.dev/gcerrors"
	"gocloud.dev/secrets"

	"medlake/shared/lake"
)

// Store reads secrets. It is safe for concurrent use.
type Store struct {
	read   func(ctx context.Context, name string) ([]byte, error)
	keeper *secrets.Keeper // nil: values are stored in the clear
	keep   time.Duration   // how long a value is believed; 0: it is read every time
	now    func() time.Time

	mu    sync.Mutex
	cache map[string]cached
}

type cached struct {
	until time.Time
	raw   []byte // as it was read, to decrypt each content once
	lines []string
	err   error
}

// How long values of remote stores are kept, and how long it is remembered that there is none.
const (
	keepValue   = 30 * time.Second
	keepAbsence = 5 * time.Second
)

// Open opens the secrets that url names. In file:///dir the secret zip/acme is the file /dir/zip/acme. Other URLs are
// those of gocloud.dev/runtimevar with {name} where the secret's name belongs, or {flat} for the name with its slashes
// turned into dashes:
//
//	file:///run/secrets
//	file:///etc/medlake/{flat}.secret
//	awssecretsmanager://medlake/{name}?region=us-east-1
//	gcpsecretmanager://projects/clinic/secrets/{flat}
//	http://vault.local/{name}
//
// The parameter keeper names a gocloud.dev/secrets keeper (URL-escaped) that the stored values are encrypted with, for
// instance ?keeper=base64key%3A%2F%2F….
func Open(ctx context.Context, rawURL string) (*Store, error) {
	u, err := url.Parse(rawURL)
	if err != nil {
		return nil, fmt.Errorf("the URL of the secrets cannot be read: %w", lake.ErrInvalid)
	}
	s := &Store{now: time.Now, cache: map[string]cached{}}
	q := u.Query()
	if k := q.Get("keeper"); k != "" {
		if s.keeper, err = secrets.OpenKeeper(ctx, k); err != nil {
			// The error and the URL may hold the key.
			return nil, fmt.Errorf("the keeper of the secrets cannot be opened (%s): %w", gcerrors.Code(err), lake.ErrInvalid)
		}
		q.Del("keeper")
		u.RawQuery = q.Encode()
	}
	switch {
	case u.Scheme == "file":
		dir := filepath.FromSlash(u.Path)
		if u.Host != "" && u.Host != "localhost" || !filepath.IsAbs(dir) || len(q) > 0 {
			return nil, fmt.Errorf("secrets in files are named by an absolute path: file:///dir: %w", lake.ErrInvalid)
		}
		s.read = files(dir)
	case !hasPlace(u.String()):
		return nil, fmt.Errorf("the URL of the secrets must say where the name belongs: {name} or {flat}: %w", lake.ErrInvalid)
	default:
		s.read, s.keep = variables(u), keepValue
	}
	return s, nil
}

// Close gives the keeper back.
func (s *Store) Close() error {
	if s.keeper == nil {
		return nil
	}
	return s.keeper.Close()
}

// Lines returns the values of a secret: the current one first, then those before it, one a line of what is stored. Line
// ends are removed, spaces are not. An unknown secret is lake.ErrNotFound, a name that cannot be one lake.ErrInvalid.
// A value of a remote store may be half a minute old.
func (s *Store) Lines(ctx context.Context, name string) ([]string, error) {
	if !valid(name) {
		return nil, fmt.Errorf("the name of a secret is parts of letters, digits and - _ . joined by slashes: %w", lake.ErrInvalid)
	}
	s.mu.Lock()
	c, ok := s.cache[name]
	s.mu.Unlock()
	if !ok || !s.now().Before(c.until) {
		c = s.fetch(ctx, name, c.raw, c.lines)
	}
	if c.err != nil {
		return nil, fmt.Errorf("secret %s: %w", name, c.err)
	}
	return slices.Clone(c.lines), nil
}

// fetch reads a secret anew. Old and its lines are what was read before.
func (s *Store) fetch(ctx context.Context, name string, old []byte, lines []string) cached {
	raw, err := s.read(ctx, name)
	c := cached{raw: raw, lines: lines, err: err, until: s.now().Add(s.keep)}
	if err == nil && (old == nil || !bytes.Equal(raw, old)) {
		c.lines, c.err = s.open(ctx, raw)
	}
	switch {
	case c.err == nil:
	case s.keep > 0 && errors.Is(c.err, lake.ErrNotFound):
		c = cached{err: c.err, until: s.now().Add(keepAbsence)}
	default:
		return cached{err: c.err}
	}
	if s.keep == 0 && s.keeper == nil {
		return c // reading is as cheap as remembering
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cache[name] = c
	return c
}

// open decrypts what was read and splits it.
func (s *Store) open(ctx context.Context, raw []byte) ([]string, error) {
	if s.keeper != nil {
		var err error
		if raw, err = s.keeper.Decrypt(ctx, raw); err != nil {
			return nil, fmt.Errorf("cannot be decrypted by its keeper (%s)", gcerrors.Code(err))
		}
	}
	lines := split(raw)
	if len(lines) == 0 {
		return nil, fmt.Errorf("is empty: %w", lake.ErrInvalid)
	}
	return lines, nil
}

// split cuts text into its lines that are not empty. A byte order mark in front, as some editors write it, is no part of
// a value.
func split(b []byte) []string {
	b = bytes.TrimPrefix(b, []byte("\ufeff"))
	var lines []string
	for l := range strings.SplitSeq(string(b), "\n") {
		if l = strings.TrimRight(l, "\r"); l != "" {
			lines = append(lines, l)
		}
	}
	return lines
}

// valid reports whether name is made of plain parts.
func valid(name string) bool {
	if len(name) > 200 {
		return false
	}
	for p := range strings.SplitSeq(name, "/") {
		if p == "" || p[0] == '.' || strings.Trim(p, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.") != "" {
			return false
		}
	}
	return true
}
