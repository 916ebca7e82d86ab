package warehouse

import (
	"context"
	"errors"

	"medlake/shared/lake"
)

// RowsOf finds the rows of loads at h, by _load: whole files to remove, and for files that hold other rows too, position
// delete files, which it writes, one for each partition. Both are for the Change that takes the rows out.
func (w *Warehouse) RowsOf(ctx context.Context, h Head, loads []string) (remove []string, deletes []lake.DataFile, err error) {
	return nil, nil, errors.ErrUnsupported
}
