package erase

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"

	"medlake/shared/lake"
	"medlake/shared/store"
	"medlake/shared/store/journal"
	"medlake/shared/store/journal/lives"
)

// remove takes out of the bucket what the erasures have left behind, and those of before whose uploads are in landing: a
// sender has sent the same again, or an old copy was brought back. Each step may be done again; names go last, because by
// them the others find what to remove.
func (e *Eraser) remove(ctx context.Context, b *book, erasures []erasure) error {
	numbers := map[int64]bool{}
	for _, x := range erasures {
		numbers[x.n] = true
	}
	for _, n := range b.back {
		numbers[n] = true
	}
	if len(numbers) == 0 {
		return nil
	}
	l := Leaving{Customer: b.customer, Loads: map[string]bool{}, Arrivals: map[string]bool{}}
	var entries []int64
	for _, n := range slices.Sorted(maps.Keys(numbers)) {
		entry, err := e.cfg.Journal.Entry(ctx, n)
		if err != nil {
			return err
		}
		for i := range entry.Erase.Uploads {
			u := &entry.Erase.Uploads[i]
			l.Arrivals[u.Arrival] = true
			l.Tables = append(l.Tables, u.Drops...)
			for _, load := range u.Loads() {
				l.Loads[load] = true
			}
			if life := b.lives.Of(u.Arrival); life != nil {
				entries = append(entries, life.Entries...)
			}
		}
	}
	l.Tables, entries = distinct(l.Tables), distinct(entries)
	if err := e.tables(ctx, l); err != nil {
		return err
	}
	if err := e.delete(ctx, slices.Sorted(maps.Keys(b.back))); err != nil { // the log may have forgotten their names
		return err
	}
	for _, id := range slices.Sorted(maps.Keys(l.Arrivals)) {
		if err := e.objects(ctx, b.lives.Of(id), id); err != nil {
			return err
		}
	}
	return e.cfg.Journal.Forget(ctx, entries, journal.Forgotten{Arrivals: l.Arrivals, Loads: l.Loads})
}

// tables removes from the files of tables what is hidden, or only in older states.
func (e *Eraser) tables(ctx context.Context, l Leaving) error {
	if err := e.cfg.Rewrite(ctx, l); err != nil {
		return err
	}
	names, err := e.cfg.Tables.Names(ctx)
	if err != nil {
		return err
	}
	for _, name := range names {
		if name != lake.OpsLoads && !slices.Contains(l.Tables, name) && !slices.Contains(l.Tables, name+"_log") {
			continue
		}
		if err := e.cfg.Tables.Forget(ctx, name); err != nil {
			return err
		}
	}
	return e.cfg.Discard(ctx, l)
}

// objects deletes an upload, and what says that it was tried or is on its way.
func (e *Eraser) objects(ctx context.Context, l *lives.Life, id string) error {
	var keys []string
	if l != nil && l.Arrival.ID() == id { // else its name is forgotten
		switch o, err := e.cfg.Bucket.Head(ctx, l.Arrival.Key); {
		case errors.Is(err, lake.ErrNotFound):
		case err != nil:
			return err
		case e.cfg.Bucket.Arrival(o).ID() == id:
			keys = append(keys, o.Key)
		}
	}
	for _, prefix := range []string{"attempts/" + id, store.PendingPrefix + id} {
		for o, err := range e.cfg.Bucket.List(ctx, prefix) {
			if err != nil {
				return err
			}
			keys = append(keys, o.Key)
		}
	}
	return e.delete(ctx, keys)
}

func (e *Eraser) delete(ctx context.Context, keys []string) error {
	for _, key := range keys {
		if err := e.cfg.Bucket.Delete(ctx, key); err != nil && !errors.Is(err, lake.ErrNotFound) {
			return err
		}
	}
	return nil
}

func distinct[T cmp.Ordered](list []T) []T {
	slices.Sort(list)
	return slices.Compact(list)
}
