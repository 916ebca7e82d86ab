// Package journal reads and extends the log: the numbered entries log/<n>, claimed in order and without holes, that say
// which arrivals and loads are in the lake. It does not know tables, and it decides nothing: package commit does.
package journal

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"medlake/shared/lake"
	"medlake/shared/store"
)

// Journal is the log of one bucket, seen through a bounded cache. Entries never change, so what is cached stays right.
// It is safe for concurrent use, and one process shares one.
type Journal struct {
	// Fresh is how old a Base may be, measured with Now: a matter of cost only, because any older base is right. Group is how
	// many entries at most are folded into one object, and Recent how many before the tail stay as they are, because they
	// are read all the time. All may be changed before the first use.
	Fresh  time.Duration
	Now    func() time.Time
	Group  int
	Recent int64

	bucket *store.Bucket

	mu     sync.Mutex
	tail   int64     // an entry known to exist; 0 at first
	seen   time.Time // when the hint was last read
	cached map[int64]*Entry
	order  []int64  // of cached, oldest first
	size   int      // bytes of cached, as stored
	groups []*group // read last, latest first
	folded int64    // entries up to here are known to be folded
}

const (
	maxCached   = 32 << 20 // bytes of entries kept
	defaultAge  = time.Second
	errorPrefix = "log entry %d: %w"
)

// New makes a journal over a bucket.
func New(b *store.Bucket) *Journal {
	return &Journal{Fresh: defaultAge, Now: time.Now, Group: 1000, Recent: 1000, bucket: b, cached: map[int64]*Entry{}}
}

// Base is the number of an entry that exists, or 0. It may be old.
func (j *Journal) Base(ctx context.Context) (int64, error) {
	j.mu.Lock()
	tail, fresh := j.tail, !j.seen.IsZero() && j.Now().Sub(j.seen) < j.Fresh
	j.mu.Unlock()
	if fresh {
		return tail, nil
	}
	return j.readHint(ctx)
}

// Tail is the number of the last entry: it looks from the hint, or a later entry it knows, until there is none.
func (j *Journal) Tail(ctx context.Context) (int64, error) {
	n, err := j.readHint(ctx)
	if err != nil {
		return 0, err
	}
	for {
		_, err := j.Entry(ctx, n+1)
		if errors.Is(err, lake.ErrNotFound) {
			return n, nil
		}
		if err != nil {
			return 0, err
		}
		n++
	}
}

type hint struct {
	Format int   `json:"format"`
	N      int64 `json:"n"`
}

// readHint returns the later of the hint and what is known already.
func (j *Journal) readHint(ctx context.Context) (int64, error) {
	var h hint
	data, err := j.bucket.Get(ctx, store.HintKey())
	switch {
	case errors.Is(err, lake.ErrNotFound):
	case err != nil:
		return 0, fmt.Errorf("log hint: %w", err)
	default:
		if err := json.Unmarshal(data, &h); err != nil {
			return 0, fmt.Errorf("log hint: %w", err)
		}
		if err := lake.CheckFormat(h.Format); err != nil {
			return 0, fmt.Errorf("log hint: %w", err)
		}
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.tail, j.seen = max(j.tail, h.N), j.Now()
	return j.tail, nil
}

// Hint tells other processes that entry n exists. It may go backwards: it is only where they start to look.
func (j *Journal) Hint(ctx context.Context, n int64) error {
	data, err := json.Marshal(hint{Format: lake.Format, N: n})
	if err != nil {
		return fmt.Errorf("log hint: %w", err)
	}
	if err := j.bucket.Put(ctx, store.HintKey(), data); err != nil {
		return fmt.Errorf("log hint: %w", err)
	}
	return nil
}

// Entry is log entry n; lake.ErrNotFound means that n lies past the tail. Entries are shared: do not change them.
func (j *Journal) Entry(ctx context.Context, n int64) (*Entry, error) {
	e, data, err := j.find(ctx, n)
	if e != nil || err != nil {
		return e, err
	}
	return j.keep(ctx, n, data)
}

// Receipts are the receipts of log entry n alone: most of an entry tells of data files, and reading that is most of the
// work for who goes through years of log.
func (j *Journal) Receipts(ctx context.Context, n int64) ([]lake.Receipt, error) {
	e, data, err := j.find(ctx, n)
	if err != nil {
		return nil, err
	}
	if e != nil {
		return e.Receipts, nil
	}
	var some struct {
		Format   int            `json:"format"`
		N        int64          `json:"n"`
		Receipts []lake.Receipt `json:"receipts"`
		Erase    *struct{}      `json:"erase"`
	}
	if data, err = j.resolve(ctx, n, data); err == nil {
		err = json.Unmarshal(data, &some)
	}
	if err == nil {
		err = known(n, some.Format, some.N, some.Erase != nil)
	}
	if err != nil {
		return nil, fmt.Errorf(errorPrefix, n, err)
	}
	return some.Receipts, nil
}

// find returns entry n as it is in memory, or the bytes under its key.
func (j *Journal) find(ctx context.Context, n int64) (e *Entry, data []byte, err error) {
	j.mu.Lock()
	e, data = j.cached[n], j.grouped(n)
	j.mu.Unlock()
	if e != nil || data != nil {
		return e, data, nil
	}
	if data, err = j.bucket.Get(ctx, store.LogKey(n)); err != nil {
		return nil, nil, fmt.Errorf(errorPrefix, n, err)
	}
	return nil, data, nil
}

// Claim makes e the entry after the last, unless another committer is first, and returns the entry that won. An error
// leaves it open whether e stands: look at the tail again.
func (j *Journal) Claim(ctx context.Context, e lake.Entry) (*Entry, error) {
	e.Format = formatOf(e.Erase != nil)
	data, err := json.Marshal(e)
	if err != nil {
		return nil, fmt.Errorf(errorPrefix, e.N, err)
	}
	winner, err := j.bucket.Claim(ctx, store.LogKey(e.N), data)
	if err != nil {
		return nil, fmt.Errorf(errorPrefix, e.N, err)
	}
	return j.keep(ctx, e.N, winner)
}

// Add claims entries after the last until one is e's, which is an entry of a kind that stands alone. e.ID is a name never
// given before. An error leaves it open whether e stands.
func (j *Journal) Add(ctx context.Context, e lake.Entry) (*Entry, error) {
	return j.Compose(ctx, func(context.Context, int64) (lake.Entry, error) { return e, nil })
}

// Compose is Add of an entry that depends on all that the log holds before it: makes makes it, as entry n, anew for every
// claim.
func (j *Journal) Compose(ctx context.Context, makes func(ctx context.Context, n int64) (lake.Entry, error)) (*Entry, error) {
	tail, err := j.Tail(ctx)
	if err != nil {
		return nil, err
	}
	for n := tail + 1; ; n++ {
		e, err := makes(ctx, n)
		if err != nil {
			return nil, err
		}
		e.N = n
		won, err := j.Claim(ctx, e)
		if err != nil || won.ID == e.ID {
			return won, err
		}
	}
}

// keep parses the bytes of an entry that exists, wherever it lies, and caches it.
func (j *Journal) keep(ctx context.Context, n int64, data []byte) (*Entry, error) {
	data, err := j.resolve(ctx, n, data)
	if err != nil {
		return nil, fmt.Errorf(errorPrefix, n, err)
	}
	e, err := parse(n, data)
	if err != nil {
		return nil, fmt.Errorf(errorPrefix, n, err)
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.tail = max(j.tail, n)
	if old := j.cached[n]; old != nil {
		return old, nil
	}
	j.cached[n] = e
	j.order = append(j.order, n)
	j.size += e.size
	for j.size > maxCached && len(j.order) > 1 {
		j.size -= j.cached[j.order[0]].size
		delete(j.cached, j.order[0])
		j.order = j.order[1:]
	}
	return e, nil
}
