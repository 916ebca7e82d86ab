// Package drop watches a folder: a file laid into DIR/<customer>/<path> arrives in the lake and leaves the folder. A file
// is taken once its size and time have stood still between two looks, so one that is still being written waits. Each file
// arrives once, however many processes watch the folder and whenever they die.
package drop

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"path/filepath"
	"strings"
	"time"

	"medlake/shared/lake"
)

// Folder is the watched folder. All fields are required.
type Folder struct {
	Dir    string
	Every  time.Duration // between looks
	Known  func(customer string) bool
	Arrive func(ctx context.Context, f File, body io.Reader) error
	Now    func() time.Time
	NewID  func() string
	Log    *slog.Logger

	seen   map[string]stamp
	failed map[string]bool // customers whose files could not be taken at the last look, and were complained about
}

// File is a file that arrives. Arriving again with the same ID, after a crash or in another process, is the same arrival.
type File struct {
	Customer string
	Name     string // path below the customer's folder
	At       time.Time
	ID       string
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
	complain := func(customer string, err error) {
		if !f.failed[customer] && !failed[customer] { // say it once until it works again
			errs = append(errs, err)
		}
		failed[customer] = true
	}
	if err := f.resume(ctx, complain); err != nil {
		return err
	}
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
		if !f.Known(customer) {
			now[path] = s
			complain(customer, errors.New("a folder in the drop folder is left alone: the metadata has no customer of its name"))
			return nil
		}
		if err := f.take(ctx, path, File{Customer: customer, Name: name, At: f.Now().UTC(), ID: f.NewID()}); err != nil {
			complain(customer, err)
		}
		return nil
	})
	f.seen, f.failed = now, failed
	return errors.Join(append(errs, err)...)
}
