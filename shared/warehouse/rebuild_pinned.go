package warehouse

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/apache/iceberg-go"
	sqlcat "github.com/apache/iceberg-go/catalog/sql"
	"github.com/apache/iceberg-go/table"

	"medlake/shared/store"
)

// OpenAt opens tables at exactly the metadata files named, keys by table: to compare a copy of a lake with the lake. The
// catalog is in memory and nobody else's, so to change a table there is for tests alone.
func OpenAt(ctx context.Context, b *store.Bucket, metadata map[string]string) (*Warehouse, error) {
	cat := &opened{heads: map[string]*table.Table{}}
	cat.commits = cat
	var err error
	if cat.db, err = sql.Open("sqlite", ":memory:"); err != nil {
		return nil, fmt.Errorf("open catalog: %w", err)
	}
	cat.db.SetMaxOpenConns(1) // each connection would have a catalog of its own
	if cat.Catalog, err = sqlcat.NewCatalog(catalogName, cat.db, sqlcat.SQLite, iceberg.Properties{sqlcat.SchemaVersionKey: sqlcat.SchemaVersionV1}); err != nil {
		return nil, errors.Join(fmt.Errorf("open catalog: %w", err), cat.db.Close())
	}
	useBuckets()
	w := over(cat, b)
	for _, ns := range namespaces {
		if err := cat.CreateNamespace(ctx, table.Identifier{ns}, nil); err != nil {
			return nil, errors.Join(fmt.Errorf("open catalog: %w", err), w.Close())
		}
	}
	for name, key := range metadata {
		if err := cat.register(ctx, name, b.URL(key)); err != nil {
			return nil, errors.Join(err, w.Close())
		}
	}
	return w, nil
}

// over makes a warehouse of a catalog that is open.
func over(cat *opened, b *store.Bucket) *Warehouse {
	return &Warehouse{cat: cat, files: newFiles(b), plans: map[planKey]Plan{}, live: map[string]*contents{}, parsed: map[string][]entry{}}
}
