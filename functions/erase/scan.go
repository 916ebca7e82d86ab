// Package erase has what taking a person out of the lake needs: where the records of a patient lie, an upload without them,
// and a search of everything that a bucket holds for a value. It changes nothing in the bucket.
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
	Passwords func(ctx context.Context, customer string) ([]string, error) // all that may open a customer's uploads
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

// Find looks for a value in every object: its key, its bytes as they are, and what lies in them: members of uploads in
// UTF-8 and UTF-16, values of data files, blocks of Avro files, strings of JSON, in base64 too. A value that is only part
// of a longer one is found as well, so that there may be too many findings. Not seen are values cut short, as bounds of
// columns are, and numbers outside data files. Objects written or deleted meanwhile may be missed. An empty value is
// lake.ErrInvalid; other errors are the store's.
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
		look.found = false
		look.bytes([]byte(o.Key))
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
	look.bytes(data)
	switch {
	case look.found:
		return nil
	case strings.HasPrefix(key, store.LandingPrefix):
		customer, _, _ := strings.Cut(strings.TrimPrefix(key, store.LandingPrefix), "/")
		return s.upload(ctx, customer, data, look)
	case bytes.HasPrefix(data, []byte("PAR1")):
		return s.parquet(ctx, key, data, look)
	case bytes.HasPrefix(data, []byte(avroMark)):
		err = avro(data, look)
	case bytes.HasPrefix(data, []byte("{")), bytes.HasPrefix(data, []byte("[")):
		err = document(data, look)
	case bytes.HasPrefix(data, []byte("\x1f\x8b")), bytes.HasPrefix(data, []byte("PK\x03\x04")):
		err = errors.New("an archive that is no upload")
	}
	if err != nil {
		return &unread{err}
	}
	return nil
}

// upload searches the members of an upload.
func (s Scan) upload(ctx context.Context, customer string, data []byte, look *search) (err error) {
	passwords, err := s.Passwords(ctx, customer)
	if err != nil && !errors.Is(err, lake.ErrNotFound) {
		return err
	}
	a, err := archive.Open(data, passwords, s.Limits)
	var refusal *lake.Refusal
	switch {
	case errors.As(err, &refusal) && (refusal.Reason == lake.NotAnArchive || refusal.Reason == lake.NoMember):
		return nil // its bytes are all there is
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
		look.bytes([]byte(m.Name()))
		look.bytes(b)
		if err := m.Release(); err != nil {
			return err
		}
	}
	return nil
}

// search looks for one value in bytes.
type search struct {
	value   string
	needles [][]byte
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

func (s *search) bytes(b []byte) {
	for _, n := range s.needles {
		s.found = s.found || bytes.Contains(b, n)
	}
}
