package journal

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"medlake/shared/lake"
	"medlake/shared/store"
)

// Record reads the record of a load, whole even if it was shortened; lake.ErrNotFound if there is none.
func (j *Journal) Record(ctx context.Context, load string) (*lake.Record, error) {
	r, err := j.record(ctx, load)
	if err != nil || r.Log == 0 {
		return r, err
	}
	e, err := j.Entry(ctx, r.Log)
	if err != nil {
		return nil, fmt.Errorf("record of load %s: %w", load, err)
	}
	for i := range e.Loads {
		if e.Loads[i].Load == load {
			r.Tables = e.Loads[i].Tables
		}
	}
	return r, nil
}

func (j *Journal) record(ctx context.Context, load string) (*lake.Record, error) {
	data, err := j.bucket.Get(ctx, store.LoadKey(load))
	if err != nil {
		return nil, fmt.Errorf("record of load %s: %w", load, err)
	}
	return ParseRecord(load, data)
}

// ParseRecord reads what lies under store.LoadKey(load).
func ParseRecord(load string, data []byte) (*lake.Record, error) {
	r := &lake.Record{}
	if err := json.Unmarshal(data, r); err != nil {
		return nil, fmt.Errorf("record of load %s: %w", load, err)
	}
	if err := lake.CheckFormat(r.Format); err != nil {
		return nil, fmt.Errorf("record of load %s: %w", load, err)
	}
	if r.Load != load {
		return nil, fmt.Errorf("record of load %s is of another load", load)
	}
	return r, nil
}

// shorten takes out of the records of an entry's loads what the entry says too. What stays is all that ingest needs to
// know an upload again: the load is in the log, so nobody takes it in from there.
func (j *Journal) shorten(ctx context.Context, e *Entry) error {
	for i := range e.Loads {
		r, err := j.record(ctx, e.Loads[i].Load)
		if errors.Is(err, lake.ErrNotFound) || err == nil && r.Log > 0 {
			continue
		}
		if err != nil {
			return err
		}
		r.Log, r.Tables, r.Warnings, r.Unmatched = e.N, nil, nil, nil
		data, err := json.Marshal(r)
		if err == nil {
			err = j.bucket.Put(ctx, store.LoadKey(r.Load), data)
		}
		if err != nil {
			return fmt.Errorf("record of load %s: %w", r.Load, err)
		}
	}
	return nil
}
