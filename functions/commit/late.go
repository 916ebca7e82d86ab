package commit

import (
	"context"
)

// later is what the entries (from, to] of the log say about loads that were derived for an entry before them.
type later struct {
	from, to int64
	replay   int64            // the last replay
	erased   map[string]int64 // the last erasure by arrival
	restored map[string]int64 // the last restore by table
}

// late reports whether what was derived for a replay or an erasure comes too late, and is to be forgotten:
//
//   - A later replay derives the same arrivals. So no load of a replay stands in the log after the next replay.
//   - A later erasure takes the arrival out of the lake.
//   - A later restore, of a table that the old rows leave, may have put others in their place, or left them out. Replay looks
//     at the log again. An erasure's rows leave and come whatever is restored.
//
// Only who has read all entries up to n can claim n+1, so what is not late is taken in before anything could make it so.
func (c *Committer) late(ctx context.Context, it *item, n int64) (bool, error) {
	if it.Epoch == 0 {
		return false, nil
	}
	e, err := c.entry(ctx, it.Epoch)
	if err != nil || e.Replay == nil && e.Erase == nil {
		return false, err
	}
	if err := c.learn(ctx, it.Epoch, n); err != nil {
		return false, err
	}
	if c.later.erased[it.Arrival.ID()] > it.Epoch {
		return true, nil
	}
	if e.Erase != nil {
		return false, nil
	}
	for _, t := range it.Drops {
		if c.later.restored[t] > max(it.Seen, it.Epoch) {
			return true, nil
		}
	}
	return it.Epoch < c.later.replay, nil
}

// learn reads entries until the committer knows those after the given one, up to n.
func (c *Committer) learn(ctx context.Context, after, n int64) error {
	l := &c.later
	if l.erased == nil || after < l.from {
		*l = later{from: after, to: after, erased: map[string]int64{}, restored: map[string]int64{}}
	}
	for ; l.to < n; l.to++ {
		e, err := c.entry(ctx, l.to+1)
		switch {
		case err != nil:
			return err
		case e.Replay != nil:
			l.replay = e.N
		case e.Restore != nil:
			l.restored[e.Restore.Table] = e.N
		case e.Erase != nil:
			for i := range e.Erase.Uploads {
				l.erased[e.Erase.Uploads[i].Arrival] = e.N
			}
		}
	}
	return nil
}
