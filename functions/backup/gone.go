package backup

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"medlake/shared/lake"
)

// goneKey is an object of the target that says since when the source lacks others.
const goneKey = prefix + "gone"

type gone struct {
	Format int                  `json:"format"`
	Since  map[string]time.Time `json:"since"` // by key
}

// forget deletes what the source has lacked for longer than the grace, and backups of before, which may need it. The
// newest backup lacks nothing: what its tables name stays even if the source has just deleted it.
func (b *run) forget(ctx context.Context, now time.Time, s *state) error {
	was := gone{Since: map[string]time.Time{}}
	data, err := b.cfg.Target.Get(ctx, goneKey)
	if err == nil {
		if err = json.Unmarshal(data, &was); err == nil {
			err = lake.CheckFormat(was.Format)
		}
	} else if errors.Is(err, lake.ErrNotFound) {
		err = nil
	}
	if err != nil {
		return fmt.Errorf("read what was gone: %w", err)
	}
	for o, err := range b.cfg.Target.List(ctx, prefix) {
		if err != nil {
			return err
		}
		at, err := time.Parse(stamp, o.Key[len(prefix):])
		if err == nil && at.Before(now.Add(-b.cfg.Grace)) && o.Key != b.done.Key {
			if err := b.cfg.Target.Delete(ctx, o.Key); err != nil {
				return err
			}
		}
	}
	is := gone{Format: lake.Format, Since: map[string]time.Time{}}
	for _, key := range s.gone {
		since, known := was.Since[key]
		if !known {
			since = now
		}
		_, needed := s.needed[key]
		if needed || now.Sub(since) < b.cfg.Grace {
			is.Since[key] = since
			continue
		}
		if err := b.cfg.Target.Delete(ctx, key); err != nil {
			return err
		}
		b.done.Deleted++
	}
	b.done.Waiting = len(is.Since)
	if data, err = json.Marshal(is); err != nil {
		return err
	}
	return b.cfg.Target.Put(ctx, goneKey, data)
}
