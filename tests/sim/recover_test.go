package sim

import (
	"errors"
	"fmt"

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
	_, err = real.Rebuild(w.ctx, tail)
	return err
}

// copyTo is a backup of the lake as a process sees it.
func (w *world) copyTo(b *store.Bucket, tables *warehouse.Warehouse) (backup.Done, error) {
	if w.copied == nil {
		w.copied = &objects{all: map[string]*object{}, now: w.clock}
	}
	c, err := backup.New(backup.Config{Source: b, Tables: tables, Target: w.copied.open(), Parallel: 1, Now: w.clock, Log: quiet})
	if err != nil {
		return backup.Done{}, err
	}
	return c.Run(w.ctx)
}

// backupOnce copies the lake while others work on it. Only one backup at a time may use a target.
func backupOnce(p *process) error {
	_, err := p.copyTo(p.bucket, p.tables.(tables).in.(*warehouse.Warehouse))
	return err
}

// bringBack completes the copy of a lake at rest and brings it back to an empty bucket, which must hold the same.
func (w *world) bringBack() error {
	if err := w.truth.to(1 << 40); err != nil {
		return err
	}
	real, ok := w.lake.(*warehouse.Warehouse)
	if !ok {
		return errors.New("the tables are in memory")
	}
	done, err := w.copyTo(w.base, real)
	if err == nil && (done.Key == "" || done.Lost > 0 || done.Tail != int64(len(w.truth.entries))) {
		err = fmt.Errorf("the backup is of entry %d of %d and lacks %d files", done.Tail, len(w.truth.entries), done.Lost)
	}
	if err != nil {
		return err
	}
	empty := &objects{all: map[string]*object{}, now: w.clock}
	_, err = backup.Back(w.ctx, w.copied.open(), empty.open(), 1)
	return err
}
