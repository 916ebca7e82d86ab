package store

import (
	"context"
	"errors"
	"io"
)

// ReaderAt reads pieces of an object of size bytes that does not change, one request each, with retries.
func (b *Bucket) ReaderAt(ctx context.Context, key string, size int64) io.ReaderAt {
	return &ranges{bucket: b, ctx: ctx, key: key, size: size}
}

// ranges holds its context because io.ReaderAt takes none.
type ranges struct {
	bucket *Bucket
	ctx    context.Context
	key    string
	size   int64
}

// ReadAt implements io.ReaderAt. Errors wrap those of the lake, but for io.EOF at the object's end.
func (r *ranges) ReadAt(p []byte, off int64) (n int, err error) {
	if off < 0 || off >= r.size {
		return 0, io.EOF
	}
	want := p[:min(int64(len(p)), r.size-off)]
	err = r.bucket.retry(r.ctx, func() error {
		n, err = r.bucket.rangeOnce(r.ctx, r.key, off, want)
		return err
	})
	if err != nil {
		return n, fault("read", r.key, err)
	}
	if len(want) < len(p) {
		return n, io.EOF
	}
	return n, nil
}

func (b *Bucket) rangeOnce(ctx context.Context, key string, off int64, p []byte) (n int, err error) {
	r, err := b.blob.NewRangeReader(ctx, key, off, int64(len(p)), nil)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	return io.ReadFull(r, p)
}
