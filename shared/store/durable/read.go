package durable

import (
	"context"
	"errors"
	"io"
	"os"
	"syscall"

	"gocloud.dev/blob/driver"
)

type reader struct {
	io.Reader
	f     *os.File
	side  side
	attrs driver.ReaderAttributes
}

// NewRangeReader implements driver.Bucket.
func (d *Driver) NewRangeReader(_ context.Context, key string, offset, length int64, o *driver.ReaderOptions) (driver.Reader, error) {
	name := d.path(key)
	f, err := os.OpenFile(name, os.O_RDONLY|syscall.O_NOFOLLOW, 0)
	if err != nil {
		return nil, err
	}
	r, err := d.reader(f, key, name, offset, length, o)
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return r, nil
}

func (d *Driver) reader(f *os.File, key, name string, offset, length int64, o *driver.ReaderOptions) (*reader, error) {
	fi, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if err := d.settle(name, fi); err != nil {
		return nil, err
	}
	a, err := d.readSide(key, fi)
	if err != nil {
		return nil, err
	}
	if o.BeforeRead != nil {
		as := func(i any) bool {
			p, ok := i.(**os.File)
			if ok {
				*p = f
			}
			return ok
		}
		if err := o.BeforeRead(as); err != nil {
			return nil, err
		}
	}
	if offset > 0 {
		if _, err := f.Seek(offset, io.SeekStart); err != nil {
			return nil, err
		}
	}
	r := &reader{Reader: f, f: f, side: a}
	if length >= 0 {
		r.Reader = io.LimitReader(f, length)
	}
	r.attrs = driver.ReaderAttributes{ContentType: a.ContentType, ModTime: fi.ModTime(), Size: fi.Size()}
	return r, nil
}

func (r *reader) Close() error { return r.f.Close() }

// Attributes implements driver.Reader.
func (r *reader) Attributes() *driver.ReaderAttributes { return &r.attrs }

// As gives the file out.
func (r *reader) As(i any) bool {
	p, ok := i.(**os.File)
	if ok {
		*p = r.f
	}
	return ok
}
