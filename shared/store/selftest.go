package store

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"sync"

	"medlake/shared/lake"
)

// selfTestPrefix is where SelfTest works; each run has its own folder there.
const selfTestPrefix = "selftest/"

// SelfTest proves on the bucket itself what the lake relies on: of writers that race for a key exactly one wins and all
// learn who, what is written can be read and is listed at once, and what is deleted is gone. A bucket that fails must
// not be used: the error is a sentence for the operator. What the test wrote is removed.
func (b *Bucket) SelfTest(ctx context.Context) (err error) {
	prefix := selfTestPrefix + rand.Text() + "/"
	t := &selfTest{b: b, prefix: prefix}
	defer func() {
		ctx := context.WithoutCancel(ctx)
		for _, key := range t.keys {
			err = errors.Join(err, b.Delete(ctx, key))
		}
		if err != nil {
			err = fmt.Errorf("bucket %s cannot hold a lake: %w", b.at.base, err)
		}
	}()
	for i := range 4 {
		if err := t.race(ctx, fmt.Sprintf("%srace-%d", prefix, i)); err != nil {
			return err
		}
	}
	if err := t.overwrite(ctx, prefix+"over/write"); err != nil {
		return err
	}
	return t.listed(ctx)
}

type selfTest struct {
	b      *Bucket
	prefix string
	keys   []string // written, to be removed
}

// racers is how many writers want each key.
const racers = 8

// race lets writers claim one key at the same time.
func (t *selfTest) race(ctx context.Context, key string) error {
	t.keys = append(t.keys, key)
	var (
		wg      sync.WaitGroup
		start   = make(chan struct{})
		results [racers]struct {
			put, read error
			saw       []byte
		}
	)
	for i := range racers {
		wg.Go(func() {
			<-start
			r := &results[i]
			r.put = t.b.PutIfAbsent(ctx, key, racer(i))
			r.saw, r.read = t.b.Get(ctx, key)
		})
	}
	close(start)
	wg.Wait()
	wins, winner := 0, -1
	for i, r := range results {
		switch {
		case r.put == nil:
			wins++
			winner = i
		case !errors.Is(r.put, lake.ErrConflict):
			return fmt.Errorf("a write failed: %w", r.put)
		}
	}
	if wins > 1 {
		return fmt.Errorf("%d writers all created the same object; the store must support writing only if the object is absent (S3 If-None-Match, and its look-alikes in recent versions)", wins)
	}
	for _, r := range results {
		switch {
		case r.read != nil:
			return fmt.Errorf("an object just written cannot be read: %w", r.read)
		case !bytes.Equal(r.saw, results[0].saw), winner >= 0 && !bytes.Equal(r.saw, racer(winner)):
			return errors.New("readers of one object saw different writers; the store must be strongly consistent")
		}
	}
	return nil
}

func racer(i int) []byte { return fmt.Appendf(nil, "writer %d", i) }

// overwrite replaces an object and removes it.
func (t *selfTest) overwrite(ctx context.Context, key string) error {
	t.keys = append(t.keys, key)
	for _, want := range []string{"first", "second, longer"} {
		if err := t.b.Put(ctx, key, []byte(want)); err != nil {
			return fmt.Errorf("a write failed: %w", err)
		}
		got, err := t.b.Get(ctx, key)
		if err != nil {
			return fmt.Errorf("an object just written cannot be read: %w", err)
		}
		if string(got) != want {
			return errors.New("an object just replaced still shows its old content; the store must be strongly consistent")
		}
	}
	if err := t.b.Delete(ctx, key); err != nil {
		return fmt.Errorf("an object cannot be deleted: %w", err)
	}
	if _, err := t.b.Get(ctx, key); !errors.Is(err, lake.ErrNotFound) {
		return errors.New("an object just deleted is still there; the store must be strongly consistent")
	}
	t.keys = t.keys[:len(t.keys)-1]
	return nil
}

// listed compares the listing with what was written.
func (t *selfTest) listed(ctx context.Context) error {
	n := 0
	for o, err := range t.b.List(ctx, t.prefix) {
		if err != nil {
			return fmt.Errorf("the bucket cannot be listed: %w", err)
		}
		if n >= len(t.keys) || o.Key != t.keys[n] {
			return errors.New("a listing shows other objects than were just written; the store must list consistently and in order")
		}
		n++
	}
	if n != len(t.keys) {
		return fmt.Errorf("a listing shows %d of %d objects just written; the store must list consistently", n, len(t.keys))
	}
	return nil
}
