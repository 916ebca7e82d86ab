package ingest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"medlake/shared/faas/meter"
	"medlake/shared/lake"
	"medlake/shared/store"
)

// maxAttempts is how often an arrival may be opened without coming back before it is tried alone.
const maxAttempts = 3

// ErrDied is what Config.Alone returns when the process that tried an arrival died of it.
var ErrDied = errors.New("the process died")

// again processes an arrival that was sent before. It leaves an attempt object first and takes it away when processing
// comes back, well or not: what stays counts the deaths. A record that refuses the arrival already is the last word.
func (f *Ingest) again(ctx context.Context, p lake.Pending) (*lake.Record, error) {
	base, err := f.cfg.Journal.Base(ctx)
	if err != nil {
		return nil, err
	}
	made, err := f.made(ctx, p)
	if err != nil {
		return nil, err
	}
	if made != nil {
		return made, f.pend(ctx, p, base, made)
	}
	name := p.Arrival.ID()
	if p.Epoch > 0 {
		name = fmt.Sprintf("%s.%d", name, p.Epoch)
	}
	for n := 1; n <= maxAttempts; n++ {
		key := store.AttemptKey(name, n)
		err := f.cfg.Bucket.PutIfAbsent(ctx, key, []byte("{}"))
		if errors.Is(err, lake.ErrConflict) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("attempt %d: %w", n, err)
		}
		rec, err := f.once(ctx, p)
		if !errors.Is(err, errPanicked) {
			if derr := f.cfg.Bucket.Delete(ctx, key); derr != nil {
				f.log.WarnContext(ctx, "attempt stays counted", "arrival", p.Arrival.ID(), "error", derr)
			}
		}
		return rec, err
	}
	if f.cfg.Alone == nil {
		return f.once(ctx, p)
	}
	return f.alone(ctx, p, base)
}

// alone lets a process of its own try the arrival. Only if that dies of it too is the arrival at fault.
func (f *Ingest) alone(ctx context.Context, p lake.Pending, base int64) (*lake.Record, error) {
	f.log.WarnContext(ctx, "trying alone", "arrival", p.Arrival.ID())
	err := f.cfg.Alone(ctx, p)
	f.cfg.Meter.Add(ctx, meter.Alone, 1, meter.Outcome(err))
	if errors.Is(err, ErrDied) && ctx.Err() == nil {
		rec, err := f.quarantine(ctx, p, base, About{}, lake.Refuse(lake.Crashed, -1))
		if err != nil {
			return nil, err
		}
		return rec, f.pend(ctx, p, base, rec)
	}
	if err != nil {
		return nil, fmt.Errorf("alone: %w", err)
	}
	return f.pended(ctx, p) // the other process has done it all
}

// pended is the record an arrival is pending with. Commit may have taken it already: then only the arrival is known.
func (f *Ingest) pended(ctx context.Context, p lake.Pending) (*lake.Record, error) {
	data, err := f.cfg.Bucket.Get(ctx, store.PendingKey(p.Arrival.ID(), p.Epoch))
	if errors.Is(err, lake.ErrNotFound) {
		return &lake.Record{Arrival: p.Arrival.ID(), Status: lake.Loaded}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("pending: %w", err)
	}
	var done lake.Pending
	if err := json.Unmarshal(data, &done); err != nil {
		return nil, fmt.Errorf("pending: %w", err)
	}
	if err := lake.CheckFormat(done.Format); err != nil {
		return nil, fmt.Errorf("pending: %w", err)
	}
	return &done.Record, nil
}
