package durable

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// clean removes temp files that were last written to before the given time: their writers are gone.
func (d *Driver) clean(before time.Time) error {
	dir := filepath.Join(d.root, hidden, "tmp")
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	synced := false
	for _, e := range entries {
		fi, err := e.Info()
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		if !fi.Mode().IsRegular() || !fi.ModTime().Before(before) {
			continue
		}
		if names(fi) > 1 && !synced {
			unix.Sync() // published but perhaps not flushed, in a folder we do not know: flush all
			synced = true
		}
		if err := os.Remove(filepath.Join(dir, e.Name())); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// identity reads the bucket's id, which the first opener draws.
func (d *Driver) identity() (string, error) {
	name := filepath.Join(d.root, hidden, "id")
	for range 2 {
		b, err := os.ReadFile(name)
		if err == nil && len(b) > 0 {
			return string(b), d.flush(filepath.Dir(name))
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return "", err
		}
		if err := d.draw(name); err != nil {
			return "", err
		}
	}
	return "", fmt.Errorf("the bucket's id file is empty")
}

// draw writes a new id unless somebody else was first.
func (d *Driver) draw(name string) error {
	temp := filepath.Join(d.root, hidden, "tmp", rand.Text())
	f, err := os.OpenFile(temp, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.WriteString(rand.Text())
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		_, err = d.publish(temp, name, true)
	}
	if errors.Is(err, errExists) {
		err = nil
	}
	return errors.Join(err, os.Remove(temp))
}
