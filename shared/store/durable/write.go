package durable

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"gocloud.dev/blob/driver"
)

// writer is an object on its way. Nothing is visible before Close.
type writer struct {
	*os.File
	ctx      context.Context // driver.Bucket's contract: a writer ends with its context
	d        *Driver
	key      string
	side     side
	ifAbsent bool
}

// NewTypedWriter implements driver.Bucket.
func (d *Driver) NewTypedWriter(ctx context.Context, key, contentType string, o *driver.WriterOptions) (driver.Writer, error) {
	f, err := os.OpenFile(filepath.Join(d.root, hidden, "tmp", rand.Text()), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	if o.BeforeWrite != nil {
		as := func(i any) bool {
			p, ok := i.(**os.File)
			if ok {
				*p = f
			}
			return ok
		}
		if err := o.BeforeWrite(as); err != nil {
			return nil, errors.Join(err, f.Close(), os.Remove(f.Name()))
		}
	}
	return &writer{File: f, ctx: ctx, d: d, key: key, ifAbsent: o.IfNotExist, side: side{
		CacheControl: o.CacheControl, ContentDisposition: o.ContentDisposition, ContentEncoding: o.ContentEncoding,
		ContentLanguage: o.ContentLanguage, ContentType: contentType, Metadata: o.Metadata,
	}}, nil
}

// Close publishes the object, or drops it if the context has ended.
func (w *writer) Close() error {
	temp := w.Name()
	err := w.ctx.Err()
	if err == nil {
		err = w.Sync()
	}
	fi, serr := w.Stat()
	err = errors.Join(err, serr, w.File.Close())
	if err != nil {
		return errors.Join(err, os.Remove(temp))
	}
	if err := w.d.writeSide(w.key, fi, w.side); err != nil {
		return errors.Join(err, os.Remove(temp))
	}
	name := w.d.path(w.key)
	old, _ := os.Lstat(name) // whose side data goes with it
	linked, err := w.d.publish(temp, name, w.ifAbsent)
	switch {
	case err == nil && old != nil:
		return errors.Join(w.d.removeSide(w.key, old), os.Remove(temp))
	case err == nil:
		return os.Remove(temp)
	case linked:
		return err // the temp name stays: it tells readers that the folder is not flushed
	}
	return errors.Join(err, w.d.removeSide(w.key, fi), os.Remove(temp))
}

// publish gives the temp file its second name and flushes the folder. linked says that the name is there.
func (d *Driver) publish(temp, name string, ifAbsent bool) (linked bool, err error) {
	dir := filepath.Dir(name)
	for range 2 {
		if err := d.folders.ensure(d, dir); err != nil {
			return false, err
		}
		if ifAbsent {
			err = os.Link(temp, name)
		} else {
			err = replace(temp, name)
		}
		if !errors.Is(err, fs.ErrNotExist) {
			break
		}
		d.folders.forget() // somebody removed the folder: make it again
	}
	if err != nil {
		return false, d.taken(dir, name, err)
	}
	return true, d.flush(dir)
}

// taken explains why the name could not be given.
func (d *Driver) taken(dir, name string, err error) error {
	fi, serr := os.Lstat(name)
	switch {
	case serr == nil && fi.IsDir():
		return errIsFolder
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, fs.ErrPermission):
		return err
	case errors.Is(err, fs.ErrExist):
		if err := d.flush(dir); err != nil {
			return err
		}
		return errExists
	}
	return fmt.Errorf("publish: %v", err) // not wrapped: a name that is missing here is not a missing object
}

// replace puts the temp file in name's place and keeps the temp name.
func replace(temp, name string) error {
	second := temp + ".new"
	if err := os.Link(temp, second); err != nil {
		return err
	}
	if err := os.Rename(second, name); err != nil {
		return errors.Join(err, os.Remove(second))
	}
	return nil
}

// Copy implements driver.Bucket.
func (d *Driver) Copy(ctx context.Context, dstKey, srcKey string, o *driver.CopyOptions) (err error) {
	r, err := d.NewRangeReader(ctx, srcKey, 0, -1, &driver.ReaderOptions{})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	a := r.(*reader).side
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	w, err := d.NewTypedWriter(ctx, dstKey, a.ContentType, &driver.WriterOptions{
		CacheControl: a.CacheControl, ContentDisposition: a.ContentDisposition, ContentEncoding: a.ContentEncoding,
		ContentLanguage: a.ContentLanguage, Metadata: a.Metadata, BeforeWrite: o.BeforeCopy,
	})
	if err != nil {
		return err
	}
	if _, err := io.Copy(w, r); err != nil {
		cancel() // or Close publishes a part
		return errors.Join(err, w.Close())
	}
	return w.Close()
}
