package sweep

import (
	"context"
	"errors"
	"iter"
	"path"
	"sync"
	"time"

	"medlake/shared/lake"
	"medlake/shared/store"
)

// maxUndated bounds the uploads outside date folders that a sweep of recent dates lists for each customer. Nothing but a
// listing of all says which of them are new; a sweep of all dates, once a day, knows no bound.
const maxUndated = 10_000

// forgotten yields the uploads of a customer that came since then and are not known to be in the log. Zero means all. What
// lies in folders of earlier dates is not looked at. customer is landing/<customer>/.
func (s *Sweeper) forgotten(ctx context.Context, customer string, since time.Time, r *Report) iter.Seq2[lake.Arrival, error] {
	return func(yield func(lake.Arrival, error) bool) {
		undated := []string{customer} // what lies directly in it, and folders that are no dates
		for folder, err := range s.cfg.Bucket.Folders(ctx, customer) {
			if err != nil {
				yield(lake.Arrival{}, err)
				return
			}
			date := path.Base(folder)
			switch {
			case !lake.ValidDate(date):
				undated = append(undated, folder)
			case since.IsZero() || date >= since.UTC().Format(time.DateOnly):
				if !s.folder(ctx, folder, false, time.Time{}, nil, r, yield) {
					return
				}
			}
		}
		left := maxUndated
		for _, folder := range undated {
			limit := &left
			if since.IsZero() {
				limit = nil
			}
			if !s.folder(ctx, folder, folder == customer, since, limit, r, yield) {
				return
			}
		}
		if !since.IsZero() && left == 0 {
			s.log.WarnContext(ctx, "only a sweep of all dates sees every upload of a customer who uses no date folders", "customer", path.Base(customer))
		}
	}
}

// folder yields the forgotten uploads of one folder, and looks at no more than left. It reports whether to go on.
func (s *Sweeper) folder(ctx context.Context, prefix string, flat bool, since time.Time, left *int, r *Report, yield func(lake.Arrival, error) bool) bool {
	young := s.cfg.Now().Add(-s.cfg.Grace)
	logged := sync.OnceValues(func() (set, error) { return s.index.on(ctx, shelf(lake.Arrival{Key: prefix + "x"})) })
	for o, err := range s.cfg.Bucket.Look(ctx, prefix, flat) {
		if left != nil {
			if *left == 0 {
				return true
			}
			*left--
		}
		if err != nil {
			yield(lake.Arrival{}, err)
			return false
		}
		r.Objects++
		if o.ModTime.After(young) || o.ModTime.Before(since) || !lake.ValidCustomer((lake.Arrival{Key: o.Key}).Customer()) {
			continue
		}
		a, forgotten, err := s.unknown(ctx, o, logged)
		if err != nil {
			yield(a, err)
			return false
		}
		if forgotten && !yield(a, nil) {
			return false
		}
	}
	return true
}

// unknown reports whether an upload is not known to be in the log. Its version is asked for only where that is not clear
// from the listing.
func (s *Sweeper) unknown(ctx context.Context, o store.Object, logged func() (set, error)) (a lake.Arrival, is bool, err error) {
	known, err := logged()
	if err != nil {
		return a, false, err
	}
	if o.Version == "" {
		if known.has(listed(o.Key, o.Size, o.ModTime)) {
			return a, false, nil
		}
		o, err = s.cfg.Bucket.Head(ctx, o.Key)
		if errors.Is(err, lake.ErrNotFound) { // deleted meanwhile
			return a, false, nil
		}
		if err != nil {
			return a, false, err
		}
	}
	a = s.cfg.Bucket.Arrival(o)
	return a, !known.has(a.ID()), nil
}
