package sweep

import (
	"context"
	"errors"
	"path"
	"sync"
	"sync/atomic"
	"time"

	"medlake/shared/lake"
	"medlake/shared/store"
)

const (
	// maxUndated bounds the uploads outside date folders that a sweep of recent dates lists for each customer. Nothing but a
	// listing of all says which of them are new; a sweep of all dates, once a day, knows no bound.
	maxUndated = 10_000
	// maxCandidates bounds the uploads held in memory before they are compared with pending and the log.
	maxCandidates = 10_000
)

// round is one sweep under way.
type round struct {
	*Sweeper
	since   time.Time // zero: all dates
	objects atomic.Int64

	mu    sync.Mutex // one at a time sends
	found []lake.Arrival
	sent  int
}

// customers sweeps what several customers have in landing, each landing/<customer>/: first all are asked for their folders,
// then all folders are looked through, for one customer alone has few of recent dates.
func (r *round) customers(ctx context.Context, customers []string) error {
	of := make([][]place, len(customers))
	err := each(ctx, len(customers), r.cfg.Parallel, func(ctx context.Context, i int) (err error) {
		of[i], err = r.places(ctx, customers[i])
		return err
	})
	if err != nil {
		return err
	}
	var all []place
	for _, places := range of {
		all = append(all, places...)
	}
	return each(ctx, len(all), r.cfg.Parallel, func(ctx context.Context, i int) error { return r.look(ctx, all[i]) })
}

// place is what is looked through in order: a date folder, or what a customer has outside them.
type place struct {
	customer string
	folders  []string
	dated    bool
}

// places are where a customer's uploads of the dates lie.
func (r *round) places(ctx context.Context, customer string) (places []place, err error) {
	undated := []string{customer} // what lies directly in it, and folders that are no dates
	for folder, err := range r.cfg.Bucket.Folders(ctx, customer) {
		if err != nil {
			return nil, err
		}
		date := path.Base(folder)
		switch {
		case !lake.ValidDate(date):
			undated = append(undated, folder)
		case r.since.IsZero() || date >= r.since.UTC().Format(time.DateOnly):
			places = append(places, place{customer, []string{folder}, true})
		}
	}
	if !r.since.IsZero() { // one bound for all
		return append(places, place{customer, undated, false}), nil
	}
	for _, folder := range undated {
		places = append(places, place{customer, []string{folder}, false})
	}
	return places, nil
}

// look finds the forgotten uploads of a place. Outside date folders, a sweep of recent dates looks at no more than so many.
func (r *round) look(ctx context.Context, p place) error {
	left, bounded := maxUndated, !p.dated && !r.since.IsZero()
	young := r.cfg.Now().Add(-r.cfg.Grace)
	for _, folder := range p.folders {
		logged := sync.OnceValues(func() (set, error) { return r.index.on(ctx, shelf(lake.Arrival{Key: folder + "x"})) })
		for o, err := range r.cfg.Bucket.Look(ctx, folder, folder == p.customer) {
			if bounded && left == 0 {
				r.log.WarnContext(ctx, "only a sweep of all dates sees every upload of a customer who uses no date folders", "customer", path.Base(p.customer))
				return nil
			}
			if err != nil {
				return err
			}
			left--
			r.objects.Add(1)
			old := bounded && o.ModTime.Before(r.since)
			if old || o.ModTime.After(young) || !lake.ValidCustomer((lake.Arrival{Key: o.Key}).Customer()) {
				continue
			}
			a, forgotten, err := r.unknown(ctx, o, logged)
			if err == nil && forgotten {
				err = r.take(ctx, a)
			}
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// unknown reports whether an upload is not known to be in the log. Its version is asked for only where that is not clear
// from the listing.
func (r *round) unknown(ctx context.Context, o store.Object, logged func() (set, error)) (a lake.Arrival, is bool, err error) {
	known, err := logged()
	if err != nil {
		return a, false, err
	}
	if o.Version == "" {
		if known.has(listed(o.Key, o.Size, o.ModTime)) {
			return a, false, nil
		}
		o, err = r.cfg.Bucket.Head(ctx, o.Key)
		if errors.Is(err, lake.ErrNotFound) { // deleted meanwhile
			return a, false, nil
		}
		if err != nil {
			return a, false, err
		}
	}
	a = r.cfg.Bucket.Arrival(o)
	return a, !known.has(a.ID()), nil
}
