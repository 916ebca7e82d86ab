package faulty

import (
	"context"
	"errors"
	"io"

	"gocloud.dev/blob/driver"
)

var _ driver.Bucket = (*Driver)(nil)

// As implements driver.Bucket.
func (d *Driver) As(i any) bool { return d.in.As(i) }

// ErrorAs implements driver.Bucket.
func (d *Driver) ErrorAs(err error, i any) bool { return d.in.ErrorAs(err, i) }

// Close implements driver.Bucket; the bucket below stays open.
func (d *Driver) Close() error { return nil }

// Attributes implements driver.Bucket.
func (d *Driver) Attributes(ctx context.Context, key string) (*driver.Attributes, error) {
	return do(d, Head, key, func() (*driver.Attributes, error) { return d.in.Attributes(ctx, key) })
}

// ListPaged implements driver.Bucket.
func (d *Driver) ListPaged(ctx context.Context, o *driver.ListOptions) (*driver.ListPage, error) {
	return do(d, List, o.Prefix, func() (*driver.ListPage, error) { return d.in.ListPaged(ctx, o) })
}

// NewRangeReader implements driver.Bucket.
func (d *Driver) NewRangeReader(ctx context.Context, key string, offset, length int64, o *driver.ReaderOptions) (driver.Reader, error) {
	var r driver.Reader
	open, err := do(d, Get, key, func() (driver.Reader, error) {
		var err error
		r, err = d.in.NewRangeReader(ctx, key, offset, length, o)
		return r, err
	})
	if err != nil && r != nil { // its reply was lost
		err = errors.Join(err, r.Close())
	}
	return open, err
}

// writer asks for its fault when it is closed, because that is when the object is published.
type writer struct {
	driver.Writer
	d      *Driver
	key    string
	cancel context.CancelFunc
}

// NewTypedWriter implements driver.Bucket.
func (d *Driver) NewTypedWriter(ctx context.Context, key, contentType string, o *driver.WriterOptions) (driver.Writer, error) {
	ctx, cancel := context.WithCancel(ctx)
	w, err := d.in.NewTypedWriter(ctx, key, contentType, o)
	if err != nil {
		cancel()
		return nil, err
	}
	return &writer{w, d, key, cancel}, nil
}

// Upload implements driver.Uploader, as the drivers of object stores do.
func (w *writer) Upload(r io.Reader) error {
	_, err := io.Copy(w, r)
	return err
}

func (w *writer) Close() error {
	defer w.cancel()
	f, err := w.d.next(Put, w.key)
	if err != nil {
		w.cancel()
		_ = w.Writer.Close() // says only that it was cancelled
		return err
	}
	return f.reply(w.Writer.Close())
}

// Copy implements driver.Bucket.
func (d *Driver) Copy(ctx context.Context, dst, src string, o *driver.CopyOptions) error {
	_, err := do(d, Copy, dst, func() (struct{}, error) { return struct{}{}, d.in.Copy(ctx, dst, src, o) })
	return err
}

// Delete implements driver.Bucket.
func (d *Driver) Delete(ctx context.Context, key string, o *driver.DeleteOptions) error {
	_, err := do(d, Delete, key, func() (struct{}, error) { return struct{}{}, d.in.Delete(ctx, key, o) })
	return err
}

// SignedURL implements driver.Bucket; it suffers no faults.
func (d *Driver) SignedURL(ctx context.Context, key string, o *driver.SignedURLOptions) (string, error) {
	if d.Crashed() {
		return "", ErrCrashed
	}
	return d.in.SignedURL(ctx, key, o)
}
