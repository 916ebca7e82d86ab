package backup

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"medlake/shared/lake"
	"medlake/shared/store"
)

// Back copies the newest verified backup to an empty bucket, which must have the URL of the lake that was backed up, and
// reads every table there: rows that are not those of the backup are an error. Then the catalog is to be rebuilt, and what
// the lake had not yet taken in when it was backed up is found by sweep. It may be stopped and run again until it is done.
// A bucket with a lake is lake.ErrConflict, one of another URL lake.ErrInvalid. Parallel is how many objects are copied at
// once.
func Back(ctx context.Context, from, to *store.Bucket, parallel int) (Contents, error) {
	c, err := newest(ctx, from)
	if err != nil {
		return c, err
	}
	if c.URL != to.URL("") {
		return c, fmt.Errorf("the backup is of the lake in %s and can only be brought back there: %w", c.URL, lake.ErrInvalid)
	}
	tables := map[string]string{}
	var last []string
	for _, t := range c.Tables {
		tables[t.Table] = t.Metadata
		last = append(last, t.Metadata)
	}
	if _, err := to.Head(ctx, store.HintKey()); !errors.Is(err, lake.ErrNotFound) {
		if err == nil {
			err = fmt.Errorf("there is a lake in the bucket: %w", lake.ErrConflict)
		}
		return c, err
	}
	var failed error
	list := func(yield func(string) bool) {
		for o, err := range from.List(ctx, "") {
			if err != nil {
				failed = err
				return
			}
			if k := kindOf(o.Key); (k == plain || k == control) && !yield(o.Key) {
				return
			}
		}
	}
	err = each(ctx, parallel, list, func(ctx context.Context, key string) error { return stream(ctx, from, to, key) })
	if err = errors.Join(err, failed); err != nil {
		return c, err
	}
	for _, key := range append(last, gapsKey, store.HintKey()) {
		if err := stream(ctx, from, to, key); err != nil && !errors.Is(err, lake.ErrNotFound) {
			return c, err
		}
	}
	found, err := look(ctx, to, tables)
	if err != nil {
		return c, err
	}
	if !slices.Equal(found, c.Tables) {
		return c, errors.New("the tables that were brought back do not hold the rows of the backup")
	}
	return c, nil
}
