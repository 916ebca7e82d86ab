package journal

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"medlake/shared/lake"
	"medlake/shared/store"
)

// Forgotten names what the log is to forget: what senders called the uploads of arrivals, and values that bounds of the
// loads' files repeat. Both are ids.
type Forgotten struct {
	Arrivals, Loads map[string]bool
}

// Forget overwrites entries without what is to be forgotten; their numbers, ids and files stay, so that nobody decides
// anything else by them. Their loads' records are shortened. Other processes may hold what they have read before, in
// memory. It folds the entries first: only what is folded is overwritten, because nobody who folds overwrites that.
func (j *Journal) Forget(ctx context.Context, entries []int64, f Forgotten) error {
	if len(entries) == 0 {
		return nil
	}
	tail, err := j.Tail(ctx)
	if err != nil {
		return err
	}
	for _, short := range []bool{false, true} {
		for done, last := int64(0), int64(-1); done != last; {
			last = done
			if short {
				done, err = j.fold(ctx, slices.Max(entries), true)
			} else {
				done, err = j.Fold(ctx, tail)
			}
			if err != nil {
				return err
			}
		}
	}
	groups, order := map[pointer][]int64{}, []pointer(nil)
	for _, n := range entries {
		data, err := j.bucket.Get(ctx, store.LogKey(n))
		if err != nil {
			return fmt.Errorf(errorPrefix, n, err)
		}
		p, ok := pointerOf(data)
		if !ok {
			return fmt.Errorf("log entry %d: was folded and is not", n)
		}
		p.N = 0
		if groups[p] == nil {
			order = append(order, p)
		}
		groups[p] = append(groups[p], n)
	}
	for _, p := range order {
		if err := j.forgetGroup(ctx, p, groups[p], f); err != nil {
			return err
		}
	}
	return nil
}

// forget is entry n, given its bytes, without what is to be forgotten.
func (j *Journal) forget(ctx context.Context, n int64, data []byte, f Forgotten) ([]byte, error) {
	e, err := parse(n, data)
	if err != nil {
		return nil, err
	}
	of := &Entry{Entry: lake.Entry{N: n}}
	for i := range e.Loads {
		if f.Loads[e.Loads[i].Load] {
			of.Loads = append(of.Loads, e.Loads[i])
		}
	}
	if err := j.shorten(ctx, of); err != nil {
		return nil, err
	}
	return without(e, func(arrival string) bool { return f.Arrivals[arrival] }, func(load string) bool { return f.Loads[load] })
}

// without is an entry's bytes without the names of some arrivals and the bounds of some loads.
func without(e *Entry, arrival, load func(id string) bool) ([]byte, error) {
	for i := range e.Receipts {
		if r := &e.Receipts[i]; arrival(r.ID) {
			r.Arrival = r.Arrival.Nameless(r.ID)
		}
	}
	for i := range e.Loads {
		l := &e.Loads[i]
		if !load(l.Load) {
			continue
		}
		for _, t := range l.Tables {
			for k := range t.Files {
				t.Files[k].Lower, t.Files[k].Upper = nil, nil
			}
		}
	}
	return json.Marshal(e.Entry)
}

// same reports whether what is stored as entry n twice differs in nothing but what was forgotten.
func same(n int64, a, b []byte) bool {
	all := func(string) bool { return true }
	var bare [2][]byte
	for i, data := range [][]byte{a, b} {
		e, err := parse(n, data)
		if err == nil {
			bare[i], err = without(e, all, all)
		}
		if err != nil {
			return false
		}
	}
	return bytes.Equal(bare[0], bare[1])
}

// drop forgets what is in memory of entry n.
func (j *Journal) drop(n int64) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if e := j.cached[n]; e != nil {
		j.size -= e.size
		delete(j.cached, n)
		j.order = slices.DeleteFunc(j.order, func(m int64) bool { return m == n })
	}
	j.groups = slices.DeleteFunc(j.groups, func(g *group) bool { return g.from <= n && n <= g.to() })
}
