package durable

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
)

// folders remembers which folders this process has made or found durable.
type folders struct {
	mu    sync.RWMutex
	known map[string]bool
}

// maxFolders bounds the memory; what is forgotten is flushed once more.
const maxFolders = 1 << 16

// ensure makes dir and its parents, with every name of the way flushed in its parent.
func (f *folders) ensure(d *Driver, dir string) error {
	f.mu.RLock()
	ok := f.known[dir]
	f.mu.RUnlock()
	if ok {
		return nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.make(d, dir)
}

func (f *folders) make(d *Driver, dir string) error {
	parent := filepath.Dir(dir)
	if f.known[dir] || parent == dir {
		return nil
	}
	fi, err := os.Stat(dir)
	switch {
	case err == nil && !fi.IsDir():
		return errIsObject
	case err == nil && !below(d.root, parent):
		return nil // the root and what is above it was there before us
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return err
	}
	if err := f.make(d, parent); err != nil {
		return err
	}
	if err != nil {
		if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
	}
	if err := d.flush(parent); err != nil {
		return err
	}
	if f.known == nil || len(f.known) >= maxFolders {
		f.known = map[string]bool{}
	}
	f.known[dir] = true
	return nil
}

// forget makes the next writers look again.
func (f *folders) forget() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.known = nil
}

// flushFolder waits until the names in a folder are on disk.
func flushFolder(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
