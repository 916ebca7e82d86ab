package durable

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"gocloud.dev/blob/driver"
)

// defaultPage is how many objects a page holds if the caller does not say.
const defaultPage = 1000

// errFull ends a walk whose page is full.
var errFull = errors.New("page is full")

// walk collects one page of a listing.
type walk struct {
	d      *Driver
	prefix string
	delim  string
	after  string // only keys after this one
	size   int
	page   driver.ListPage
}

// ListPaged implements driver.Bucket. It reads only the folders that can hold keys of the prefix after the page token,
// which is the last key of the page before.
func (d *Driver) ListPaged(ctx context.Context, o *driver.ListOptions) (*driver.ListPage, error) {
	if o.BeforeList != nil {
		if err := o.BeforeList(func(any) bool { return false }); err != nil {
			return nil, err
		}
	}
	w := &walk{d: d, prefix: o.Prefix, delim: o.Delimiter, after: string(o.PageToken), size: o.PageSize}
	if w.size <= 0 {
		w.size = defaultPage
	}
	start := startFolder(o.Prefix)
	err := w.marker(start)
	if err == nil {
		err = w.folder(ctx, filepath.Join(d.root, filepath.FromSlash(start)), start)
	}
	if errors.Is(err, errFull) {
		w.page.NextPageToken = []byte(w.page.Objects[len(w.page.Objects)-1].Key)
		err = nil
	}
	if err != nil {
		return nil, err
	}
	return &w.page, nil
}

// startFolder is the deepest folder, empty or ending in a slash, below which all keys of the prefix stand. A part of the
// prefix that is escaped may be spelled otherwise in a longer key: the folder above it is taken.
func startFolder(prefix string) string {
	for i := strings.LastIndexByte(prefix, '/'); i >= 0; i = strings.LastIndexByte(prefix[:i], '/') {
		if start := prefix[:i+1]; Escape(start+"x") == start+"x" {
			return start
		}
	}
	return ""
}

// entry is one name of a folder with the key, or for a folder the key prefix ending in a slash, that it stands for.
type entry struct {
	key string
	fs.DirEntry
}

// marker adds the object whose key is the start folder itself, slash included: it stands beside the folder.
func (w *walk) marker(start string) error {
	if start == "" || start != w.prefix || w.after >= start {
		return nil
	}
	name := w.d.path(start)
	fi, err := os.Lstat(name)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {
		return nil
	}
	if err == nil {
		err = w.d.settle(name, fi)
	}
	if err != nil {
		return err
	}
	return w.add(object(start, fi))
}

// folder lists dir, whose keys begin with base, in key order.
func (w *walk) folder(ctx context.Context, dir, base string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	entries, err := w.read(dir, base)
	if err != nil {
		return err
	}
	flushed := false
	for _, e := range entries {
		name := filepath.Join(dir, e.Name())
		if fold, ok := w.fold(e.key); ok {
			if err := w.addFolder(e, name, fold); err != nil {
				return err
			}
			continue
		}
		if e.IsDir() {
			if err := w.folder(ctx, name, e.key); err != nil {
				return err
			}
			continue
		}
		fi, err := e.Info()
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		if names(fi) > 1 && !flushed {
			if err := w.d.flush(dir); err != nil {
				return err
			}
			flushed = true
		}
		if err := w.add(object(e.key, fi)); err != nil {
			return err
		}
	}
	return nil
}

func object(key string, fi fs.FileInfo) *driver.ListObject {
	return &driver.ListObject{Key: key, Size: fi.Size(), ModTime: fi.ModTime(), AsFunc: asInfo(fi)}
}

// read returns the entries of dir that can matter, in the order of their keys.
func (w *walk) read(dir, base string) ([]entry, error) {
	all, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	entries := make([]entry, 0, len(all))
	for _, e := range all {
		name, ok := Unescape(e.Name())
		if !ok || base == "" && e.Name() == hidden || !e.IsDir() && !e.Type().IsRegular() {
			continue
		}
		key := base + name
		if e.IsDir() {
			key += "/"
		}
		if w.may(key, e.IsDir()) {
			entries = append(entries, entry{key, e})
		}
	}
	slices.SortFunc(entries, func(a, b entry) int { return strings.Compare(a.key, b.key) })
	return entries, nil
}

// may reports whether key, or for a folder a key below it, belongs to this and later pages.
func (w *walk) may(key string, folder bool) bool {
	if !folder {
		return strings.HasPrefix(key, w.prefix) && key > w.after
	}
	if !strings.HasPrefix(key, w.prefix) && !strings.HasPrefix(w.prefix, key) {
		return false
	}
	return key > w.after || strings.HasPrefix(w.after, key)
}

// fold returns the folder entry that key falls into, if the listing has a delimiter and key contains it.
func (w *walk) fold(key string) (string, bool) {
	if w.delim == "" || !strings.HasPrefix(key, w.prefix) {
		return "", false
	}
	i := strings.Index(key[len(w.prefix):], w.delim)
	if i < 0 {
		return "", false
	}
	return key[:len(w.prefix)+i+len(w.delim)], true
}

// addFolder adds the folder entry once, if there is an object in it.
func (w *walk) addFolder(e entry, name, fold string) error {
	n := len(w.page.Objects)
	if fold <= w.after || n > 0 && w.page.Objects[n-1].Key == fold {
		return nil
	}
	if e.IsDir() {
		found, err := holds(name)
		if err != nil || !found {
			return err
		}
	}
	return w.add(&driver.ListObject{Key: fold, IsDir: true})
}

func (w *walk) add(o *driver.ListObject) error {
	if len(w.page.Objects) == w.size {
		return errFull
	}
	w.page.Objects = append(w.page.Objects, o)
	return nil
}

// holds reports whether there is an object in dir or below. It reads no more of it than it must.
func holds(dir string) (found bool, err error) {
	f, err := os.Open(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	for {
		entries, err := f.ReadDir(32)
		for _, e := range entries {
			if e.Type().IsRegular() {
				return true, nil
			}
			if e.IsDir() {
				if found, err := holds(filepath.Join(dir, e.Name())); found || err != nil {
					return found, err
				}
			}
		}
		if errors.Is(err, io.EOF) {
			return false, nil
		}
		if err != nil {
			return false, err
		}
	}
}
