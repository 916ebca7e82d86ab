package sim

import (
	"errors"
	"fmt"
	"strings"

	"medlake/functions/backup"
	"medlake/shared/store"
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
	cfg := backup.Config{Source: b, Tables: tables, Target: w.copied.open(), Parallel: 1, Now: w.clock, Log: quiet}
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
	w.verified = w.verified || done.Key != ""
	return done, err
}

// backups copies the lake a few times while others work on it. Only one backup at a time may use a target.
func backups(n int) func(*process) error {
	return func(p *process) (err error) {
		p.copied = &objects{all: map[string]*object{}, now: p.clock}
		for range n {
			if _, err = p.copyTo(p.bucket, p.tables.(tables).in.(*warehouse.Warehouse), p.broken); p.dead {
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

// bringBack loses the lake, bucket and catalog, and brings it back from its last backup. Senders send again what it lacks.
func (w *world) bringBack(url string) error {
	keys, all := w.objects.keys, w.objects.all
	w.objects.keys, w.objects.all = nil, map[string]*object{}
	if _, err := backup.Back(w.ctx, w.copied.open(), w.base, 1); err != nil {
		return err
	}
	for _, key := range keys {
		if w.objects.all[key] == nil && strings.HasPrefix(key, store.LandingPrefix) {
			if err := w.base.Put(w.ctx, key, all[key].data); err != nil {
				return err
			}
		}
	}
	w.truth = newTruth(w)
	return w.rebuild(url)
}
