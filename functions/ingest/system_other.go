//go:build !unix

package ingest

import (
	"io"
	"os"
)

// mapFile reads the file: mappings are for Unix.
func mapFile(file *os.File, size int64) (data []byte, free func() error, err error) {
	data = make([]byte, size)
	_, err = io.ReadFull(io.NewSectionReader(file, 0, size), data)
	return data, func() error { return nil }, err
}

// limitProcess does nothing: limits are for Unix.
func limitProcess(uint64, uint64) error { return nil }
