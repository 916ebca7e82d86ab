package node

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"syscall"

	"medlake/shared/pace"
	"medlake/shared/query"
	"medlake/shared/store"
)

const (
	fetchBytes = 4 << 30 // of files that one statement may read from a bucket elsewhere
	fetchers   = 8       // files fetched at once
	fetchPiece = 8 << 20 // bytes of one request
)

// fetching is an engine that reads nothing but files of this machine, over tables in a bucket elsewhere. The files that a
// statement reads, and no others, are in a folder of its own for as long as it runs.
type fetching struct {
	query.Engine
	bucket *store.Bucket
	dir    string // where the folders are
}

func (f fetching) Prepare(ctx context.Context, s query.Statement) (query.Prepared, error) {
	p, err := f.Engine.Prepare(ctx, s)
	if err != nil {
		return nil, err
	}
	return &fetched{Prepared: p, from: f}, nil
}

// fetched is a statement with its folder.
type fetched struct {
	query.Prepared
	from fetching
	dir  string
}

func (s *fetched) Run(ctx context.Context, c query.Catalog) (_ *query.Result, err error) {
	sizes := map[string]int64{} // by URL; 0: not known
	total := int64(0)
	for _, t := range c.Tables {
		for _, f := range t.Files {
			sizes[f.URL] = f.Bytes
			total += f.Bytes
		}
		for _, url := range t.Deletes {
			sizes[url] = 0
		}
	}
	if total > fetchBytes {
		return nil, &query.Error{Kind: query.ErrLimit, Message: fmt.Sprintf("the statement reads %d MB of a bucket that is not on this machine, more than the %d MB "+
			"that are fetched for one: ask an engine that reads there, such as Trino", total>>20, fetchBytes>>20)}
	}
	if s.dir, err = os.MkdirTemp(s.from.dir, ""); err != nil {
		return nil, fmt.Errorf("make a folder for the files of a statement: %w", err)
	}
	if c.Local, err = s.fetch(ctx, sizes); err != nil {
		return nil, fmt.Errorf("fetch the files of a statement: %w", err)
	}
	return s.Prepared.Run(ctx, c)
}

// fetch copies files into the statement's folder and returns their paths.
func (s *fetched) fetch(ctx context.Context, sizes map[string]int64) (map[string]string, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	urls, paths := make([]string, 0, len(sizes)), make(map[string]string, len(sizes))
	for url := range sizes {
		paths[url] = filepath.Join(s.dir, strconv.Itoa(len(urls))+".parquet")
		urls = append(urls, url)
	}
	var failed atomic.Pointer[error]
	pace.Each(len(urls), fetchers, func(i int) {
		if ctx.Err() != nil {
			return
		}
		if err := s.from.file(ctx, urls[i], sizes[urls[i]], paths[urls[i]]); err != nil && failed.CompareAndSwap(nil, &err) {
			cancel(err)
		}
	})
	if err := failed.Load(); err != nil {
		return nil, *err
	}
	return paths, ctx.Err()
}

// file copies one, piece by piece, so that a piece that breaks off is read again.
func (f fetching) file(ctx context.Context, url string, size int64, path string) (err error) {
	key, err := f.bucket.Key(url)
	if err != nil {
		return err
	}
	if size == 0 {
		o, err := f.bucket.Head(ctx, key)
		if err != nil {
			return err
		}
		size = o.Size
	}
	to, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, to.Close()) }()
	from := io.NewSectionReader(f.bucket.ReaderAt(ctx, key, size), 0, size)
	_, err = io.CopyBuffer(struct{ io.Writer }{to}, struct{ io.Reader }{from}, make([]byte, min(size, fetchPiece)))
	return err
}

// Close ends the statement, and then removes its files.
func (s *fetched) Close() error {
	err := s.Prepared.Close()
	if s.dir != "" {
		err = errors.Join(err, os.RemoveAll(s.dir))
	}
	return err
}

// room is this process's folder for the files of statements. A lock on it says that the process lives.
type room struct {
	dir  string
	lock *os.File
}

// openRoom makes one below base, and removes those of processes that died.
func openRoom(base string) (r *room, err error) {
	if err := os.MkdirAll(base, 0o700); err != nil {
		return nil, err
	}
	all, err := locked(base, syscall.LOCK_EX) // else a room just made could be taken for a dead one's
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, all.Close()) }()
	entries, err := os.ReadDir(base)
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		dir := filepath.Join(base, e.Name())
		dead, err := locked(dir, syscall.LOCK_EX|syscall.LOCK_NB)
		if err != nil {
			continue // it lives, or has just left
		}
		if err := errors.Join(os.RemoveAll(dir), dead.Close()); err != nil {
			return nil, err
		}
	}
	r = &room{}
	if r.dir, err = os.MkdirTemp(base, ""); err != nil {
		return nil, err
	}
	r.lock, err = locked(r.dir, syscall.LOCK_EX|syscall.LOCK_NB)
	return r, err
}

func locked(dir string, how int) (*os.File, error) {
	f, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), how); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

func (r *room) close() error {
	err := os.RemoveAll(r.dir)
	if r.lock != nil {
		err = errors.Join(err, r.lock.Close())
	}
	return err
}
