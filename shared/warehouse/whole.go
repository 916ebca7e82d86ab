package warehouse

import (
	"context"
	"fmt"
	"path"
	"slices"

	"medlake/shared/lake"
	"medlake/shared/store"
)

// Whole fails with lake.ErrConflict if the catalog lacks a table that the bucket has: it was lost, and whoever reads by it
// would take the lake for an empty one. A table's schema is published only after the catalog has it.
func (w *Warehouse) Whole(ctx context.Context) error {
	there, err := w.Tables(ctx)
	if err != nil {
		return err
	}
	for folder, err := range w.files.bucket.Folders(ctx, store.SchemasPrefix) {
		if err != nil {
			return fmt.Errorf("list published tables: %w", err)
		}
		if name := path.Base(folder); !slices.Contains(there, name) {
			return lost(name)
		}
	}
	return nil
}

// lost is the error of a table that a lost catalog lacks.
func lost(table string) error {
	return fmt.Errorf("table %s is in the bucket and not in the catalog, which was lost and must be rebuilt: %w", table, lake.ErrConflict)
}
