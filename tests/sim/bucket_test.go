package sim

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"gocloud.dev/blob"
	"gocloud.dev/blob/driver"
	"gocloud.dev/gcerrors"

	"medlake/shared/store"
)

// objects is the bucket of a world: as gocloud's own in memory, but its clock is the world's, its listings cost what they
// list, and it can be looked into.
type objects struct {
	now func() time.Time

	mu   sync.Mutex
	keys []string // sorted
	all  map[string]*object

	gone  map[string]*object    // what was deleted; nil: it is forgotten
	loses func(key string) bool // what is written; nil: nothing
	notes func(write)           // what has changed; nil: it is not noted
}

// object never changes: another content is another one.
type object struct {
	data []byte
	at   time.Time
}

// write is a change of an object; to nil: it was deleted.
type write struct {
	key string
	to  *object
}

// do makes a change.
func (o *objects) do(c write) {
	if c.to == nil {
		_ = o.Delete(context.Background(), c.key, nil)
		return
	}
	_ = o.put(c.key, nil, false)
	o.all[c.key] = c.to
}

var (
	errAbsent = errors.New("no such object")
	errTaken  = errors.New("the key is taken")
)

func (x *object) etag() string {
	h := fnv.New64()
	_, _ = h.Write(x.data) // never fails
	return fmt.Sprintf("%x", h.Sum(nil))
}

// open gives the bucket without faults.
func (o *objects) open() *store.Bucket { return store.New(blob.NewBucket(o), "s3://lake") }

func (o *objects) get(key string) (*object, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if x := o.all[key]; x != nil {
		return x, nil
	}
	return nil, errAbsent
}

func (o *objects) put(key string, data []byte, absent bool) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.loses != nil && o.loses(key) {
		return nil
	}
	if o.all[key] == nil {
		at, _ := slices.BinarySearch(o.keys, key)
		o.keys = slices.Insert(o.keys, at, key)
	} else if absent {
		return errTaken
	}
	o.all[key] = &object{data, o.now()}
	if o.notes != nil {
		o.notes(write{key, o.all[key]})
	}
	return nil
}

func (*objects) As(any) bool             { return false }
func (*objects) ErrorAs(error, any) bool { return false }
func (*objects) Close() error            { return nil }

func (*objects) ErrorCode(err error) gcerrors.ErrorCode {
	switch {
	case errors.Is(err, errAbsent):
		return gcerrors.NotFound
	case errors.Is(err, errTaken):
		return gcerrors.FailedPrecondition
	}
	return gcerrors.Unknown
}

// Attributes implements driver.Bucket.
func (o *objects) Attributes(_ context.Context, key string) (*driver.Attributes, error) {
	x, err := o.get(key)
	if err != nil {
		return nil, err
	}
	return &driver.Attributes{ModTime: x.at, Size: int64(len(x.data)), ETag: x.etag()}, nil
}

// ListPaged implements driver.Bucket.
func (o *objects) ListPaged(_ context.Context, opts *driver.ListOptions) (*driver.ListPage, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	page := &driver.ListPage{}
	i, _ := slices.BinarySearch(o.keys, max(opts.Prefix, string(opts.PageToken)))
	for i < len(o.keys) && strings.HasPrefix(o.keys[i], opts.Prefix) {
		if len(page.Objects) == opts.PageSize && opts.PageSize > 0 {
			page.NextPageToken = []byte(o.keys[i])
			break
		}
		key := o.keys[i]
		if n := strings.Index(key[len(opts.Prefix):], opts.Delimiter); opts.Delimiter != "" && n >= 0 {
			folder := key[:len(opts.Prefix)+n+len(opts.Delimiter)]
			page.Objects = append(page.Objects, &driver.ListObject{Key: folder, IsDir: true})
			for i < len(o.keys) && strings.HasPrefix(o.keys[i], folder) {
				i++
			}
			continue
		}
		x := o.all[key]
		page.Objects = append(page.Objects, &driver.ListObject{Key: key, ModTime: x.at, Size: int64(len(x.data))})
		i++
	}
	return page, nil
}

type objectReader struct {
	*bytes.Reader
	about driver.ReaderAttributes
}

func (r *objectReader) Attributes() *driver.ReaderAttributes { return &r.about }
func (*objectReader) As(any) bool                            { return false }
func (*objectReader) Close() error                           { return nil }

// NewRangeReader implements driver.Bucket.
func (o *objects) NewRangeReader(_ context.Context, key string, offset, length int64, _ *driver.ReaderOptions) (driver.Reader, error) {
	x, err := o.get(key)
	if err != nil {
		return nil, err
	}
	size := int64(len(x.data))
	from := min(offset, size)
	to := size
	if length >= 0 {
		to = min(from+length, size)
	}
	return &objectReader{bytes.NewReader(x.data[from:to]), driver.ReaderAttributes{ModTime: x.at, Size: size}}, nil
}

type objectWriter struct {
	ctx    context.Context // a writer's interface takes none
	o      *objects
	key    string
	absent bool
	data   []byte
}

// NewTypedWriter implements driver.Bucket.
func (o *objects) NewTypedWriter(ctx context.Context, key, _ string, opts *driver.WriterOptions) (driver.Writer, error) {
	return &objectWriter{ctx: ctx, o: o, key: key, absent: opts.IfNotExist}, nil
}

func (w *objectWriter) Write(p []byte) (int, error) {
	w.data = append(w.data, p...)
	return len(p), nil
}

// Upload implements driver.Uploader.
func (w *objectWriter) Upload(r io.Reader) error {
	data, err := io.ReadAll(r)
	w.data = data
	return err
}

func (w *objectWriter) Close() error {
	if err := w.ctx.Err(); err != nil {
		return err
	}
	return w.o.put(w.key, w.data, w.absent)
}

// Copy implements driver.Bucket.
func (o *objects) Copy(_ context.Context, dst, src string, _ *driver.CopyOptions) error {
	x, err := o.get(src)
	if err != nil {
		return err
	}
	return o.put(dst, x.data, false)
}

// Delete implements driver.Bucket.
func (o *objects) Delete(_ context.Context, key string, _ *driver.DeleteOptions) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	at, found := slices.BinarySearch(o.keys, key)
	if !found {
		return errAbsent
	}
	o.keys = slices.Delete(o.keys, at, at+1)
	if o.gone != nil {
		o.gone[key] = o.all[key]
	}
	delete(o.all, key)
	if o.notes != nil {
		o.notes(write{key, nil})
	}
	return nil
}

// SignedURL implements driver.Bucket.
func (*objects) SignedURL(context.Context, string, *driver.SignedURLOptions) (string, error) {
	return "", fmt.Errorf("no signed URLs: %w", errors.ErrUnsupported)
}
