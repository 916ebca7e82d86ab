package datafile

import (
	"fmt"
	"io"

	"medlake/shared/lake"
)

// source serves a file's bytes from the piece that was fetched last, so that a bucket is asked once a column and not once a
// page.
type source struct {
	r     io.ReaderAt
	size  int64
	piece []byte
	at    int64
}

const (
	wholeFile = 1 << 20   // smaller files are read at once
	tailBytes = 128 << 10 // enough for the footer of nearly all others
)

func (s *source) fetchTail() error {
	n := s.size
	if n > wholeFile {
		n = tailBytes
	}
	return s.fetch(s.size-n, n)
}

func (s *source) fetch(at, n int64) error {
	if at < 0 || n < 0 || at+n > s.size {
		return fmt.Errorf("bytes %d to %d of a file of %d: %w", at, at+n, s.size, lake.ErrInvalid)
	}
	if at >= s.at && at+n <= s.at+int64(len(s.piece)) {
		return nil
	}
	if int64(cap(s.piece)) < n {
		s.piece = make([]byte, n)
	}
	s.piece, s.at = s.piece[:n], at
	if got, err := s.r.ReadAt(s.piece, at); int64(got) < n {
		s.piece = nil
		return fmt.Errorf("%d of %d bytes: %w", got, n, err)
	}
	return nil
}

// ReadAt serves what was fetched, and asks for the rest.
func (s *source) ReadAt(p []byte, off int64) (int, error) {
	if off >= s.at && off+int64(len(p)) <= s.at+int64(len(s.piece)) {
		return copy(p, s.piece[off-s.at:]), nil
	}
	return s.r.ReadAt(p, off)
}
