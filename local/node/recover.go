package node

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"medlake/functions/backup"
	"medlake/shared/lake"
	"medlake/shared/store"
	"medlake/shared/store/journal"
	"medlake/shared/warehouse"
)

// copies is how many objects are copied at once.
const copies = 8

// Backup brings the copy of the lake in another bucket up to date and proves it.
func (r *Reader) Backup(ctx context.Context, url string, grace time.Duration, log *slog.Logger) (done backup.Done, err error) {
	target, err := r.openCopy(ctx, url)
	if err != nil {
		return done, err
	}
	defer func() { err = errors.Join(err, target.Close()) }()
	return r.copyTo(ctx, target, grace, log)
}

// openCopy opens a bucket that is or will be a copy of the lake's.
func (r *Reader) openCopy(ctx context.Context, url string) (*store.Bucket, error) {
	target, err := openBucket(ctx, url)
	if err != nil {
		return nil, err
	}
	if to, own := target.URL(""), r.bucket.URL(""); strings.HasPrefix(to, own) || strings.HasPrefix(own, to) {
		return nil, errors.Join(fmt.Errorf("a backup needs a place apart from the lake's own bucket: %w", lake.ErrInvalid), target.Close())
	}
	return target, nil
}

// copyTo brings a copy up to date and proves it.
func (r *Reader) copyTo(ctx context.Context, target *store.Bucket, grace time.Duration, log *slog.Logger) (backup.Done, error) {
	b, err := backup.New(backup.Config{Source: r.bucket, Tables: r.warehouse, Target: target, Grace: grace, Log: log})
	if err != nil {
		return backup.Done{}, err
	}
	return b.Run(ctx)
}

// Back copies a backup into the bucket of a lake that has lost it. The catalog must be rebuilt afterwards.
func Back(ctx context.Context, url string, at Place) (c backup.Contents, err error) {
	from, err := openBucket(ctx, url)
	if err != nil {
		return c, err
	}
	defer func() { err = errors.Join(err, from.Close()) }()
	if at, err = at.Whole(); err != nil {
		return c, err
	}
	to, err := openBucket(ctx, at.Bucket)
	if err != nil {
		return c, err
	}
	defer func() { err = errors.Join(err, to.Close()) }()
	return backup.Back(ctx, from, to, copies)
}

// Rebuild puts the tables of a lake's bucket that its catalog lacks into the catalog, which is made if it is not there.
// Nothing else may have the lake open.
func Rebuild(ctx context.Context, at Place) (all []warehouse.Rebuilt, err error) {
	if err := at.there(); err != nil {
		return nil, err
	}
	if at, err = at.Whole(); err != nil {
		return nil, err
	}
	r, err := openReader(ctx, at, nil, nil)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	tail, err := journal.New(r.bucket).Tail(ctx)
	if err != nil {
		return nil, err
	}
	return r.warehouse.Rebuild(ctx, tail)
}

func openBucket(ctx context.Context, url string) (*store.Bucket, error) {
	b, err := store.Open(ctx, url)
	if err != nil {
		return nil, fmt.Errorf("open bucket: %w", err)
	}
	return b, nil
}
