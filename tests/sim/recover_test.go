package sim

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"

	"medlake/functions/backup"
	"medlake/shared/store"
	"medlake/shared/store/faulty"
	"medlake/shared/store/journal"
	"medlake/shared/warehouse"
)

// rebuild makes a new catalog, at url, from the bucket alone. Who had the lost one open is dead.
func (w *world) rebuild(url string) error {
	w.url, w.old, w.lost = url, nil, 0
	real, err := w.connect(w.base)
	if err != nil {
		return err
	}
	w.lake = real
	tail, err := journal.New(w.base).Tail(w.ctx)
	if err != nil {
		return err
	}
	clear(w.seen)
	clear(w.batch) // a table may be the one of before its last change, which comes again
	if w.broken == nil || w.broken.rebuilt == nil {
		_, err = real.Rebuild(w.ctx, tail)
		return err
	}
	if err := w.truth.to(tail); err != nil {
		return err
	}
	other, err := w.connect(w.broken.rebuilt(w))
	if err == nil {
		_, err = other.Rebuild(w.ctx, tail)
	}
	return err
}

// copyTo is a backup of the lake as a process sees it, to a second bucket.
func (w *world) copyTo(b *store.Bucket, tables *warehouse.Warehouse, broken *variant) (backup.Done, error) {
	target := w.copied
	var writes []write
	if broken != nil && broken.order != nil {
		target = &objects{keys: slices.Clone(w.copied.keys), all: maps.Clone(w.copied.all), now: w.clock}
		target.notes = func(c write) { writes = append(writes, c) }
	}
	cfg := backup.Config{Source: b, Tables: tables, Target: target.open(), Parallel: 1, Now: w.clock, Log: quiet}
	if w.copied.loses = nil; broken != nil && broken.copying != nil {
		if err := broken.copying(w, &cfg); err != nil {
			return backup.Done{}, err
		}
	}
	c, err := backup.New(cfg)
	if err != nil {
		return backup.Done{}, err
	}
	done, err := c.Run(w.ctx)
	if target != w.copied {
		err = errors.Join(err, w.stops(writes, broken.order))
	}
	_, there := w.copied.all[done.Key]
	w.verified = w.verified || there
	return done, err
}

// stops makes the changes of a backup in another order, all of them or, if there is an older one, until it stops somewhere.
func (w *world) stops(writes []write, order func(write) int) (err error) {
	slices.SortStableFunc(writes, func(a, b write) int { return cmp.Compare(order(a), order(b)) })
	if w.verified && w.rng.IntN(3) == 0 {
		writes, err = writes[:w.rng.IntN(len(writes)+1)], faulty.ErrCrashed
	}
	for _, c := range writes {
		w.copied.do(c)
	}
	return err
}

// backups copies the lake a few times while others work on it. Only one backup at a time may use a target.
func backups(n int) func(*process) error {
	return func(p *process) (err error) {
		if p.copied == nil {
			p.copied = &objects{all: map[string]*object{}, now: p.clock}
		}
		for range n {
			if _, err = p.copyTo(p.bucket, p.tables.(tables).in.(*warehouse.Warehouse), p.broken); p.dead || errors.Is(err, faulty.ErrCrashed) {
				return err
			}
		}
		return err
	}
}

// complete copies a lake at rest, all of it.
func (w *world) complete() error {
	if err := w.truth.to(1 << 40); err != nil {
		return err
	}
	real, ok := w.lake.(*warehouse.Warehouse)
	if !ok {
		return errors.New("the tables are in memory")
	}
	done, err := w.copyTo(w.base, real, nil)
	if err == nil && (done.Key == "" || done.Lost > 0 || done.Tail != int64(len(w.truth.entries))) {
		err = fmt.Errorf("the backup is of entry %d of %d and lacks %d files", done.Tail, len(w.truth.entries), done.Lost)
	}
	return err
}

// bringBack loses the lake, bucket and catalog, and brings it back from its last backup. Senders send again what it has
// neither as they sent it nor without a patient.
func (w *world) bringBack(url string) error {
	w.objects.keys, w.objects.all = nil, map[string]*object{}
	if _, err := backup.Back(w.ctx, w.copied.open(), w.base, 1); err != nil {
		return err
	}
	there := map[string]bool{}
	for o, err := range w.base.List(w.ctx, store.LandingPrefix) {
		if err != nil {
			return err
		}
		a := w.base.Arrival(o)
		there[a.ID()] = true
		if _, of, ok := a.Rewritten(); ok {
			there[of] = true
		}
	}
	for _, u := range w.sent {
		if !there[u.arrival] {
			if err := w.base.Put(w.ctx, u.key, u.data); err != nil {
				return err
			}
		}
	}
	w.truth = newTruth(w)
	return w.rebuild(url)
}
