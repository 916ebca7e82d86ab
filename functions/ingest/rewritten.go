package ingest

import (
	"context"
	"errors"
	"slices"

	"medlake/shared/lake"
)

// rewritten is what an arrival is processed as: by itself, or if an erasure has put it in the place of another, with that
// one's time and for the erasure, whose entry says which rows leave when its rows come. So whoever processes it, and
// however often, it is the same.
func (f *Ingest) rewritten(ctx context.Context, a lake.Arrival) (lake.Pending, error) {
	p := lake.Pending{Arrival: a}
	n, of, ok := a.Rewritten()
	if !ok {
		return p, nil
	}
	e, err := f.cfg.Journal.Entry(ctx, n)
	switch {
	case errors.Is(err, lake.ErrNotFound), err == nil && (e.Erase == nil || e.Erase.Customer != a.Customer()):
		return p, nil // a sender's idea of a name
	case err != nil:
		return p, err
	}
	i := slices.IndexFunc(e.Erase.Uploads, func(u lake.Erased) bool { return u.Arrival == of && len(u.Records) > 0 })
	if i < 0 {
		return p, nil
	}
	u := &e.Erase.Uploads[i]
	p.Arrival.At = u.At
	p.Epoch, p.Erased = n, true
	p.Replaces, p.Older, p.Drops, p.Without = u.Replaces, u.Older, u.Drops, u.Without
	return p, nil
}
