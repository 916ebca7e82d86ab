package journal

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"medlake/shared/lake"
	"medlake/shared/store"
)

// Old entries are folded: a group of them is compressed into one object folded/<from>-<to>, one line an entry, and then
// each log/<n> is overwritten by a pointer to the group, in order. An entry is never missing, and whoever meets a pointer
// reads the same bytes as before, so folding changes nothing for readers and claimers, however old what they know is.
// Where a group ends is claimed, folded/<from>, before it is written, and it is written only once: so all fold the same, and
// who was paused with entries in hand cannot bring back what they have forgotten since.
const (
	maxLines  = 4 << 20 // bytes of a group's entries before compression, unless it is one entry
	maxGroups = 4       // groups held in memory
	maxFolds  = 20      // groups folded by one call
)

// Fold folds the oldest entries up to upTo that are not folded yet and make full groups, and returns up to which entry all
// are folded now: each call does so much of a long log and no more. It leaves alone what is close to the tail. It may be
// stopped anywhere and run by several at once: all cut the same groups.
func (j *Journal) Fold(ctx context.Context, upTo int64) (int64, error) {
	tail, err := j.Tail(ctx)
	if err != nil {
		return 0, err
	}
	return j.fold(ctx, min(upTo, tail-j.Recent), false)
}

// fold is Fold up to an entry that may be close to the tail. If short, the last group may have entries too few.
func (j *Journal) fold(ctx context.Context, upTo int64, short bool) (int64, error) {
	done, err := j.foldedTo(ctx, upTo)
	for i := 0; i < maxFolds && err == nil && done < upTo; i++ {
		var g *group
		if g, err = j.nextGroup(ctx, done, upTo, short); err != nil || g == nil {
			break
		}
		if err = j.point(ctx, g, done); err == nil {
			done = g.to()
		}
	}
	j.mu.Lock()
	j.folded = max(j.folded, done)
	j.mu.Unlock()
	return done, err
}

// foldedTo is the last entry up to upTo that is folded, 0 if none is: those that are come first.
func (j *Journal) foldedTo(ctx context.Context, upTo int64) (int64, error) {
	j.mu.Lock()
	lo := j.folded
	j.mu.Unlock()
	for hi := upTo; lo < hi; {
		mid := (lo + hi + 1) / 2
		data, err := j.bucket.Get(ctx, store.LogKey(mid))
		if err != nil {
			return lo, fmt.Errorf(errorPrefix, mid, err)
		}
		if _, ok := pointerOf(data); ok {
			lo = mid
		} else {
			hi = mid - 1
		}
	}
	return lo, nil
}

// nextGroup is the stored group that holds the entry after done; nil if the entries up to upTo do not fill one and it must
// not be short.
func (j *Journal) nextGroup(ctx context.Context, done, upTo int64, short bool) (*group, error) {
	if done > 0 { // perhaps somebody stopped within it
		g, err := j.groupOf(ctx, done)
		if err != nil || g.to() > done {
			return g, err
		}
	}
	g := &group{from: done + 1}
	full := false
	for n := g.from; n <= upTo && !full; n++ {
		data, err := j.line(ctx, n)
		if err != nil {
			return nil, err
		}
		if full = len(g.lines) > 0 && g.size+len(data) > maxLines; !full {
			g.lines = append(g.lines, data)
			g.size += len(data)
			full = len(g.lines) == j.Group
		}
	}
	if !full && !short {
		return nil, nil
	}
	to, err := j.cut(ctx, g.from, g.to())
	if err != nil {
		return nil, err
	}
	for n := g.to() + 1; n <= to; n++ {
		data, err := j.line(ctx, n)
		if err != nil {
			return nil, err
		}
		g.lines = append(g.lines, data)
	}
	g.lines = g.lines[:to-g.from+1]
	return j.write(ctx, g)
}

// line is the bytes of entry n, wherever they lie.
func (j *Journal) line(ctx context.Context, n int64) ([]byte, error) {
	data, err := j.bucket.Get(ctx, store.LogKey(n))
	if err == nil {
		data, err = j.resolve(ctx, n, data)
	}
	if err != nil {
		return nil, fmt.Errorf(errorPrefix, n, err)
	}
	return data, nil
}

// cut has the group that begins with from end with to, unless somebody has said otherwise, and returns where it ends.
func (j *Journal) cut(ctx context.Context, from, to int64) (int64, error) {
	data, err := json.Marshal(pointer{pointerFormat, from, from, to})
	if err == nil {
		data, err = j.bucket.Claim(ctx, store.CutKey(from), data)
	}
	if err != nil {
		return 0, fmt.Errorf("log entries from %d on: %w", from, err)
	}
	p, ok := pointerOf(data)
	if !ok || p.From != from || p.To < from {
		return 0, fmt.Errorf("log entries from %d on: it does not say where the folded ones end", from)
	}
	return p.To, nil
}

// write stores a group, unless it is there, and returns the stored one: after this its entries are overwritten. The stored
// one may have forgotten something since its entries were read.
func (j *Journal) write(ctx context.Context, g *group) (*group, error) {
	data, err := pack(g.lines)
	if err != nil {
		return nil, fmt.Errorf("log entries %d to %d: %w", g.from, g.to(), err)
	}
	err = j.bucket.PutIfAbsent(ctx, store.FoldedKey(g.from, g.to()), data)
	if err != nil && !errors.Is(err, lake.ErrConflict) {
		return nil, fmt.Errorf("log entries %d to %d: %w", g.from, g.to(), err)
	}
	stored, err := j.read(ctx, g.from, g.to())
	if err != nil {
		return nil, err
	}
	for i := range g.lines {
		if n := g.from + int64(i); !bytes.Equal(stored.lines[i], g.lines[i]) && !same(n, stored.lines[i], g.lines[i]) {
			return nil, fmt.Errorf("log entries %d to %d: the folded ones are not the same", g.from, g.to())
		}
	}
	return stored, nil
}

// point overwrites the entries of a stored group after done by pointers, in order, and shortens the records of their loads.
func (j *Journal) point(ctx context.Context, g *group, done int64) error {
	for n := done + 1; n <= g.to(); n++ {
		e, err := parse(n, g.lines[n-g.from])
		if err == nil {
			err = j.shorten(ctx, e)
		}
		if err != nil {
			return fmt.Errorf(errorPrefix, n, err)
		}
		data, err := json.Marshal(pointer{pointerFormat, n, g.from, g.to()})
		if err != nil {
			return fmt.Errorf(errorPrefix, n, err)
		}
		if err := j.bucket.Put(ctx, store.LogKey(n), data); err != nil {
			return fmt.Errorf(errorPrefix, n, err)
		}
	}
	return nil
}
