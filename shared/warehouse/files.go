package warehouse

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"path"
	"sync"
	"time"

	iceio "github.com/apache/iceberg-go/io"

	"medlake/shared/lake"
	"medlake/shared/store"
)

// files lets iceberg-go read and write through the warehouse's bucket, so that table metadata is as durable and as
// private as every other object, on any kind of bucket. iceberg-go finds it in the context: with must have been called.
type files struct {
	bucket *store.Bucket
}

func newFiles(b *store.Bucket) *files { return &files{bucket: b} }

type (
	filesKey struct{}
	keepKey  struct{}
)

// with returns a context under which iceberg-go works on the bucket.
func (f *files) with(ctx context.Context) context.Context {
	return context.WithValue(ctx, filesKey{}, f)
}

// keeping returns a context under which iceberg-go removes nothing. It tidies up after a create whose answer got lost,
// and the table might then point to what it removed.
func keeping(ctx context.Context) context.Context { return context.WithValue(ctx, keepKey{}, true) }

// register takes over the schemes of our buckets, once a process: iceberg-go's registry is global, and its own local
// files are neither durable nor private.
var register sync.Once

func useBuckets() {
	register.Do(func() {
		for _, scheme := range []string{"file", "mem", "s3", "gs", "azblob", "abfss"} {
			iceio.Unregister(scheme)
			iceio.Register(scheme, func(ctx context.Context, _ *url.URL, _ map[string]string) (iceio.IO, error) {
				f, _ := ctx.Value(filesKey{}).(*files)
				if f == nil {
					return nil, errors.New("warehouse: no bucket in the context")
				}
				keep, _ := ctx.Value(keepKey{}).(bool)
				return &session{files: f, ctx: ctx, keep: keep}, nil
			})
		}
	})
}

// session is the files of one call. Its interface takes no context, so it holds the call's.
type session struct {
	*files
	ctx  context.Context // see above
	keep bool
}

var (
	_ iceio.ReadFileIO  = (*session)(nil)
	_ iceio.WriteFileIO = (*session)(nil)
)

// key is the object iceberg-go means; it escapes the folder's own name where our URLs do not.
func (s *session) key(op, name string) (string, error) {
	key, err := s.bucket.Key(name)
	if err != nil {
		if plain, bad := url.PathUnescape(name); bad == nil {
			key, err = s.bucket.Key(plain)
		}
	}
	if err != nil {
		return "", &fs.PathError{Op: op, Path: name, Err: err}
	}
	return key, nil
}

func (s *session) ReadFile(name string) ([]byte, error) {
	key, err := s.key("open", name)
	if err != nil {
		return nil, err
	}
	data, err := s.bucket.Get(s.ctx, key)
	if errors.Is(err, lake.ErrNotFound) {
		err = fmt.Errorf("%w: %w", fs.ErrNotExist, err)
	}
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	return data, nil
}

func (s *session) Open(name string) (iceio.File, error) {
	data, err := s.ReadFile(name)
	if err != nil {
		return nil, err
	}
	return &object{Reader: bytes.NewReader(data), name: path.Base(name)}, nil
}

func (s *session) WriteFile(name string, data []byte) error {
	key, err := s.key("create", name)
	if err != nil {
		return err
	}
	return s.bucket.Put(s.ctx, key, data)
}

func (s *session) Create(name string) (iceio.FileWriter, error) {
	return &writer{session: s, name: name}, nil
}

func (s *session) Remove(name string) error {
	if s.keep {
		return nil
	}
	key, err := s.key("remove", name)
	if err != nil {
		return err
	}
	return s.bucket.Delete(s.ctx, key)
}

// writer holds a small metadata file until it is closed.
type writer struct {
	bytes.Buffer
	session *session
	name    string
}

func (w *writer) Close() error { return w.session.WriteFile(w.name, w.Bytes()) }

// object is a whole one in memory: metadata and manifests are small.
type object struct {
	*bytes.Reader
	name string
}

func (f *object) Close() error               { return nil }
func (f *object) Stat() (fs.FileInfo, error) { return f, nil }
func (f *object) Name() string               { return f.name }
func (f *object) Mode() fs.FileMode          { return 0o400 }
func (f *object) ModTime() time.Time         { return time.Time{} }
func (f *object) IsDir() bool                { return false }
func (f *object) Sys() any                   { return nil }
