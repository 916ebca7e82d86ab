package commit

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"medlake/shared/lake"
	"medlake/shared/pace"
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
	items = slices.DeleteFunc(items, func(it item) bool { return it.Epoch > n }) // of a replay after the tail was read
	if err != nil || len(items) == 0 {
		return done, more, err
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
			if winner.HasArrival(it.Arrival.ID(), it.Epoch) {
				logged.settled[it.key] = true
				done.arrivals++
			}
			more = more || !logged.settled[it.key] // another committer was first
		}
	}
	return done, more, c.settle(ctx, done.tail, items, logged)
}

// found is what stands in the log already.
type found struct {
	settled map[string]bool // keys of pending objects whose arrival is there, or that came too late
	loads   map[string]bool
}

// want is one id to be searched for in entries above base.
type want struct {
	it   *item
	base int64
	load bool
}

// search looks for the arrivals and loads of items in the entries up to n. Each id is searched upwards from its base
// until the first hit, and each entry is read once for all: a load that is an old duplicate costs the few entries after
// its base.
func (c *Committer) search(ctx context.Context, items []item, n int64) (found, error) {
	hits := found{settled: map[string]bool{}, loads: map[string]bool{}}
	var wants []want
	for i := range items {
		it := &items[i]
		late, err := c.late(ctx, it, n)
		if err != nil {
			return hits, err
		}
		if late {
			hits.settled[it.key] = true
			continue
		}
		wants = append(wants, want{it: it, base: it.Base})
		if it.Record.Status == lake.Loaded {
			wants = append(wants, want{it: it, base: it.Record.Base, load: true})
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
		e, err := c.entry(ctx, i)
		if err != nil {
			return hits, err
		}
		open = slices.DeleteFunc(open, func(w want) bool {
			switch {
			case w.load && e.HasLoad(w.it.Record.Load):
				hits.loads[w.it.Record.Load] = true
			case !w.load && e.HasArrival(w.it.Arrival.ID(), w.it.Epoch):
				hits.settled[w.it.key] = true
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
	carrier := map[string]string{} // load -> pending object
	for i := range items {
		it := &items[i]
		if logged.settled[it.key] || it.Record.Status != lake.Loaded || logged.loads[it.Record.Load] {
			continue
		}
		if _, ok := carrier[it.Record.Load]; !ok || it.Record.Arrival == it.Arrival.ID() {
			carrier[it.Record.Load] = it.key
		}
	}
	for i := range items {
		it, r := &items[i], &items[i].Record
		if logged.settled[it.key] {
			continue
		}
		receipt := lake.Receipt{
			ID: it.Arrival.ID(), Epoch: it.Epoch, Arrival: it.Arrival, Load: r.Load, Replaces: it.Replaces, Feed: r.Feed, Metadata: r.Metadata,
		}
		switch {
		case r.Status == lake.Quarantined:
			receipt.Status, receipt.Reason, receipt.Where = lake.Quarantined, r.Reason, r.Where
			if it.Erased && len(it.Drops) > 0 {
				e.Loads = append(e.Loads, load(it))
			}
		case carrier[r.Load] != it.key:
			receipt.Status = lake.Duplicate
		default:
			receipt.Status = lake.Loaded
			l := load(it)
			for _, t := range r.Tables {
				if !slices.Contains(it.Without, t.Table) {
					l.Tables = append(l.Tables, t)
				}
			}
			count(&receipt, l.Tables)
			e.Loads = append(e.Loads, l)
		}
		e.Receipts = append(e.Receipts, receipt)
	}
	return e
}

// load is what a pending object takes out of tables, without what it brings.
func load(it *item) lake.Load {
	return lake.Load{Load: it.Record.Load, Epoch: it.Epoch, Replaces: it.Replaces, Older: it.Older, Drops: it.Drops, Erased: it.Erased}
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
	pace.Each(len(items), c.cfg.Requests, func(i int) {
		if logged.settled[items[i].key] {
			errs[i] = c.cfg.Bucket.Delete(ctx, items[i].key)
		}
	})
	return errors.Join(errs...)
}
