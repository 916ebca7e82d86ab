package warehouse

import (
	"bytes"
	"context"
	"fmt"

	"github.com/apache/iceberg-go"

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
	c, err := w.contents(ctx, h.tbl, h.Snapshot)
	if err != nil {
		return nil, fmt.Errorf("list files of %s: %w", h.Table, err)
	}
	return c.of(h.tbl.Schema(), customer), nil
}

// of lists the files of a customer: by the partition, or where there is none by the bounds.
func (c *contents) of(sc *iceberg.Schema, customer string) []LiveFile {
	if customer == "" {
		return c.files
	}
	column, _ := sc.FindFieldByName(lake.ColCustomer)
	var out []LiveFile
	for _, f := range c.files {
		if f.Customer == customer || f.Customer == "" && between(f.Lower[column.ID], []byte(customer), f.Upper[column.ID]) {
			out = append(out, f)
		}
	}
	return out
}

// between reports whether v may lie between two bounds; nil is no bound.
func between(low, v, high []byte) bool {
	return (low == nil || bytes.Compare(low, v) <= 0) && (high == nil || bytes.Compare(v, high) <= 0)
}
