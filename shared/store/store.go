// Package store keeps the objects of the lake in a bucket named by URL: a folder of this machine, S3, Google Cloud
// Storage, Azure Blob Storage, or memory. It adds to gocloud.dev/blob what the lake relies on: put-if-absent whose lost
// replies are looked into, retries, the layout of the keys, and a proof that a bucket keeps its promises. It does not
// know what the objects mean.
package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"gocloud.dev/blob"
	"gocloud.dev/gcerrors"

	"medlake/shared/lake"
)

// Bucket is the lake's bucket. It is safe for concurrent use. Every error wraps lake.ErrNotFound, lake.ErrConflict or
// lake.ErrDenied where one of them is meant, and names no file of a sender.
type Bucket struct {
	// Retry may be changed before the first use.
	Retry Retry

	blob *blob.Bucket
	at   address
}

// Object is one object as the bucket describes it.
type Object struct {
	Key     string
	Size    int64
	Version string // the store's version or generation if it has one, else etag and size
	ModTime time.Time
}

// New wraps a bucket that is open already; url says what it is called, as for Open.
func New(b *blob.Bucket, url string) *Bucket {
	at, err := parse(url)
	if err != nil {
		at = address{scheme: "mem", base: url, name: url}
	}
	return &Bucket{Retry: DefaultRetry(), blob: b, at: at}
}

// Over returns a bucket with b's names, URLs and retries that goes through another driver.
func (b *Bucket) Over(driver *blob.Bucket) *Bucket {
	return &Bucket{Retry: b.Retry, blob: driver, at: b.at}
}

// Blob is the bucket in gocloud's portable type, for a driver that wraps it.
func (b *Bucket) Blob() *blob.Bucket { return b.blob }

// Close gives the bucket's connections back.
func (b *Bucket) Close() error { return b.blob.Close() }

// Get reads a whole object.
func (b *Bucket) Get(ctx context.Context, key string) ([]byte, error) {
	var data []byte
	err := b.retry(ctx, func() (err error) {
		data, err = b.getOnce(ctx, key)
		return err
	})
	return data, fault("get", key, err)
}

func (b *Bucket) getOnce(ctx context.Context, key string) (data []byte, err error) {
	r, err := b.blob.NewReader(ctx, key, nil)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	data = make([]byte, r.Size())
	if _, err := io.ReadFull(r, data); err != nil {
		return nil, err
	}
	return data, nil
}

// Reader streams an object. Only the opening is retried: a read that breaks off is the caller's to repeat.
func (b *Bucket) Reader(ctx context.Context, key string) (io.ReadCloser, error) {
	var r *blob.Reader
	err := b.retry(ctx, func() (err error) {
		r, err = b.blob.NewReader(ctx, key, nil)
		return err
	})
	if err != nil {
		return nil, fault("open", key, err)
	}
	return reader{r, key}, nil
}

// reader keeps the key out of the errors of a read.
type reader struct {
	r   *blob.Reader
	key string
}

func (r reader) Read(p []byte) (int, error) {
	n, err := r.r.Read(p)
	if err != nil && err != io.EOF {
		err = fault("read", r.key, err)
	}
	return n, err
}

func (r reader) Close() error { return fault("close", r.key, r.r.Close()) }

// Put writes an object, over an older one if there is one. When it returns nil the object is durable.
func (b *Bucket) Put(ctx context.Context, key string, data []byte) error {
	return fault("put", key, b.retry(ctx, func() error { return b.putOnce(ctx, key, data, false) }))
}

// PutIfAbsent writes an object unless the key is taken: then the error is lake.ErrConflict, and nothing changed. The
// object that is in the way may be our own, if the reply to an earlier try was lost. After any other error the outcome is
// unknown. Claim settles both.
func (b *Bucket) PutIfAbsent(ctx context.Context, key string, data []byte) error {
	return fault("put", key, b.retry(ctx, func() error { return b.putOnce(ctx, key, data, true) }))
}

func (b *Bucket) putOnce(ctx context.Context, key string, data []byte, ifAbsent bool) error {
	return b.write(ctx, key, bytes.NewReader(data), ifAbsent)
}

// write is the only place that makes a gocloud writer. A writer publishes on Close what it has got, so its context is
// cancelled first when the source fails.
func (b *Bucket) write(ctx context.Context, key string, r io.Reader, ifAbsent bool) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	opts := &blob.WriterOptions{
		ContentType:                 "application/octet-stream",
		DisableContentTypeDetection: true,
		IfNotExist:                  ifAbsent,
	}
	if b.at.scheme == "s3" || b.at.scheme == "azblob" {
		// These read the source themselves and copy nothing; Azure's writer panics when what it was given is refused.
		return b.blob.Upload(ctx, key, r, opts)
	}
	w, err := b.blob.NewWriter(ctx, key, opts)
	if err != nil {
		return err
	}
	if err := copyTo(w, r); err != nil {
		cancel()
		_ = w.Close() // says only that the write was cancelled
		return err
	}
	return w.Close()
}

var copyBuffers = sync.Pool{New: func() any { return new([64 << 10]byte) }}

// copyTo copies through a small buffer that is kept: left to itself, gocloud's writer takes two new megabytes a copy.
func copyTo(w io.Writer, r io.Reader) error {
	buf, _ := copyBuffers.Get().(*[64 << 10]byte)
	defer copyBuffers.Put(buf)
	_, err := io.CopyBuffer(struct{ io.Writer }{w}, r, buf[:])
	return err
}

// Head describes an object.
func (b *Bucket) Head(ctx context.Context, key string) (Object, error) {
	var a *blob.Attributes
	err := b.retry(ctx, func() (err error) {
		a, err = b.blob.Attributes(ctx, key)
		return err
	})
	if err != nil {
		return Object{}, fault("head", key, err)
	}
	return Object{Key: key, Size: a.Size, Version: version(a), ModTime: a.ModTime}, nil
}

// Delete removes an object. One that is absent is no error. In a file bucket a power cut within seconds may bring the
// object back.
func (b *Bucket) Delete(ctx context.Context, key string) error {
	err := b.retry(ctx, func() error { return b.blob.Delete(ctx, key) })
	if gcerrors.Code(err) == gcerrors.NotFound {
		return nil
	}
	return fault("delete", key, err)
}

// Name is the bucket's identity in arrivals. A file bucket keeps it when its folder is moved.
func (b *Bucket) Name() string { return b.at.name }

// URL is the object's name for table formats and query engines: file:///dir/key, s3://bucket/key. A space in the folder
// of a file bucket stays a space, as engines expect.
func (b *Bucket) URL(key string) string { return b.at.base + b.at.spell(key) }

// Key is the inverse of URL.
func (b *Bucket) Key(url string) (string, error) {
	rest, ok := strings.CutPrefix(url, b.at.base)
	if !ok || rest == "" {
		return "", fmt.Errorf("the URL is not one of bucket %s: %w", b.at.base, lake.ErrInvalid)
	}
	key, ok := b.at.unspell(rest)
	if !ok {
		return "", fmt.Errorf("the URL is not spelled as bucket %s spells its keys: %w", b.at.base, lake.ErrInvalid)
	}
	return key, nil
}

// Arrival makes the arrival that a landing object is.
func (b *Bucket) Arrival(o Object) lake.Arrival {
	return lake.Arrival{
		Bucket: b.Name(), Key: o.Key, Version: o.Version, Size: o.Size,
		At: o.ModTime.UTC().Truncate(time.Microsecond),
	}
}
