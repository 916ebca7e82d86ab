package backup

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"sync"

	"medlake/shared/lake"
	"medlake/shared/store"
)

// control copies an object that was listed, if it is still what was listed.
func (b *run) control(ctx context.Context, p pair) error {
	data, err := b.cfg.Source.Get(ctx, p.source.Key)
	if errors.Is(err, lake.ErrNotFound) || err == nil && int64(len(data)) != p.source.Size {
		return errMoved
	}
	if err != nil {
		return err
	}
	return b.put(ctx, p.source.Key, data)
}

// over copies a small object, over what is there.
func (b *run) over(ctx context.Context, key string) error {
	data, err := b.cfg.Source.Get(ctx, key)
	if err != nil {
		return err
	}
	return b.put(ctx, key, data)
}

func (b *run) put(ctx context.Context, key string, data []byte) error {
	if err := b.cfg.Target.Put(ctx, key, data); err != nil {
		return err
	}
	b.count(int64(len(data)))
	return nil
}

// object streams an object of any size.
func (b *run) object(ctx context.Context, p pair) error {
	if p.target != nil {
		if err := b.cfg.Target.Delete(ctx, p.target.Key); err != nil {
			return err
		}
	}
	if err := stream(ctx, b.cfg.Source, b.cfg.Target, p.source.Key); err != nil {
		return err
	}
	b.count(p.source.Size)
	return nil
}

func (b *run) count(bytes int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.done.Copied++
	b.done.Bytes += bytes
}

// tries is how often the copy of one object is begun.
const tries = 3

// stream copies an object under its key, which must be free or hold the same bytes.
func stream(ctx context.Context, from, to *store.Bucket, key string) error {
	var err error
	for range tries {
		if err = streamOnce(ctx, from, to, key); err == nil || ctx.Err() != nil || errors.Is(err, lake.ErrNotFound) {
			return err
		}
	}
	return err
}

func streamOnce(ctx context.Context, from, to *store.Bucket, key string) (err error) {
	r, err := from.Reader(ctx, key)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	if _, err := to.Upload(ctx, key, r); err != nil {
		return fmt.Errorf("copy: %w", err)
	}
	return nil
}

// each calls do for every item, some at once, until one fails. If it is one at once, the next item is asked for after it.
func each[T any](ctx context.Context, parallel int, items iter.Seq[T], do func(context.Context, T) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var wait sync.WaitGroup
	places := make(chan struct{}, parallel)
	for item := range items {
		if ctx.Err() != nil {
			break
		}
		if parallel == 1 {
			if err := do(ctx, item); err != nil {
				return err
			}
			continue
		}
		places <- struct{}{}
		wait.Go(func() {
			defer func() { <-places }()
			if err := do(ctx, item); err != nil {
				cancel(err)
			}
		})
	}
	wait.Wait()
	return context.Cause(ctx)
}
