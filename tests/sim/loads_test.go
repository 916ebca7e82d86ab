package sim

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"medlake/shared/datafile"
	"medlake/shared/lake"
	"medlake/shared/store"
	"medlake/shared/warehouse"
)

// RowsOf finds the rows of loads as shared/warehouse does: whole files, or a delete file for each that holds others too.
func (c *catalog) RowsOf(ctx context.Context, h warehouse.Head, loads []string) (remove []string, deletes []lake.DataFile, err error) {
	files, err := c.Live(ctx, h, "")
	if err != nil {
		return nil, nil, err
	}
	for _, f := range files {
		rows, err := c.w.rowsOf(c.tables[h.Table].schema, f.Path)
		if err != nil {
			return nil, nil, err
		}
		var at []datafile.Position
		for i, r := range rows {
			if slices.Contains(loads, r.Load) {
				at = append(at, datafile.Position{Path: f.Path, Row: int64(i)})
			}
		}
		switch {
		case len(at) == len(rows):
			remove = append(remove, f.Path)
		case len(at) > 0:
			d, err := c.hide(ctx, h.Table, at)
			if err != nil {
				return nil, nil, err
			}
			d.Customer, d.Month = f.Customer, f.Month
			deletes = append(deletes, d)
		}
	}
	return remove, deletes, nil
}

func (c *catalog) hide(ctx context.Context, table string, at []datafile.Position) (lake.DataFile, error) {
	var out bytes.Buffer
	d, err := datafile.WriteDeletes(&out, at)
	if err != nil {
		return d, err
	}
	key := fmt.Sprintf("%sdata/deletes-%d.parquet", store.TablePrefix(table), c.w.rng.Uint64())
	d.Path = c.base.URL(key)
	return d, c.base.Put(ctx, key, out.Bytes())
}

// record is what a load says of itself, without its files.
type record struct {
	Arrival   string    `json:"arrival"`
	Customer  string    `json:"customer"`
	Metadata  string    `json:"metadata"`
	ArrivedAt time.Time `json:"arrived_at"`
}

func (t *truth) record(load string) (rec record, err error) {
	if rec, ok := t.records[load]; ok {
		return rec, nil
	}
	data, err := t.w.base.Get(t.w.ctx, store.LoadKey(load))
	if err == nil {
		err = json.Unmarshal(data, &rec)
	}
	t.records[load] = rec
	return rec, err
}
