package commit

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"medlake/shared/lake"
	"medlake/shared/pace"
	"medlake/shared/store"
)

const (
	maxListed  = 10_000   // pending objects looked at in one round
	maxTaken   = 1000     // pending objects taken into one entry
	maxPending = 16 << 20 // bytes of pending objects taken into one entry
)

// item is one pending object.
type item struct {
	key string
	lake.Pending
}

// pending reads the oldest pending objects, as many as one entry takes. Age decides only the order, so that a late
// arrival cannot be overtaken for ever.
func (c *Committer) pending(ctx context.Context) (items []item, more bool, err error) {
	var found []store.Object
	for o, err := range c.cfg.Bucket.List(ctx, store.PendingPrefix) {
		if err != nil {
			return nil, false, fmt.Errorf("list pending: %w", err)
		}
		if at, ok := c.unread[o.Key]; ok && at.Equal(o.ModTime) {
			continue
		}
		if found = append(found, o); len(found) == maxListed {
			break
		}
	}
	slices.SortFunc(found, func(a, b store.Object) int {
		return cmp.Or(a.ModTime.Compare(b.ModTime), cmp.Compare(a.Key, b.Key))
	})
	c.measurePending(ctx, found)
	size := int64(0)
	for i, o := range found {
		if size += o.Size; i == maxTaken || i > 0 && size > maxPending {
			found, more = found[:i], true
			break
		}
	}
	read := make([]*item, len(found))
	errs := make([]error, len(found))
	pace.Each(len(found), c.cfg.Requests, func(i int) { read[i], errs[i] = c.readPending(ctx, found[i].Key) })
	if err := errors.Join(errs...); err != nil {
		return nil, false, err
	}
	for i, it := range read {
		switch {
		case it == nil: // another committer has just deleted it
		case it.Format == lake.Format:
			items = append(items, *it)
		default: // left in its place, but it must not hold up the others
			c.log.ErrorContext(ctx, "pending object cannot be understood", "key", it.key)
			c.unread[it.key] = found[i].ModTime
		}
	}
	return items, more, nil
}

// readPending reads one pending object; nil if it is gone. One that cannot be understood has no format.
func (c *Committer) readPending(ctx context.Context, key string) (*item, error) {
	data, err := c.cfg.Bucket.Get(ctx, key)
	if errors.Is(err, lake.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read pending: %w", err)
	}
	it := &item{key: key}
	if err := json.Unmarshal(data, &it.Pending); err != nil || store.PendingKey(it.Arrival.ID(), it.Epoch) != key {
		it.Format = 0
	}
	return it, nil
}
