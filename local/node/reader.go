package node

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"medlake/local/duckdb"
	"medlake/shared/metadata"
	"medlake/shared/query"
	"medlake/shared/store"
	"medlake/shared/warehouse"
)

// Answer is the hidden command in which this program runs a customer's statement, limited, in a process of its own.
const Answer = "answer"

// Reader answers SQL over a lake.
type Reader struct {
	query.Reader
	bucket    *store.Bucket
	warehouse *warehouse.Warehouse
	room      *room // nil if the bucket is on this machine
}

// OpenReader opens a lake for reading. It must be there.
func OpenReader(ctx context.Context, at Place, set *metadata.Set) (*Reader, error) {
	if err := at.there(); err != nil {
		return nil, fmt.Errorf("%w, or load something first", err)
	}
	at, err := at.Whole()
	if err != nil {
		return nil, err
	}
	r, err := openReader(ctx, at, set, nil)
	if err != nil {
		return nil, err
	}
	if err := r.warehouse.Whole(ctx); err != nil {
		return nil, errors.Join(err, r.Close())
	}
	return r, nil
}

func openReader(ctx context.Context, at Place, set *metadata.Set, layer func(*store.Bucket) *store.Bucket) (_ *Reader, err error) {
	r := &Reader{}
	defer func() {
		if err != nil {
			err = errors.Join(err, r.Close())
		}
	}()
	if r.bucket, err = openBucket(ctx, at.Bucket); err != nil {
		return nil, err
	}
	if layer != nil {
		r.bucket = layer(r.bucket)
	}
	if r.warehouse, err = warehouse.Open(ctx, at.Catalog, r.bucket); err != nil {
		return nil, errors.Join(err, at.takes())
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	r.Reader = query.Reader{Source: source{r.warehouse}, Set: set, Engine: duckdb.Engine{}, Sandbox: &query.Child{Command: []string{self, Answer}}}
	if strings.HasPrefix(at.Bucket, "file:") {
		return r, nil
	}
	if r.room, err = openRoom(filepath.Join(at.Data, "fetched")); err != nil {
		return nil, fmt.Errorf("make a folder for the files of statements: %w", err)
	}
	r.Engine, r.Sandbox = fetching{r.Engine, r.bucket, r.room.dir}, fetching{r.Sandbox, r.bucket, r.room.dir}
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
	if r.room != nil {
		errs = append(errs, r.room.close())
	}
	return errors.Join(errs...)
}
