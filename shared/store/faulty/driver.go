package faulty

import (
	"context"
	"errors"

	"gocloud.dev/blob"
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
	return do(d, Head, key, func() (*driver.Attributes, error) {
		a, err := d.in.Attributes(ctx, key)
		if err != nil {
			return nil, err
		}
		return &driver.Attributes{
			CacheControl: a.CacheControl, ContentDisposition: a.ContentDisposition, ContentEncoding: a.ContentEncoding,
			ContentLanguage: a.ContentLanguage, ContentType: a.ContentType, Metadata: a.Metadata, CreateTime: a.CreateTime,
			ModTime: a.ModTime, Size: a.Size, MD5: a.MD5, ETag: a.ETag, AsFunc: a.As,
		}, nil
	})
}

// ListPaged implements driver.Bucket.
func (d *Driver) ListPaged(ctx context.Context, o *driver.ListOptions) (*driver.ListPage, error) {
	return do(d, List, o.Prefix, func() (*driver.ListPage, error) {
		token, size := o.PageToken, o.PageSize
		if len(token) == 0 {
			token = blob.FirstPageToken
		}
		if size == 0 {
			size = 1000
		}
		objects, next, err := d.in.ListPage(ctx, token, size, &blob.ListOptions{
			Prefix: o.Prefix, Delimiter: o.Delimiter, BeforeList: o.BeforeList,
		})
		if err != nil {
			return nil, err
		}
		page := &driver.ListPage{NextPageToken: next}
		for _, x := range objects {
			page.Objects = append(page.Objects, &driver.ListObject{
				Key: x.Key, ModTime: x.ModTime, Size: x.Size, MD5: x.MD5, IsDir: x.IsDir, AsFunc: x.As,
			})
		}
		return page, nil
	})
}

type reader struct{ *blob.Reader }

func (r reader) Attributes() *driver.ReaderAttributes {
	return &driver.ReaderAttributes{ContentType: r.ContentType(), ModTime: r.ModTime(), Size: r.Size()}
}

// NewRangeReader implements driver.Bucket.
func (d *Driver) NewRangeReader(ctx context.Context, key string, offset, length int64, o *driver.ReaderOptions) (driver.Reader, error) {
	var r *blob.Reader
	open, err := do(d, Get, key, func() (driver.Reader, error) {
		var err error
		r, err = d.in.NewRangeReader(ctx, key, offset, length, &blob.ReaderOptions{BeforeRead: o.BeforeRead})
		if err != nil {
			return nil, err
		}
		return reader{r}, nil
	})
	if err != nil && r != nil { // its reply was lost
		err = errors.Join(err, r.Close())
	}
	return open, err
}

// writer asks for its fault when it is closed, because that is when the object is published.
type writer struct {
	d      *Driver
	key    string
	w      *blob.Writer
	cancel context.CancelFunc
}

// NewTypedWriter implements driver.Bucket.
func (d *Driver) NewTypedWriter(ctx context.Context, key, contentType string, o *driver.WriterOptions) (driver.Writer, error) {
	ctx, cancel := context.WithCancel(ctx)
	w, err := d.in.NewWriter(ctx, key, &blob.WriterOptions{
		BufferSize: o.BufferSize, MaxConcurrency: o.MaxConcurrency, CacheControl: o.CacheControl,
		ContentDisposition: o.ContentDisposition, ContentEncoding: o.ContentEncoding, ContentLanguage: o.ContentLanguage,
		ContentType: contentType, DisableContentTypeDetection: true, Metadata: o.Metadata, BeforeWrite: o.BeforeWrite,
		IfNotExist: o.IfNotExist,
	})
	if err != nil {
		cancel()
		return nil, err
	}
	return &writer{d: d, key: key, w: w, cancel: cancel}, nil
}

func (w *writer) Write(p []byte) (int, error) { return w.w.Write(p) }

func (w *writer) Close() error {
	defer w.cancel()
	f, err := w.d.next(Put, w.key)
	if err != nil {
		w.cancel()
		_ = w.w.Close() // says only that it was cancelled
		return err
	}
	return f.reply(w.w.Close())
}

// Copy implements driver.Bucket.
func (d *Driver) Copy(ctx context.Context, dst, src string, o *driver.CopyOptions) error {
	_, err := do(d, Copy, dst, func() (struct{}, error) {
		return struct{}{}, d.in.Copy(ctx, dst, src, &blob.CopyOptions{BeforeCopy: o.BeforeCopy})
	})
	return err
}

// Delete implements driver.Bucket.
func (d *Driver) Delete(ctx context.Context, key string, o *driver.DeleteOptions) error {
	_, err := do(d, Delete, key, func() (struct{}, error) {
		return struct{}{}, d.in.DeleteWithOptions(ctx, key, &blob.DeleteOptions{BeforeDelete: o.BeforeDelete})
	})
	return err
}

// SignedURL implements driver.Bucket; it suffers no faults.
func (d *Driver) SignedURL(ctx context.Context, key string, o *driver.SignedURLOptions) (string, error) {
	if d.Crashed() {
		return "", ErrCrashed
	}
	s, err := d.in.SignedURL(ctx, key, &blob.SignedURLOptions{
		Expiry: o.Expiry, Method: o.Method, ContentType: o.ContentType,
		EnforceAbsentContentType: o.EnforceAbsentContentType, BeforeSign: o.BeforeSign,
	})
	return s, errors.Join(err)
}
