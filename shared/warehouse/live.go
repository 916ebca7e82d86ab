package warehouse

import (
	"context"
	"errors"

	"medlake/shared/lake"
)

// LiveFile is a data file of a table with all that the table says about it.
type LiveFile struct {
	lake.DataFile
	Sequence int64           // of the snapshot that its rows came with
	Deletes  []lake.DataFile // position delete files that may hide rows of it
}

// Live lists the data files at h that can hold rows of a customer, "" means all, by path. The caller must not change them.
func (w *Warehouse) Live(ctx context.Context, h Head, customer string) ([]LiveFile, error) {
	return nil, errors.ErrUnsupported
}
