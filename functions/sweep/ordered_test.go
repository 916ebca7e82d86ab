package sweep_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"gocloud.dev/blob"
	"gocloud.dev/blob/driver"
	"gocloud.dev/gcerrors"

	"medlake/shared/store"
)

// ordered is a bucket in memory that lists pages as stores do, at the cost of a page: gocloud's own sorts all keys for
// each, which with a million objects is all that one would measure.
type ordered struct {
	driver.Bucket                                                   // what is not called
	wait          func(ctx context.Context, call, key string) error // before each read

	mu      sync.Mutex
	objects map[string]object
	keys    []string // sorted; nil: not known
}

type object struct {
	data []byte
	at   time.Time
}

var errNone, errTaken = errors.New("no such object"), errors.New("there is one")

func openOrdered() (*store.Bucket, *ordered) {
	b := &ordered{wait: func(context.Context, string, string) error { return nil }, objects: map[string]object{}}
	return store.New(blob.NewBucket(b), "mem://ordered"), b
}

func (b *ordered) ErrorCode(err error) gcerrors.ErrorCode {
	switch {
	case errors.Is(err, errNone):
		return gcerrors.NotFound
	case errors.Is(err, errTaken):
		return gcerrors.FailedPrecondition
	}
	return gcerrors.Unknown
}

func (b *ordered) As(any) bool { return false }

func (b *ordered) ErrorAs(error, any) bool { return false }

func (b *ordered) Close() error { return nil }

func (b *ordered) find(key string) (object, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	o, ok := b.objects[key]
	if !ok {
		return o, errNone
	}
	return o, nil
}

func (b *ordered) Attributes(_ context.Context, key string) (*driver.Attributes, error) {
	o, err := b.find(key)
	return &driver.Attributes{ModTime: o.at, Size: int64(len(o.data)), ETag: "x"}, err
}

type reader struct {
	io.Reader
	driver.ReaderAttributes
}

func (r *reader) Attributes() *driver.ReaderAttributes { return &r.ReaderAttributes }

func (r *reader) As(any) bool { return false }

func (r *reader) Close() error { return nil }

func (b *ordered) NewRangeReader(ctx context.Context, key string, offset, length int64, _ *driver.ReaderOptions) (driver.Reader, error) {
	if err := b.wait(ctx, "GET", key); err != nil {
		return nil, err
	}
	o, err := b.find(key)
	if err != nil {
		return nil, err
	}
	data := o.data[min(offset, int64(len(o.data))):]
	if length >= 0 {
		data = data[:min(length, int64(len(data)))]
	}
	return &reader{bytes.NewReader(data), driver.ReaderAttributes{ModTime: o.at, Size: int64(len(o.data))}}, nil
}

type writer struct {
	bytes.Buffer
	ctx      context.Context
	bucket   *ordered
	key      string
	ifAbsent bool
}

func (b *ordered) NewTypedWriter(ctx context.Context, key, _ string, o *driver.WriterOptions) (driver.Writer, error) {
	return &writer{ctx: ctx, bucket: b, key: key, ifAbsent: o.IfNotExist}, nil
}

func (w *writer) Close() error {
	b := w.bucket
	b.mu.Lock()
	defer b.mu.Unlock()
	_, there := b.objects[w.key]
	switch {
	case w.ctx.Err() != nil:
		return w.ctx.Err()
	case there && w.ifAbsent:
		return errTaken
	case !there:
		b.keys = nil
	}
	b.objects[w.key] = object{bytes.Clone(w.Bytes()), time.Now()}
	return nil
}

func (b *ordered) Delete(_ context.Context, key string, _ *driver.DeleteOptions) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.objects, key)
	b.keys = nil
	return nil
}

func (b *ordered) ListPaged(ctx context.Context, o *driver.ListOptions) (*driver.ListPage, error) {
	if err := b.wait(ctx, "LIST", o.Prefix); err != nil {
		return nil, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.keys == nil {
		b.keys = slices.Sorted(maps.Keys(b.objects))
	}
	page := &driver.ListPage{}
	from := max(o.Prefix, string(o.PageToken))
	i, _ := slices.BinarySearch(b.keys, from)
	for i < len(b.keys) && strings.HasPrefix(b.keys[i], o.Prefix) {
		key := b.keys[i]
		if len(page.Objects) == 1000 {
			page.NextPageToken = []byte(key)
			break
		}
		folder, _, below := strings.Cut(key[len(o.Prefix):], o.Delimiter)
		if o.Delimiter != "" && below { // all of a folder is one
			dir := o.Prefix + folder + o.Delimiter
			page.Objects = append(page.Objects, &driver.ListObject{Key: dir, IsDir: true})
			i, _ = slices.BinarySearch(b.keys, dir+"\xff")
			continue
		}
		x := b.objects[key]
		page.Objects = append(page.Objects, &driver.ListObject{Key: key, ModTime: x.at, Size: int64(len(x.data))})
		i++
	}
	return page, nil
}
