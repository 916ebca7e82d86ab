// Package drop watches a folder: a file laid into DIR/<customer>/<path> arrives in the lake and leaves the folder. A file
// is taken once its size and time have stood still between two looks, so one that is still being written waits.
package drop

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"medlake/shared/lake"
)

// Folder is the watched folder. All fields are required.
type Folder struct {
	Dir    string
	Every  time.Duration // between looks
	Arrive func(ctx context.Context, customer, name string, f *os.File) error
	Log    *slog.Logger

	seen   map[string]stamp
	failed map[string]bool // customers whose files could not be taken at the last look, and were complained about
}

type stamp struct {
	size int64
	time time.Time
}

// Watch looks until ctx ends. A file that cannot be taken is tried again at the next look.
func (f *Folder) Watch(ctx context.Context) {
	tick := time.NewTicker(f.Every)
	defer tick.Stop()
	for {
		if err := f.Look(ctx); err != nil && ctx.Err() == nil {
			f.Log.ErrorContext(ctx, "drop folder", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// Look takes every file that has not changed since the last look. Hidden files, files outside a customer's folder and
// files that end in .part or .tmp are left alone. A file that cannot be taken is an error at the first look only.
func (f *Folder) Look(ctx context.Context) error {
	now := map[string]stamp{}
	failed := map[string]bool{}
	var errs []error
	err := filepath.WalkDir(f.Dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			if errors.Is(err, fs.ErrNotExist) {
				return nil // taken away while we look
			}
			return err
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if path != f.Dir && strings.HasPrefix(e.Name(), ".") {
			if e.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		if !e.Type().IsRegular() || strings.HasSuffix(path, ".part") || strings.HasSuffix(path, ".tmp") {
			return nil
		}
		rel, err := filepath.Rel(f.Dir, path)
		if err != nil {
			return err
		}
		customer, name, ok := strings.Cut(filepath.ToSlash(rel), "/")
		if !ok || !lake.ValidCustomer(customer) {
			return nil
		}
		info, err := e.Info()
		if err != nil {
			return nil
		}
		s := stamp{info.Size(), info.ModTime()}
		if f.seen[path] != s {
			now[path] = s
			return nil
		}
		if err := f.take(ctx, path, customer, name); err != nil {
			now[path] = s
			if !f.failed[customer] && !failed[customer] { // say it once until it works again
				errs = append(errs, err)
			}
			failed[customer] = true
		}
		return nil
	})
	f.seen, f.failed = now, failed
	return errors.Join(append(errs, err)...)
}

// take lets one file arrive and removes it. A crash in between makes it arrive again, which changes nothing.
func (f *Folder) take(ctx context.Context, path, customer, name string) error {
	file, err := os.Open(path)
	if err != nil {
		return scrub("open", err)
	}
	before, err := file.Stat()
	if err == nil {
		err = f.Arrive(ctx, customer, name, file)
	}
	if cerr := file.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return fmt.Errorf("take a file of %s: %w", customer, err)
	}
	now, err := os.Lstat(path)
	if err == nil && os.SameFile(before, now) && before.Size() == now.Size() && before.ModTime().Equal(now.ModTime()) {
		err = os.Remove(path)
	} // else the sender has put another file there meanwhile: it has its own turn
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return scrub("remove", err)
	}
	return nil
}

// scrub drops the file's name, which may identify a patient, from an operating system's error.
func scrub(what string, err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		err = p.Err
	}
	return fmt.Errorf("%s a file in the drop folder: %w", what, err)
}
