// Package erase takes a patient, or all of a customer, out of the lake: it finds the uploads that hold records of the
// patient, has the log say that they leave, puts uploads without those records in their place, and once commit has done
// the rest, sees that nothing of them stays in the bucket, in whatever object, state or file. It ends with a certificate,
// which it only writes after a search of everything. Reading begins in erase.go.
package erase

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"unicode/utf16"

	"medlake/shared/archive"
	"medlake/shared/lake"
	"medlake/shared/store"
)

// Scan searches the objects of a bucket. Bucket and Passwords must be set.
type Scan struct {
	Bucket    *store.Bucket
	Customer  string                                                     // only what is this customer's, as far as it can be told; empty: everything
	Passwords func(ctx context.Context, upload string) ([]string, error) // all that may open an upload of this lake.Arrival.Name
	Limits    archive.Limits
}

// Findings are what a scan saw. Keys may themselves hold the value: they are not for logs.
type Findings struct {
	Objects int      // that were looked at
	Holding []string // keys of objects that hold the value, in the order of the bucket
	Unread  []string // keys of objects that could not be opened to the end, and may hold anything
}

// Clean reports whether every object was read and none holds the value.
func (f Findings) Clean() bool { return len(f.Holding)+len(f.Unread) == 0 }

// Places counts keys by their first folders, whose names are not the senders': landing/<customer>/, log/,
// tables/<namespace>/<table>/metadata/.
func Places(keys []string) map[string]int {
	places := map[string]int{}
	for _, key := range keys {
		depth := map[string]int{"landing": 2, "tables": 4}
		parts := strings.Split(key, "/")
		places[strings.Join(parts[:min(max(depth[parts[0]], 1), len(parts)-1)], "/")+"/"]++
	}
	return places
}

// Find looks for a value in every object: its key, its bytes as they are, and what lies in them: members of uploads in
// UTF-8 and UTF-16, values of data files, blocks of Avro files, strings of JSON, in base64 too. In text a value counts that
// has no letter or digit beside it; elsewhere one that is only part of a longer one is found too. Not seen are values cut
// short, as bounds of columns are, numbers but those of the lake's tables, and what the lake itself has named: see coined.go. Objects written or deleted meanwhile may be
// missed. An empty value is lake.ErrInvalid; other errors are the store's.
func (s Scan) Find(ctx context.Context, value string) (Findings, error) {
	var f Findings
	if value == "" {
		return f, fmt.Errorf("there is no value to look for: %w", lake.ErrInvalid)
	}
	look := newSearch(value)
	for o, err := range s.Bucket.List(ctx, "") {
		if err != nil {
			return f, err
		}
		if s.others(o.Key) {
			continue
		}
		look.found = false
		look.key(o.Key)
		err = s.object(ctx, o.Key, look)
		var fault *unread
		switch {
		case errors.As(err, &fault):
			f.Unread = append(f.Unread, o.Key)
		case errors.Is(err, lake.ErrNotFound): // deleted since it was listed
			continue
		case err != nil:
			return f, err
		}
		f.Objects++
		if look.found {
			f.Holding = append(f.Holding, o.Key)
		}
	}
	return f, nil
}

// unread is why an object could not be searched to its end.
type unread struct{ cause error }

func (u *unread) Error() string { return "search object: " + u.cause.Error() }

func (u *unread) Unwrap() error { return u.cause }

func (s Scan) object(ctx context.Context, key string, look *search) error {
	data, err := s.Bucket.Get(ctx, key)
	if err != nil {
		return err
	}
	switch {
	case strings.HasPrefix(key, store.LandingPrefix):
		return s.upload(ctx, lake.Arrival{Key: key}.Name(), data, look)
	case bytes.HasPrefix(data, []byte("PAR1")):
		return s.parquet(ctx, key, data, look)
	case bytes.HasPrefix(data, []byte(avroMark)):
		err = avro(data, look)
	case bytes.HasPrefix(data, []byte("{")), bytes.HasPrefix(data, []byte("[")):
		err = s.document(key, data, look)
	case bytes.HasPrefix(data, []byte("\x1f\x8b")) && strings.HasPrefix(key, store.FoldedPrefix):
		err = s.folded(key, data, look)
	case bytes.HasPrefix(data, []byte("\x1f\x8b")), bytes.HasPrefix(data, []byte("PK\x03\x04")):
		err = errors.New("an archive that is no upload")
	default:
		look.bytes(data)
	}
	if err != nil {
		return &unread{err}
	}
	return nil
}

// others reports whether a key says that what it is for is not the customer's.
func (s Scan) others(key string) bool {
	if s.Customer == "" {
		return false
	}
	for _, before := range []string{store.LandingPrefix, "/customer="} {
		if i := strings.Index(key, before); i >= 0 && (i == 0 || before != store.LandingPrefix) {
			return !strings.HasPrefix(key[i+len(before):], s.Customer+"/")
		}
	}
	return false
}

// upload searches the members of an upload.
func (s Scan) upload(ctx context.Context, name string, data []byte, look *search) (err error) {
	passwords, err := s.Passwords(ctx, name)
	if err != nil && !errors.Is(err, lake.ErrNotFound) {
		return err
	}
	a, err := archive.Open(data, passwords, s.Limits)
	var refusal *lake.Refusal
	switch {
	case errors.As(err, &refusal) && (refusal.Reason == lake.NotAnArchive || refusal.Reason == lake.NoMember):
		look.text(data) // its bytes are all there is
		return nil
	case refusal != nil:
		return &unread{err}
	case err != nil:
		return err
	}
	defer func() { err = errors.Join(err, a.Close()) }()
	for _, m := range a.Members() {
		b, err := m.Bytes()
		if err != nil {
			return err
		}
		look.text([]byte(m.Name()))
		look.text(b)
		if err := m.Release(); err != nil {
			return err
		}
	}
	return nil
}

// search looks for one value in bytes.
type search struct {
	value   string
	needles [][]byte // in UTF-8, UTF-16 little and big endian
	found   bool
}

func newSearch(value string) *search {
	s := &search{value: value, needles: [][]byte{[]byte(value)}}
	for _, order := range []binary.AppendByteOrder{binary.LittleEndian, binary.BigEndian} {
		var n []byte
		for _, u := range utf16.Encode([]rune(value)) {
			n = order.AppendUint16(n, u)
		}
		s.needles = append(s.needles, n)
	}
	return s
}

// bytes looks for the value anywhere.
func (s *search) bytes(b []byte) {
	for _, n := range s.needles {
		s.found = s.found || bytes.Contains(b, n)
	}
}

// text looks for the value where it has no letter or digit beside it.
func (s *search) text(b []byte) {
	for i, n := range s.needles {
		width := min(i+1, 2)
		low := 0 // which byte of a letter's two is not zero
		if i == 2 {
			low = 1
		}
		letter := func(at int) bool {
			return at >= 0 && at+width <= len(b) && alphanumeric(b[at+low]) && (width == 1 || b[at+1-low] == 0)
		}
		for from := 0; !s.found; {
			at := bytes.Index(b[from:], n)
			if at < 0 {
				break
			}
			at += from
			s.found = !letter(at-width) && !letter(at+len(n))
			from = at + 1
		}
	}
}

func alphanumeric(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}

// in reports whether the value stands in a text.
func (s *search) in(b []byte) bool {
	s.found = false
	s.text(b)
	return s.found
}
