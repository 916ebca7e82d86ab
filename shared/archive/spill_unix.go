//go:build unix

package archive

import (
	"errors"
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// spill writes size bytes of r to a temporary file that only we can read and that has no name any more, and maps it.
func spill(r io.Reader, size int) (b []byte, err error) {
	f, err := os.CreateTemp("", "medlake-*") // mode 0600
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if err := os.Remove(f.Name()); err != nil {
		return nil, err
	}
	if _, err := io.CopyN(f, r, int64(size)); err != nil {
		return nil, err
	}
	return unix.Mmap(int(f.Fd()), 0, size, unix.PROT_READ, unix.MAP_SHARED)
}

func unspill(b []byte) error { return unix.Munmap(b) }
