package ingest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"medlake/shared/lake"
	"medlake/shared/store"
	"medlake/shared/store/journal"
)

// existing reads the record of a load; nil if there is none.
func (f *Ingest) existing(ctx context.Context, load string) (*lake.Record, error) {
	data, err := f.cfg.Bucket.Get(ctx, store.LoadKey(load))
	if errors.Is(err, lake.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("record of load %s: %w", load, err)
	}
	return journal.ParseRecord(load, data)
}

// made reads the record that an arrival has by itself, whatever is in it; nil if there is none. What was refused once stays
// so, for its receipt may lie before any base that is read now; a replay tries it again.
func (f *Ingest) made(ctx context.Context, p lake.Pending) (*lake.Record, error) {
	r, err := f.existing(ctx, quarantineID(p))
	if r == nil && err == nil && p.Replaces != "" {
		r, err = f.existing(ctx, replayID(p))
	}
	return r, err
}

// claim makes r the record of its load, unless there is one by now, and returns the record that stands.
func (f *Ingest) claim(ctx context.Context, r *lake.Record) (*lake.Record, error) {
	r.Format = lake.Format
	data, err := json.Marshal(r)
	if err != nil {
		return nil, fmt.Errorf("record of load %s: %w", r.Load, err)
	}
	winner, err := f.cfg.Bucket.Claim(ctx, store.LoadKey(r.Load), data)
	if err != nil {
		return nil, fmt.Errorf("record of load %s: %w", r.Load, err)
	}
	return journal.ParseRecord(r.Load, winner)
}

// quarantine records that an arrival is refused, and why. Its bytes stay in landing.
func (f *Ingest) quarantine(ctx context.Context, p lake.Pending, base int64, about About, why *lake.Refusal) (*lake.Record, error) {
	a := p.Arrival
	return f.claim(ctx, &lake.Record{
		Load: quarantineID(p), Arrival: a.ID(), Epoch: p.Epoch, Customer: a.Customer(), Feed: about.Feed, Metadata: (*f.engine.Load()).Version(),
		Status: lake.Quarantined, Reason: why.Reason, Where: why.Where, Base: base, ArrivedAt: a.At,
	})
}

// arrivalBase is object arrivals/<arrival>.
type arrivalBase struct {
	Format int   `json:"format"`
	Base   int64 `json:"base"`
}

// pend leaves the arrival with its record where commit finds it. Its base is fixed first: the record's if this arrival made
// it, else its own, written once, so that every repetition of this step says the same. For a replay any base from the
// epoch on is right.
func (f *Ingest) pend(ctx context.Context, p lake.Pending, base int64, rec *lake.Record) error {
	id := p.Arrival.ID()
	switch {
	case rec.Arrival == id && rec.Epoch > p.Epoch:
		return nil // a replay made it: the arrival stood in the log before that
	case rec.Arrival == id:
		base = max(rec.Base, p.Epoch)
	case p.Epoch > 0:
		base = p.Epoch
	default:
		data, err := json.Marshal(arrivalBase{Format: lake.Format, Base: base})
		if err != nil {
			return fmt.Errorf("base: %w", err)
		}
		winner, err := f.cfg.Bucket.Claim(ctx, store.ArrivalKey(id), data)
		if err != nil {
			return fmt.Errorf("base: %w", err)
		}
		var b arrivalBase
		if err := json.Unmarshal(winner, &b); err != nil {
			return fmt.Errorf("base: %w", err)
		}
		if err := lake.CheckFormat(b.Format); err != nil {
			return fmt.Errorf("base: %w", err)
		}
		base = b.Base
	}
	p.Format, p.Base, p.Record = lake.Format, base, *rec
	data, err := json.Marshal(p)
	if err != nil {
		return fmt.Errorf("pending: %w", err)
	}
	if err := f.cfg.Bucket.Put(ctx, store.PendingKey(id, p.Epoch), data); err != nil {
		return fmt.Errorf("pending: %w", err)
	}
	f.cfg.Wake()
	return nil
}
