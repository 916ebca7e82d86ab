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

// wish is what is to be forgotten of some entries of a group. A group may be overwritten by several at once, each with a
// wish of its own, and one who was paused would bring back what others have forgotten since it was read. So who has a wish
// first claims the next free number for it, then writes the group without all that was ever wished, and looks whether there is
// more: whoever wrote last has looked after that, or died and is run again.
type wish struct {
	Format   int      `json:"format"`
	Entries  []int64  `json:"entries"`
	Arrivals []string `json:"arrivals"`
	Loads    []string `json:"loads"`
}

// forgetGroup overwrites entries of one group.
func (j *Journal) forgetGroup(ctx context.Context, p pointer, numbers []int64, f Forgotten) error {
	wishes, err := j.wish(ctx, p, numbers, f)
	for done := 0; err == nil && done < len(wishes); {
		done = len(wishes)
		if err = j.grant(ctx, p, wishes); err == nil {
			wishes, err = j.wished(ctx, p, wishes)
		}
	}
	if err != nil {
		return fmt.Errorf("log entries %d to %d: %w", p.From, p.To, err)
	}
	return nil
}

// wish claims a number for what is to be forgotten of some entries, and returns the wishes up to it.
func (j *Journal) wish(ctx context.Context, p pointer, numbers []int64, f Forgotten) (wishes []wish, err error) {
	g, err := j.read(ctx, p.From, p.To)
	if err != nil {
		return nil, err
	}
	w := wish{Format: lake.Format, Entries: numbers}
	for _, n := range numbers {
		e, err := parse(n, g.lines[n-p.From])
		if err != nil {
			return nil, fmt.Errorf(errorPrefix, n, err)
		}
		for i := range e.Receipts {
			if id := e.Receipts[i].ID; f.Arrivals[id] {
				w.Arrivals = append(w.Arrivals, id)
			}
		}
		for i := range e.Loads {
			if id := e.Loads[i].Load; f.Loads[id] {
				w.Loads = append(w.Loads, id)
			}
		}
	}
	data, err := json.Marshal(w)
	for mine := false; err == nil && !mine; {
		var winner []byte
		if winner, err = j.bucket.Claim(ctx, store.WishKey(p.From, p.To, len(wishes)+1), data); err == nil {
			mine = bytes.Equal(winner, data)
			wishes, err = appendWish(wishes, winner)
		}
	}
	return wishes, err
}

// wished adds the wishes that came after those that are known.
func (j *Journal) wished(ctx context.Context, p pointer, wishes []wish) ([]wish, error) {
	for {
		data, err := j.bucket.Get(ctx, store.WishKey(p.From, p.To, len(wishes)+1))
		if errors.Is(err, lake.ErrNotFound) {
			return wishes, nil
		}
		if err == nil {
			wishes, err = appendWish(wishes, data)
		}
		if err != nil {
			return nil, err
		}
	}
}

func appendWish(wishes []wish, data []byte) ([]wish, error) {
	var w wish
	err := json.Unmarshal(data, &w)
	if err == nil {
		err = lake.CheckFormat(w.Format)
	}
	if err != nil {
		return nil, fmt.Errorf("what they are to forget: %w", err)
	}
	return append(wishes, w), nil
}

// grant overwrites a group without what is wished.
func (j *Journal) grant(ctx context.Context, p pointer, wishes []wish) error {
	g, err := j.read(ctx, p.From, p.To)
	if err != nil {
		return err
	}
	lines := slices.Clone(g.lines)
	for _, w := range wishes {
		f := Forgotten{Arrivals: setOf(w.Arrivals), Loads: setOf(w.Loads)}
		for _, n := range w.Entries {
			if n < p.From || n > p.To {
				return fmt.Errorf("entry %d is to forget and is not one of them", n)
			}
			if lines[n-p.From], err = j.forget(ctx, n, lines[n-p.From], f); err != nil {
				return fmt.Errorf(errorPrefix, n, err)
			}
		}
	}
	data, err := pack(lines)
	if err == nil {
		err = j.bucket.Put(ctx, store.FoldedKey(p.From, p.To), data)
	}
	for _, w := range wishes { // also after an error: nobody knows what is stored
		for _, n := range w.Entries {
			j.drop(n)
		}
	}
	return err
}

func setOf(ids []string) map[string]bool {
	set := map[string]bool{}
	for _, id := range ids {
		set[id] = true
	}
	return set
}
