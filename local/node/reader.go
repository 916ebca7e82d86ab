package node

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"medlake/local/duckdb"
	"medlake/shared/metadata"
	"medlake/shared/query"
	"medlake/shared/store"
	"medlake/shared/warehouse"
)

// Answer is the hidden command in which this program runs a customer's statement, limited, in a process of its own.
const Answer = "answer"

// Reader answers SQL over the lake of a folder.
type Reader struct {
	query.Reader
	bucket    *store.Bucket
	warehouse *warehouse.Warehouse
}

// OpenReader opens the lake of a folder for reading. It must be there.
func OpenReader(ctx context.Context, data string, set *metadata.Set) (*Reader, error) {
	if _, err := os.Stat(filepath.Join(data, "bucket")); errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("there is no lake in %s: name its folder with --data, or load something first", data)
	}
	data, err := filepath.Abs(data)
	if err != nil {
		return nil, err
	}
	r, err := openReader(ctx, data, set, nil)
	if err != nil {
		return nil, err
	}
	if err := r.warehouse.Whole(ctx); err != nil {
		return nil, errors.Join(err, r.Close())
	}
	return r, nil
}

func openReader(ctx context.Context, data string, set *metadata.Set, layer func(*store.Bucket) *store.Bucket) (r *Reader, err error) {
	r = &Reader{}
	defer func() {
		if err != nil {
			err = errors.Join(err, r.Close())
		}
	}()
	if r.bucket, err = store.Open(ctx, store.FileURL(filepath.Join(data, "bucket"))); err != nil {
		return nil, fmt.Errorf("open bucket: %w", err)
	}
	if layer != nil {
		r.bucket = layer(r.bucket)
	}
	if r.warehouse, err = warehouse.Open(ctx, "sqlite://"+filepath.Join(data, "catalog.db"), r.bucket); err != nil {
		return nil, fmt.Errorf("open catalog: %w", err)
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	r.Reader = query.Reader{Source: source{r.warehouse}, Set: set, Engine: duckdb.Engine{}, Sandbox: &query.Child{Command: []string{self, Answer}}}
	return r, nil
}

// Close lets go of the catalog and the bucket.
func (r *Reader) Close() error {
	var errs []error
	if r.warehouse != nil {
		errs = append(errs, r.warehouse.Close())
	}
	if r.bucket != nil {
		errs = append(errs, r.bucket.Close())
	}
	return errors.Join(errs...)
}
