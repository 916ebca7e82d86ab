package warehouse

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/apache/iceberg-go"
	iceio "github.com/apache/iceberg-go/io"
	"github.com/apache/iceberg-go/table"

	"medlake/shared/store"
)

// Metadata is the key of a table's newest metadata file.
func (w *Warehouse) Metadata(ctx context.Context, name string) (string, error) {
	t, err := w.load(ctx, name)
	if err != nil {
		return "", err
	}
	key, err := w.key(t.MetadataLocation())
	if err != nil {
		return "", fmt.Errorf("metadata of %s: %w", name, err)
	}
	return key, nil
}

// key is the object that a URL in table metadata means.
func (w *Warehouse) key(url string) (string, error) {
	return (&session{files: w.files}).key("find", url)
}

// Reached lists the keys of all objects that the kept snapshots of a table name, with their sizes in bytes or 0 where the
// table does not say. A file that is missing is lake.ErrNotFound, if it must be read to know.
func (w *Warehouse) Reached(ctx context.Context, name string) (map[string]int64, error) {
	t, err := w.load(ctx, name)
	if err != nil {
		return nil, err
	}
	named, err := reach(&session{files: w.files, ctx: ctx}, t.Metadata().Snapshots())
	if err != nil {
		return nil, fmt.Errorf("files of %s: %w", name, err)
	}
	keys := make(map[string]int64, len(named))
	for url, size := range named {
		key, err := w.key(url)
		if err != nil {
			return nil, fmt.Errorf("files of %s: %w", name, err)
		}
		keys[key] = size
	}
	return keys, nil
}

// missing counts the files that snapshots name and that are not there in their size.
func (w *Warehouse) missing(ctx context.Context, name string, snapshots ...table.Snapshot) (int, error) {
	named, err := reach(&session{files: w.files, ctx: ctx}, snapshots)
	if errors.Is(err, fs.ErrNotExist) {
		return 1, nil
	}
	if err != nil {
		return 0, err
	}
	wanted := map[string]int64{} // by key
	for url, size := range named {
		key, err := w.key(url)
		if err != nil {
			return 0, err
		}
		wanted[key] = size
	}
	for o, err := range w.files.bucket.List(ctx, store.TablePrefix(name)) {
		if err != nil {
			return 0, err
		}
		if size, ok := wanted[o.Key]; ok && (size == 0 || size == o.Size) {
			delete(wanted, o.Key)
		}
	}
	return len(wanted), nil
}

// reach lists the URLs of all files that snapshots name, with their sizes in bytes where they say it, else 0.
func reach(io iceio.IO, snapshots []table.Snapshot) (map[string]int64, error) {
	named := map[string]int64{}
	for _, s := range snapshots {
		named[s.ManifestList] = 0
		list, err := s.Manifests(io)
		if err != nil {
			return nil, err
		}
		for _, m := range list {
			if err := reachManifest(io, m, named); err != nil {
				return nil, err
			}
		}
	}
	return named, nil
}

func reachManifest(io iceio.IO, m iceberg.ManifestFile, named map[string]int64) error {
	if _, ok := named[m.FilePath()]; ok {
		return nil
	}
	named[m.FilePath()] = m.Length()
	for e, err := range m.Entries(io, true) {
		if err != nil {
			return err
		}
		named[e.DataFile().FilePath()] = e.DataFile().FileSizeBytes()
	}
	return nil
}
