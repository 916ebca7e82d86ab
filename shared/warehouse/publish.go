package warehouse

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"slices"
	"strconv"

	"medlake/shared/lake"
	"medlake/shared/store"
)

// PublishedSchema reads the newest published schema of a table: what ingest writes by. It needs no catalog. The error is
// lake.ErrNotFound if the table was never ensured.
func PublishedSchema(ctx context.Context, b *store.Bucket, table string) (lake.Schema, error) {
	newest := 0
	for o, err := range b.List(ctx, store.SchemaPrefix(table)) {
		if err != nil {
			return lake.Schema{}, fmt.Errorf("list schemas of %s: %w", table, err)
		}
		if n, err := strconv.Atoi(path.Base(o.Key)); err == nil {
			newest = max(newest, n)
		}
	}
	if newest == 0 {
		return lake.Schema{}, fmt.Errorf("schema of %s: %w", table, lake.ErrNotFound)
	}
	data, err := b.Get(ctx, store.SchemaKey(table, newest))
	if err != nil {
		return lake.Schema{}, fmt.Errorf("schema %d of %s: %w", newest, table, err)
	}
	var s lake.Schema
	if err := json.Unmarshal(data, &s); err != nil {
		return lake.Schema{}, fmt.Errorf("schema %d of %s cannot be read: %w", newest, table, err)
	}
	if err := lake.CheckFormat(s.Format); err != nil {
		return lake.Schema{}, fmt.Errorf("schema %d of %s: %w", newest, table, err)
	}
	return s, nil
}

// publish makes s the newest published schema unless it already is, and returns it with its number. Numbers go up by one.
func publish(ctx context.Context, b *store.Bucket, s lake.Schema) (lake.Schema, error) {
	for range attempts {
		newest, err := PublishedSchema(ctx, b, s.Table)
		if err != nil && !errors.Is(err, lake.ErrNotFound) {
			return lake.Schema{}, err
		}
		s.N = newest.N
		if same(s, newest) {
			return newest, nil
		}
		s.N++
		data, err := json.Marshal(s)
		if err != nil {
			return lake.Schema{}, fmt.Errorf("publish schema of %s: %w", s.Table, err)
		}
		if err := b.PutIfAbsent(ctx, store.SchemaKey(s.Table, s.N), data); err != nil && !errors.Is(err, lake.ErrConflict) {
			return lake.Schema{}, fmt.Errorf("publish schema %d of %s: %w", s.N, s.Table, err)
		}
		// Published, or another was first: the next look tells.
	}
	return lake.Schema{}, fmt.Errorf("publish schema of %s: others kept publishing: %w", s.Table, lake.ErrConflict)
}

func same(a, b lake.Schema) bool {
	return a.Format == b.Format && a.Table == b.Table && a.N == b.N && a.Location == b.Location && a.Doc == b.Doc &&
		slices.Equal(a.Partition, b.Partition) && slices.Equal(a.Sort, b.Sort) && slices.Equal(a.Columns, b.Columns)
}
