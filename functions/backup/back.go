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
// the lake had not yet taken in when it was backed up is found by sweep. A bucket that is not empty is lake.ErrConflict, one
// of another URL lake.ErrInvalid.
func Back(ctx context.Context, from, to *store.Bucket) (Contents, error) {
	c, err := Newest(ctx, from)
	if err != nil {
		return c, err
	}
	tables := map[string]string{}
	last := []string{"gaps", store.HintKey()}
	for _, t := range c.Tables {
		key, err := to.Key(t.Metadata)
		if err != nil {
			return c, fmt.Errorf("the backup is of a lake with another URL: %w", err)
		}
		tables[t.Table] = t.Metadata
		last = append(last, key)
	}
	for _, err := range to.List(ctx, "") {
		if err == nil {
			err = fmt.Errorf("the bucket is not empty: %w", lake.ErrConflict)
		}
		return c, err
	}
	for o, err := range from.List(ctx, "") {
		if err != nil {
			return c, err
		}
		if k := kindOf(o.Key); k != plain && k != control {
			continue
		}
		if err := stream(ctx, from, to, o.Key); err != nil {
			return c, err
		}
	}
	for _, key := range last {
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
