package durable

import (
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// plain is the content type of an object without side data.
const plain = "application/octet-stream"

// side is what gocloud keeps beside an object's bytes. It stands in a file of its own, named after the key and the one
// file that holds the bytes, written before the object is published: an object and its side data change together.
// Objects of type application/octet-stream without other attributes have none.
type side struct {
	CacheControl       string            `json:"cache_control,omitempty"`
	ContentDisposition string            `json:"content_disposition,omitempty"`
	ContentEncoding    string            `json:"content_encoding,omitempty"`
	ContentLanguage    string            `json:"content_language,omitempty"`
	ContentType        string            `json:"content_type"`
	Metadata           map[string]string `json:"metadata,omitempty"`
}

func (s side) empty() bool {
	return len(s.Metadata) == 0 && s.ContentType == plain && s.CacheControl == "" && s.ContentDisposition == "" &&
		s.ContentEncoding == "" && s.ContentLanguage == ""
}

func (d *Driver) sidePath(key string, fi fs.FileInfo) string {
	h := fnv.New128a()
	_, _ = h.Write([]byte(key)) // never fails
	return filepath.Join(d.root, hidden, "side", fmt.Sprintf("%x-%x-%x", h.Sum(nil), inode(fi), fi.ModTime().UnixNano()))
}

func (d *Driver) readSide(key string, fi fs.FileInfo) (side, error) {
	b, err := os.ReadFile(d.sidePath(key, fi))
	if errors.Is(err, fs.ErrNotExist) {
		return side{ContentType: plain}, nil
	}
	if err != nil {
		return side{}, err
	}
	var s side
	if err := json.Unmarshal(b, &s); err != nil {
		return side{}, fmt.Errorf("read side data: %w", err)
	}
	return s, nil
}

// writeSide stores the side data of the object whose bytes are in the file fi, if it has any.
func (d *Driver) writeSide(key string, fi fs.FileInfo, s side) error {
	if s.empty() {
		return nil
	}
	name := d.sidePath(key, fi)
	if err := d.folders.ensure(d, filepath.Dir(name)); err != nil {
		return err
	}
	b, err := json.Marshal(s)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(name, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	if err == nil {
		err = f.Sync()
	}
	if err := errors.Join(err, f.Close()); err != nil {
		return errors.Join(err, os.Remove(name))
	}
	return d.flush(filepath.Dir(name))
}

func (d *Driver) removeSide(key string, fi fs.FileInfo) error {
	err := os.Remove(d.sidePath(key, fi))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// names counts the hard links of a file.
func names(fi fs.FileInfo) uint64 {
	st, ok := fi.Sys().(*syscall.Stat_t)
	if !ok {
		return 2 // unknown: flush
	}
	return uint64(st.Nlink)
}

func inode(fi fs.FileInfo) uint64 {
	st, ok := fi.Sys().(*syscall.Stat_t)
	if !ok {
		return 0
	}
	return st.Ino
}
