package warehouse

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	sqlcat "github.com/apache/iceberg-go/catalog/sql"

	"medlake/shared/store"
)

// OpenAt opens tables at exactly the metadata files named, keys by table: to compare a copy of a lake with the lake. The
// catalog is in memory and nobody else's, so to change a table there is for tests alone.
func OpenAt(ctx context.Context, b *store.Bucket, metadata map[string]string) (*Warehouse, error) {
	db, err := sql.Open("sqlite", ":memory:")
	if err != nil {
		return nil, fmt.Errorf("open catalog: %w", err)
	}
	db.SetMaxOpenConns(1) // each connection would have a catalog of its own
	cat := newCatalog()
	if err := cat.overSQL(db, sqlcat.SQLite); err != nil {
		return nil, errors.Join(fmt.Errorf("open catalog: %w", err), db.Close())
	}
	useBuckets()
	w := over(cat, b)
	for _, ns := range namespaces {
		if err := cat.CreateNamespace(ctx, cat.namespace(ns), nil); err != nil {
			return nil, errors.Join(fmt.Errorf("open catalog: %w", err), w.Close())
		}
	}
	for name, key := range metadata {
		if err := cat.register(w.files.with(ctx), name, b.URL(key)); err != nil {
			return nil, errors.Join(err, w.Close())
		}
	}
	return w, nil
}

// over makes a warehouse of a catalog that is open.
func over(cat *opened, b *store.Bucket) *Warehouse {
	return &Warehouse{cat: cat, files: newFiles(b), plans: map[planKey]Plan{}, live: map[string]*contents{}, parsed: map[string][]entry{}}
}
