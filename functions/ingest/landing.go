package ingest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"

	"medlake/shared/lake"
	"medlake/shared/store"
)

const (
	maxInMemory = 64 << 20 // larger uploads are mapped from a temporary file
	maxPooled   = 2 << 20  // larger buffers are left to the collector
)

// upload is the bytes of one landing object.
type upload struct {
	bytes []byte
	free  func() error
}

func (u *upload) Close() error { return u.free() }

var uploads = sync.Pool{New: func() any { return new([]byte) }}

// read fetches an upload.
func (f *Ingest) read(ctx context.Context, a lake.Arrival) (u *upload, err error) {
	r, err := f.cfg.Bucket.ReaderOf(ctx, store.Object{Key: a.Key, Size: a.Size, Version: a.Version})
	if err != nil {
		return nil, err
	}
	defer func() {
		if cerr := r.Close(); cerr != nil && err == nil {
			err = errors.Join(cerr, u.Close())
		}
	}()
	if a.Size > maxInMemory {
		return f.mapped(r, a.Size)
	}
	buf, _ := uploads.Get().(*[]byte)
	if int64(cap(*buf)) < a.Size {
		*buf = make([]byte, a.Size)
	}
	data := (*buf)[:a.Size]
	if _, err := io.ReadFull(r, data); err != nil {
		return nil, fmt.Errorf("read upload: %w", err)
	}
	return &upload{data, func() error {
		if cap(*buf) <= maxPooled {
			uploads.Put(buf)
		}
		return nil
	}}, nil
}

// mapped copies a large upload into a temporary file that has no name, and maps it: the system may drop its pages.
func (f *Ingest) mapped(r io.Reader, size int64) (u *upload, err error) {
	file, err := tempFile(f.cfg.TempDir)
	if err != nil {
		return nil, err
	}
	defer func() {
		if cerr := file.Close(); err == nil {
			err = cerr
		}
	}()
	if n, err := io.Copy(file, r); err != nil || n != size {
		return nil, fmt.Errorf("read upload: %d of %d bytes: %w", n, size, errors.Join(err, io.ErrUnexpectedEOF))
	}
	data, free, err := mapFile(file, size)
	if err != nil {
		return nil, fmt.Errorf("map upload: %w", err)
	}
	return &upload{data, free}, nil
}

// tempFile opens a file that only this process can reach and that is gone when it is closed.
func tempFile(dir string) (*os.File, error) {
	file, err := os.CreateTemp(dir, "medlake-*") // 0600
	if err != nil {
		return nil, fmt.Errorf("temporary file: %w", err)
	}
	if err := os.Remove(file.Name()); err != nil {
		return nil, fmt.Errorf("temporary file: %w", errors.Join(err, file.Close()))
	}
	return file, nil
}
