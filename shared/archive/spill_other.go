//go:build !unix

package archive

import "io"

// spill keeps the bytes in memory where files cannot be mapped this way.
func spill(r io.Reader, size int) ([]byte, error) {
	b := make([]byte, size)
	_, err := io.ReadFull(r, b)
	return b, err
}

func unspill([]byte) error { return nil }
