package drop

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// taking is where files lie that were taken and have not arrived yet: .taking/<time>-<id>/<customer>/<path>. To move a file
// there is to take it: one process can, and the name says as what it arrives, also after a crash.
const (
	taking = ".taking"
	clock  = "20060102T150405.000000Z"
)

// take takes one file and lets it arrive.
func (f *Folder) take(ctx context.Context, path string, file File) error {
	dir := filepath.Join(f.Dir, taking, file.At.Format(clock)+"-"+file.ID)
	to := filepath.Join(dir, file.Customer, filepath.FromSlash(file.Name))
	if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
		return scrub("take", err)
	}
	if err := os.Rename(path, to); err != nil {
		if errors.Is(err, fs.ErrNotExist) { // another process was first
			err = nil
		}
		return errors.Join(scrub("take", err), os.RemoveAll(dir))
	}
	for _, d := range []string{filepath.Dir(to), filepath.Dir(path)} { // a power cut must not give it back: it would arrive as another
		if err := flush(d); err != nil {
			return scrub("take", err)
		}
	}
	return f.arrive(ctx, dir, to, file)
}

// flush makes the names in a folder durable.
func flush(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// resume lets arrive what was taken before: busy senders, and processes that died.
func (f *Folder) resume(ctx context.Context, complain func(customer string, err error)) error {
	dirs, err := os.ReadDir(filepath.Join(f.Dir, taking))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return scrub("look for", err)
	}
	for _, d := range dirs {
		stamp, id, _ := strings.Cut(d.Name(), "-")
		at, err := time.Parse(clock, stamp)
		if err != nil || ctx.Err() != nil {
			continue
		}
		dir := filepath.Join(f.Dir, taking, d.Name())
		path, err := fileIn(dir)
		if err != nil {
			return scrub("look for", err)
		}
		if path == "" { // it arrived, or is being taken just now
			continue
		}
		rel, err := filepath.Rel(dir, path)
		if err != nil {
			return scrub("look for", err)
		}
		customer, name, _ := strings.Cut(filepath.ToSlash(rel), "/")
		if err := f.arrive(ctx, dir, path, File{Customer: customer, Name: name, At: at, ID: id}); err != nil {
			complain(customer, err)
		}
	}
	return nil
}

// fileIn finds the file below dir; empty if there is none.
func fileIn(dir string) (file string, err error) {
	err = filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) { // it has arrived meanwhile
			return nil
		}
		if err == nil && e.Type().IsRegular() {
			file = path
			return fs.SkipAll
		}
		return err
	})
	return file, err
}

// arrive lets a taken file arrive and removes it with its folder.
func (f *Folder) arrive(ctx context.Context, dir, path string, file File) error {
	body, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) { // another process was faster
		return nil
	}
	if err != nil {
		return scrub("open", err)
	}
	err = f.Arrive(ctx, file, body)
	if cerr := body.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return fmt.Errorf("take a file of %s: %w", file.Customer, err)
	}
	return scrub("remove", os.RemoveAll(dir))
}

// scrub drops the file's name, which may identify a patient, from an operating system's error.
func scrub(what string, err error) error {
	if err == nil {
		return nil
	}
	var p *fs.PathError
	var l *os.LinkError
	switch {
	case errors.As(err, &p):
		err = p.Err
	case errors.As(err, &l):
		err = l.Err
	}
	return fmt.Errorf("%s a file in the drop folder: %w", what, err)
}
