// Package durable keeps objects as plain files below one folder, so that what it has acknowledged survives a power cut.
// It is a driver for gocloud.dev/blob; it does no locking between writers beyond put-if-absent, signs no URLs, and needs
// a file system with hard links.
//
// # How an object is published
//
// The bytes go to a temp file (mode 0600) in the hidden folder of the root and are flushed. The file then gets its key's
// name: by link(2) for put-if-absent, by link and rename(2) otherwise. Then the folder is flushed, and only then is the
// temp name removed. So a file with two names is one whose publishing has not ended, and a file with one name is safe.
// Whoever meets a file with two names, in this process or another, flushes its folder before believing it: nobody acts
// on an object that a crash can take back. A writer that finds the key taken flushes the folder before it says so.
//
// Deletes are not flushed: a power cut within seconds may bring an object back. Folders are never removed; a folder
// without objects is invisible.
package durable

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"gocloud.dev/blob/driver"
	"gocloud.dev/gcerrors"
)

// hidden is the folder below the root that holds what is not an object: temp files, side data, the bucket's identity.
const hidden = ".medlake"

// Errors of the driver, told apart by ErrorCode.
var (
	errExists   = errors.New("the key is taken")
	errIsFolder = errors.New("the key is a folder of other keys")
	errIsObject = errors.New("a folder of the key is an object")
	errNoSign   = errors.New("a file bucket cannot sign URLs")
)

// Driver is a bucket in one folder. It is safe for concurrent use, also by several processes.
type Driver struct {
	root    string // absolute, without symbolic links
	id      string
	folders folders
	flush   func(dir string) error // flushes a folder's names; replaced by tests
}

// New opens the bucket in dir, which is made if it does not exist. Temp files that have not been written to for an hour
// are removed.
func New(dir string) (*Driver, error) {
	root, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("open bucket: %w", err)
	}
	d := &Driver{root: root, flush: flushFolder}
	if err := d.folders.ensure(d, filepath.Join(root, hidden, "tmp")); err != nil {
		return nil, fmt.Errorf("open bucket: %w", err)
	}
	if d.root, err = filepath.EvalSymlinks(root); err != nil {
		return nil, fmt.Errorf("open bucket: %w", err)
	}
	d.folders.forget()
	if d.id, err = d.identity(); err != nil {
		return nil, fmt.Errorf("open bucket: %w", err)
	}
	if err := d.clean(time.Now().Add(-time.Hour)); err != nil {
		return nil, fmt.Errorf("open bucket: clean temp files: %w", err)
	}
	return d, nil
}

// Root is the folder's absolute path without symbolic links.
func (d *Driver) Root() string { return d.root }

// ID is the bucket's identity. It stays when the folder is moved.
func (d *Driver) ID() string { return d.id }

// ErrorCode implements driver.Bucket.
func (d *Driver) ErrorCode(err error) gcerrors.ErrorCode {
	switch {
	case errors.Is(err, errExists):
		return gcerrors.FailedPrecondition
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ENOTDIR), errors.Is(err, syscall.ELOOP):
		return gcerrors.NotFound
	case errors.Is(err, errIsFolder), errors.Is(err, errIsObject), errors.Is(err, syscall.ENAMETOOLONG):
		return gcerrors.InvalidArgument
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		return gcerrors.PermissionDenied
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EMFILE), errors.Is(err, syscall.ENFILE):
		return gcerrors.ResourceExhausted
	case errors.Is(err, errNoSign), errors.Is(err, errors.ErrUnsupported):
		return gcerrors.Unimplemented
	}
	return gcerrors.Unknown
}

// As gives the bucket out as a **Driver.
func (d *Driver) As(i any) bool {
	p, ok := i.(**Driver)
	if ok {
		*p = d
	}
	return ok
}

// ErrorAs implements driver.Bucket.
func (d *Driver) ErrorAs(err error, i any) bool {
	p, ok := i.(**fs.PathError)
	return ok && errors.As(err, p)
}

// Attributes implements driver.Bucket.
func (d *Driver) Attributes(_ context.Context, key string) (*driver.Attributes, error) {
	name := d.path(key)
	fi, err := os.Lstat(name)
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
	return &driver.Attributes{
		CacheControl: a.CacheControl, ContentDisposition: a.ContentDisposition, ContentEncoding: a.ContentEncoding,
		ContentLanguage: a.ContentLanguage, ContentType: a.ContentType, Metadata: a.Metadata,
		ModTime: fi.ModTime(), Size: fi.Size(), ETag: ETag(fi), AsFunc: asInfo(fi),
	}, nil
}

// settle makes sure that the object that was found cannot be taken back by a crash.
func (d *Driver) settle(name string, fi fs.FileInfo) error {
	if !fi.Mode().IsRegular() {
		return fs.ErrNotExist
	}
	if names(fi) < 2 {
		return nil
	}
	return d.flush(filepath.Dir(name))
}

// Delete implements driver.Bucket.
func (d *Driver) Delete(_ context.Context, key string, o *driver.DeleteOptions) error {
	if o.BeforeDelete != nil {
		if err := o.BeforeDelete(func(any) bool { return false }); err != nil {
			return err
		}
	}
	name := d.path(key)
	fi, err := os.Lstat(name)
	if err != nil {
		return err
	}
	if !fi.Mode().IsRegular() {
		return fs.ErrNotExist
	}
	if err := os.Remove(name); err != nil {
		return err
	}
	return d.removeSide(key, fi)
}

// SignedURL implements driver.Bucket: a folder cannot sign.
func (d *Driver) SignedURL(context.Context, string, *driver.SignedURLOptions) (string, error) {
	return "", errNoSign
}

// Close implements driver.Bucket.
func (d *Driver) Close() error { return nil }

// ETag is the version of an object as the driver reports it: the time of its last write and its size.
func ETag(fi fs.FileInfo) string {
	return fmt.Sprintf(`"%x-%x"`, fi.ModTime().UnixNano(), fi.Size())
}

func asInfo(fi fs.FileInfo) func(any) bool {
	return func(i any) bool {
		p, ok := i.(*fs.FileInfo)
		if ok {
			*p = fi
		}
		return ok
	}
}

// path is where the key's object stands.
func (d *Driver) path(key string) string {
	return filepath.Join(d.root, filepath.FromSlash(Escape(key)))
}

var _ driver.Bucket = (*Driver)(nil)

// below reports whether the path name lies in dir or is dir.
func below(dir, name string) bool {
	return name == dir || strings.HasPrefix(name, strings.TrimSuffix(dir, "/")+"/")
}
