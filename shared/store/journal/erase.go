package journal

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
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
// memory. It folds first what can be folded, so that nobody folds the entries meanwhile.
func (j *Journal) Forget(ctx context.Context, entries []int64, f Forgotten) error {
	for done, last := int64(0), int64(-1); done != last; {
		last = done
		tail, err := j.Tail(ctx)
		if err != nil {
			return err
		}
		if done, err = j.Fold(ctx, tail); err != nil {
			return err
		}
	}
	groups := map[pointer][]int64{}
	for _, n := range entries {
		data, err := j.bucket.Get(ctx, store.LogKey(n))
		if err != nil {
			return fmt.Errorf(errorPrefix, n, err)
		}
		if p, ok := pointerOf(data); ok {
			p.N = 0
			groups[p] = append(groups[p], n)
			continue
		}
		if data, err = j.forget(ctx, n, data, f); err == nil {
			err = j.bucket.Put(ctx, store.LogKey(n), data)
		}
		if err != nil {
			return fmt.Errorf(errorPrefix, n, err)
		}
		j.drop(n)
	}
	for p, numbers := range groups {
		if err := j.forgetGroup(ctx, p, numbers, f); err != nil {
			return err
		}
	}
	return nil
}

// forgetGroup overwrites entries of one group.
func (j *Journal) forgetGroup(ctx context.Context, p pointer, numbers []int64, f Forgotten) error {
	g, err := j.read(ctx, p.From, p.To)
	if err != nil {
		return err
	}
	lines := slices.Clone(g.lines)
	for _, n := range numbers {
		if lines[n-g.from], err = j.forget(ctx, n, lines[n-g.from], f); err != nil {
			return fmt.Errorf(errorPrefix, n, err)
		}
	}
	data, err := pack(lines)
	if err == nil {
		err = j.bucket.Put(ctx, store.FoldedKey(p.From, p.To), data)
	}
	if err == nil {
		g, err = j.read(ctx, p.From, p.To)
	}
	if err == nil && !slices.EqualFunc(g.lines, lines, bytes.Equal) {
		err = errors.New("others have written them")
	}
	if err != nil {
		return fmt.Errorf("log entries %d to %d: %w", p.From, p.To, err)
	}
	for _, n := range numbers {
		j.drop(n)
	}
	return nil
}

// forget is entry n, given its bytes, without what is to be forgotten.
func (j *Journal) forget(ctx context.Context, n int64, data []byte, f Forgotten) ([]byte, error) {
	e, err := parse(n, data)
	if err != nil {
		return nil, err
	}
	for i := range e.Receipts {
		if r := &e.Receipts[i]; f.Arrivals[r.ID] {
			r.Arrival = r.Arrival.Nameless(r.ID)
		}
	}
	of := &Entry{Entry: lake.Entry{N: n}}
	for i := range e.Loads {
		l := &e.Loads[i]
		if !f.Loads[l.Load] {
			continue
		}
		of.Loads = append(of.Loads, *l)
		for _, t := range l.Tables {
			for k := range t.Files {
				t.Files[k].Lower, t.Files[k].Upper = nil, nil
			}
		}
	}
	if err := j.shorten(ctx, of); err != nil {
		return nil, err
	}
	return json.Marshal(e.Entry)
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
