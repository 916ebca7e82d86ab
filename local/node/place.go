package node

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"medlake/shared/store"
)

// Place says where a lake is: in a folder of this machine, or with its bucket, its catalog or both elsewhere. The folder
// then still holds secrets, the drop folder, and for the time of a statement the files it reads.
type Place struct {
	Data    string // folder, made if it is not there
	Bucket  string // URL; empty: folder bucket in Data
	Catalog string // URL; empty: file catalog.db in Data
}

// Whole is the place with what was left open in the folder, which is made.
func (p Place) Whole() (Place, error) {
	data, err := filepath.Abs(p.Data)
	if err != nil {
		return p, err
	}
	if err := os.MkdirAll(data, 0o700); err != nil {
		return p, fmt.Errorf("make the lake's folder: %w", err)
	}
	p.Data = data
	if p.Bucket == "" {
		p.Bucket = store.FileURL(filepath.Join(data, "bucket"))
	}
	if p.Catalog == "" {
		p.Catalog = "sqlite://" + filepath.Join(data, "catalog.db")
	}
	return p, nil
}

// there fails if the lake is to be in a folder, and is not.
func (p Place) there() error {
	if p.Bucket != "" {
		return nil
	}
	if _, err := os.Stat(filepath.Join(p.Data, "bucket")); errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("there is no lake in %s: name its folder with --data", p.Data)
	}
	return nil
}

// takes fails if no more can be written to the lake's folder. SQLite calls a full disk an I/O error like any other.
func (p Place) takes() error {
	f, err := os.CreateTemp(p.Data, ".space-*")
	if err == nil {
		_, err = f.Write(make([]byte, 64<<10))
		err = errors.Join(err, f.Close(), os.Remove(f.Name()))
	}
	if err != nil {
		return fmt.Errorf("the lake's folder takes no more: %w", err)
	}
	return nil
}
