package commit

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"medlake/shared/lake"
)

// claimed is what one claim found.
type claimed struct {
	tail     int64 // the last entry of the log
	arrivals int   // taken in by it
}

// claim moves pending arrivals into the next entry of the log. more says that there may be more to claim.
//
// A load and an arrival each get into the log once: only who has read all entries up to n can claim n+1, and an entry
// that holds one of them lies above its base.
func (c *Committer) claim(ctx context.Context) (done claimed, more bool, err error) {
	n, err := c.cfg.Journal.Tail(ctx)
	if err != nil {
		return done, false, err
	}
	done.tail = n
	items, more, err := c.pending(ctx)
	if err != nil || len(items) == 0 {
		return done, false, err
	}
	logged, err := c.search(ctx, items, n)
	if err != nil {
		return done, false, err
	}
	entry := compose(n+1, items, logged)
	if len(entry.Receipts) > 0 {
		winner, err := c.cfg.Journal.Claim(ctx, entry)
		if err != nil {
			return done, false, err
		}
		done.tail = n + 1
		for _, it := range items {
			id := it.Arrival.ID()
			if winner.HasArrival(id) {
				logged.arrivals[id] = true
				done.arrivals++
			}
			more = more || !logged.arrivals[id] // another committer was first
		}
	}
	return done, more, c.settle(ctx, done.tail, items, logged)
}

// found is what stands in the log already.
type found struct {
	arrivals, loads map[string]bool
}

// want is one id to be searched for in entries above base.
type want struct {
	id   string
	base int64
	load bool
}

// search looks for the arrivals and loads of items in the entries up to n. Each id is searched upwards from its base
// until the first hit, and each entry is read once for all: a load that is an old duplicate costs the few entries after
// its base.
func (c *Committer) search(ctx context.Context, items []item, n int64) (found, error) {
	hits := found{arrivals: map[string]bool{}, loads: map[string]bool{}}
	var wants []want
	for _, it := range items {
		wants = append(wants, want{id: it.Arrival.ID(), base: it.Base})
		if it.Record.Status == lake.Loaded {
			wants = append(wants, want{id: it.Record.Load, base: it.Record.Base, load: true})
		}
	}
	slices.SortStableFunc(wants, func(a, b want) int { return cmp.Compare(a.base, b.base) })
	var open []want
	for i := int64(0); i < n; {
		if len(open) == 0 {
			if len(wants) == 0 {
				break
			}
			i = max(i, wants[0].base)
			if i >= n {
				break
			}
		}
		for len(wants) > 0 && wants[0].base <= i {
			open, wants = append(open, wants[0]), wants[1:]
		}
		i++
		e, err := c.cfg.Journal.Entry(ctx, i)
		if errors.Is(err, lake.ErrNotFound) {
			return hits, fmt.Errorf("the log has a hole at %d", i)
		}
		if err != nil {
			return hits, err
		}
		open = slices.DeleteFunc(open, func(w want) bool {
			switch {
			case w.load && e.HasLoad(w.id):
				hits.loads[w.id] = true
			case !w.load && e.HasArrival(w.id):
				hits.arrivals[w.id] = true
			default:
				return false
			}
			return true
		})
	}
	return hits, nil
}

// compose makes entry n of the arrivals that are not logged yet. A load that is not logged yet comes with the receipt of
// the arrival that made it, or with the first other one: every receipt but that one is a duplicate's.
func compose(n int64, items []item, logged found) lake.Entry {
	e := lake.Entry{N: n}
	carrier := map[string]string{} // load -> arrival
	for _, it := range items {
		id := it.Arrival.ID()
		if logged.arrivals[id] || it.Record.Status != lake.Loaded || logged.loads[it.Record.Load] {
			continue
		}
		if _, ok := carrier[it.Record.Load]; !ok || it.Record.Arrival == id {
			carrier[it.Record.Load] = id
		}
	}
	for _, it := range items {
		id, r := it.Arrival.ID(), &it.Record
		if logged.arrivals[id] {
			continue
		}
		receipt := lake.Receipt{ID: id, Arrival: it.Arrival, Load: r.Load, Feed: r.Feed, Metadata: r.Metadata}
		switch {
		case r.Status == lake.Quarantined:
			receipt.Status, receipt.Reason, receipt.Where = lake.Quarantined, r.Reason, r.Where
		case carrier[r.Load] != id:
			receipt.Status = lake.Duplicate
		default:
			receipt.Status = lake.Loaded
			count(&receipt, r.Tables)
			e.Loads = append(e.Loads, lake.Load{Load: r.Load, Tables: r.Tables})
		}
		e.Receipts = append(e.Receipts, receipt)
	}
	return e
}

// count sums a load over its tables. The rows of ops.rejects are not among what was read: they tell of it.
func count(r *lake.Receipt, tables []lake.TableFiles) {
	r.Rows = make(map[string]int64, len(tables))
	for _, t := range tables {
		if t.Table == lake.OpsRejects {
			continue
		}
		r.Read += t.Read
		r.Committed += t.Committed
		r.Filtered += t.Filtered
		r.Rejected += t.Rejected
		r.Rows[t.Table] += t.Committed
	}
}

// settle tells others how far the log goes and deletes the pending objects of what stands in it.
func (c *Committer) settle(ctx context.Context, n int64, items []item, logged found) error {
	if err := c.cfg.Journal.Hint(ctx, n); err != nil {
		return err
	}
	errs := make([]error, len(items))
	c.parallel(len(items), func(i int) {
		if logged.arrivals[items[i].Arrival.ID()] {
			errs[i] = c.cfg.Bucket.Delete(ctx, items[i].key)
		}
	})
	return errors.Join(errs...)
}
