package ingest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"

	"medlake/shared/lake"
	"medlake/shared/store"
)

// maxSpool is how much of one data file is held in memory before it goes to a temporary file.
const maxSpool = 4 << 20

var buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// spool holds the bytes of one data file until it is complete: an object is published whole or not at all.
type spool struct {
	dir  string
	mem  *bytes.Buffer
	file *os.File // nil while all is in mem
	size int64
}

func newSpool(dir string) *spool {
	mem, _ := buffers.Get().(*bytes.Buffer)
	mem.Reset()
	return &spool{dir: dir, mem: mem}
}

func (s *spool) Write(p []byte) (int, error) {
	s.size += int64(len(p))
	if s.file == nil && s.mem.Len()+len(p) > maxSpool {
		file, err := tempFile(s.dir)
		if err != nil {
			return 0, err
		}
		s.file = file
		if _, err := s.mem.WriteTo(file); err != nil {
			return 0, fmt.Errorf("temporary file: %w", err)
		}
	}
	if s.file == nil {
		return s.mem.Write(p)
	}
	n, err := s.file.Write(p)
	if err != nil {
		err = fmt.Errorf("temporary file: %w", err)
	}
	return n, err
}

// publish stores the bytes as a new object.
func (s *spool) publish(ctx context.Context, b *store.Bucket, key string) error {
	if s.file == nil {
		stored, err := b.Claim(ctx, key, s.mem.Bytes())
		if err == nil && !bytes.Equal(stored, s.mem.Bytes()) {
			err = fmt.Errorf("object %s is another's: %w", key, lake.ErrConflict)
		}
		return err
	}
	if _, err := s.file.Seek(0, io.SeekStart); err != nil {
		return fmt.Errorf("temporary file: %w", err)
	}
	_, err := b.Upload(ctx, key, s.file)
	return err
}

// Close gives the memory back.
func (s *spool) Close() error {
	if s.mem.Cap() <= maxPooled {
		buffers.Put(s.mem)
	}
	s.mem = nil
	if s.file == nil {
		return nil
	}
	return errors.Join(s.file.Close())
}
