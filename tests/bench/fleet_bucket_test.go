package bench

import (
	"bytes"
	"context"
	"crypto/md5"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"

	"gocloud.dev/blob"
	"gocloud.dev/blob/driver"
	"gocloud.dev/gcerrors"

	"medlake/shared/store"
)

// between is how long a call takes: any time between the two, as likely.
type between struct{ least, most time.Duration }

func ms(least, most int) between {
	return between{time.Duration(least) * time.Millisecond, time.Duration(most) * time.Millisecond}
}

func (b between) sleep() { time.Sleep(b.least + rand.N(b.most-b.least)) }

// s3Takes is what calls to S3 Standard from the same region take as a rule, small objects of some kB: assumptions, no
// measurement. AWS speaks of first bytes after 100 to 200 ms as what to expect at worst of most requests, and of 3,500
// writes and 5,500 reads a second and prefix.
var s3Takes = map[string]between{
	"GET": ms(15, 30), "HEAD": ms(10, 20), "PUT": ms(25, 60), "LIST": ms(40, 60), "DELETE": ms(15, 30),
}

// slowBucket is a bucket in memory whose calls take as long as in the cloud. It counts them.
type slowBucket struct {
	takes map[string]between // by kind of call; nil: no time

	mu      sync.Mutex
	folders map[string]map[string]*slowObject // by the first part of a key
	calls   map[string]int                    // "GET log" and so on
	bytes   map[string]int                    // written, by the first part of a key
}

type slowObject struct {
	data []byte
	at   time.Time
	etag string
}

// newSlow opens an empty slow bucket.
func newSlow(takes map[string]between) (*store.Bucket, *slowBucket) {
	s := &slowBucket{takes: takes, folders: map[string]map[string]*slowObject{}, calls: map[string]int{}, bytes: map[string]int{}}
	return store.New(blob.NewBucket(s), "mem://fleet"), s
}

// call lets a call take its time and counts it.
func (s *slowBucket) call(op, key string) (folder string) {
	folder, _, _ = strings.Cut(key, "/")
	s.mu.Lock()
	s.calls[op+" "+folder]++
	s.mu.Unlock()
	if t, ok := s.takes[op]; ok {
		t.sleep()
	}
	return folder
}

type slowError struct {
	code gcerrors.ErrorCode
	key  string
}

func (e slowError) Error() string { return fmt.Sprintf("%v: %s", e.code, e.key) }

func (s *slowBucket) find(op, key string) (*slowObject, error) {
	folder := s.call(op, key)
	s.mu.Lock()
	defer s.mu.Unlock()
	o := s.folders[folder][key]
	if o == nil {
		return nil, slowError{gcerrors.NotFound, key}
	}
	return o, nil
}

// Attributes implements driver.Bucket.
func (s *slowBucket) Attributes(_ context.Context, key string) (*driver.Attributes, error) {
	o, err := s.find("HEAD", key)
	if err != nil {
		return nil, err
	}
	return &driver.Attributes{Size: int64(len(o.data)), ModTime: o.at, ETag: o.etag}, nil
}

// ListPaged implements driver.Bucket.
func (s *slowBucket) ListPaged(_ context.Context, o *driver.ListOptions) (*driver.ListPage, error) {
	folder := s.call("LIST", o.Prefix)
	s.mu.Lock()
	defer s.mu.Unlock()
	page := &driver.ListPage{}
	for _, key := range slices.Sorted(maps.Keys(s.folders[folder])) {
		name, ok := strings.CutPrefix(key, o.Prefix)
		if !ok || key <= string(o.PageToken) {
			continue
		}
		if len(page.Objects) == 1000 {
			page.NextPageToken = []byte(page.Objects[999].Key)
			break
		}
		x := s.folders[folder][key]
		l := &driver.ListObject{Key: key, ModTime: x.at, Size: int64(len(x.data))}
		if dir, _, ok := strings.Cut(name, o.Delimiter); ok && o.Delimiter != "" {
			if l = (&driver.ListObject{Key: o.Prefix + dir + o.Delimiter, IsDir: true}); len(page.Objects) > 0 && page.Objects[len(page.Objects)-1].Key == l.Key {
				continue
			}
		}
		page.Objects = append(page.Objects, l)
	}
	return page, nil
}

// land puts an upload into landing: the gateway's work, which is not counted.
func (s *slowBucket) land(key string, data []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.folders["landing"] == nil {
		s.folders["landing"] = map[string]*slowObject{}
	}
	s.folders["landing"][key] = &slowObject{data: data, at: time.Now(), etag: key}
}

// count takes the calls that were made since it was last called: "GET" and so on, and "GET log" and so on.
func (s *slowBucket) count() map[string]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := maps.Clone(s.calls)
	for call, n := range s.calls {
		op, _, _ := strings.Cut(call, " ")
		all[op] += n
	}
	clear(s.calls)
	return all
}

type slowReader struct {
	*bytes.Reader
	attributes driver.ReaderAttributes
}

func (r *slowReader) Close() error                         { return nil }
func (r *slowReader) Attributes() *driver.ReaderAttributes { return &r.attributes }
func (r *slowReader) As(any) bool                          { return false }

// NewRangeReader implements driver.Bucket.
func (s *slowBucket) NewRangeReader(_ context.Context, key string, offset, length int64, _ *driver.ReaderOptions) (driver.Reader, error) {
	o, err := s.find("GET", key)
	if err != nil {
		return nil, err
	}
	data := o.data[min(offset, int64(len(o.data))):]
	if length >= 0 {
		data = data[:min(length, int64(len(data)))]
	}
	return &slowReader{bytes.NewReader(data), driver.ReaderAttributes{Size: int64(len(o.data)), ModTime: o.at}}, nil
}

type slowWriter struct {
	bytes.Buffer
	s        *slowBucket
	ctx      context.Context
	key      string
	ifAbsent bool
}

// NewTypedWriter implements driver.Bucket.
func (s *slowBucket) NewTypedWriter(ctx context.Context, key, _ string, o *driver.WriterOptions) (driver.Writer, error) {
	return &slowWriter{s: s, ctx: ctx, key: key, ifAbsent: o.IfNotExist}, nil
}

func (w *slowWriter) Close() error {
	if w.ctx.Err() != nil {
		return w.ctx.Err()
	}
	folder := w.s.call("PUT", w.key)
	w.s.mu.Lock()
	defer w.s.mu.Unlock()
	if w.ifAbsent && w.s.folders[folder][w.key] != nil {
		return slowError{gcerrors.FailedPrecondition, w.key}
	}
	if w.s.folders[folder] == nil {
		w.s.folders[folder] = map[string]*slowObject{}
	}
	w.s.bytes[folder] += w.Len()
	w.s.folders[folder][w.key] = &slowObject{data: w.Bytes(), at: time.Now(), etag: fmt.Sprintf("%x", md5.Sum(w.Bytes()))}
	return nil
}

// Delete implements driver.Bucket.
func (s *slowBucket) Delete(_ context.Context, key string, _ *driver.DeleteOptions) error {
	folder := s.call("DELETE", key)
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.folders[folder], key)
	return nil
}

// ErrorCode implements driver.Bucket.
func (s *slowBucket) ErrorCode(err error) gcerrors.ErrorCode {
	var e slowError
	if errors.As(err, &e) {
		return e.code
	}
	return gcerrors.Unknown
}

// The rest of driver.Bucket, which the lake does not use.

func (s *slowBucket) As(any) bool             { return false }
func (s *slowBucket) ErrorAs(error, any) bool { return false }
func (s *slowBucket) Close() error            { return nil }

func (s *slowBucket) Copy(context.Context, string, string, *driver.CopyOptions) error {
	return errors.ErrUnsupported
}

func (s *slowBucket) SignedURL(context.Context, string, *driver.SignedURLOptions) (string, error) {
	return "", errors.ErrUnsupported
}
