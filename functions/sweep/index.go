package sweep

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"medlake/shared/lake"
	"medlake/shared/store"
	"medlake/shared/store/journal"
)

// The log's arrivals are indexed by landing folder, so that a sweep of one folder need not read years of log: objects
// swept/<shelf>/<from>-<to> list the arrivals of that folder that stand in log entries from to to, each by its id and by
// what a listing tells of it. They repeat the log, so any sweeper may write them, twice or overlapping. swept/cursor says
// up to which entry they go.
const (
	sweptPrefix = "swept/"
	cursorKey   = sweptPrefix + "cursor"
	foldAfter   = 2000 // entries held in memory before they are folded into index objects
	maxSegments = 8    // index objects of one folder before they become one
)

// set is a set of arrival ids.
type set map[string]struct{}

func (s set) has(id string) bool { _, ok := s[id]; return ok }

// index knows which arrivals are in the log.
type index struct {
	bucket   *store.Bucket
	journal  *journal.Journal
	parallel int // index objects written at once

	read    bool  // whether the cursor was read
	folded  int64 // entries up to here are in index objects
	to      int64 // entries after folded up to here are in recent
	recent  set
	mu      sync.Mutex          // shelves are read while others catch up
	byShelf map[string][]string // recent, by shelf
}

func newIndex(b *store.Bucket, j *journal.Journal, parallel int) *index {
	return &index{bucket: b, journal: j, parallel: parallel, recent: set{}, byShelf: map[string][]string{}}
}

type cursor struct {
	Format int   `json:"format"`
	N      int64 `json:"n"`
}

// segment is one index object.
type segment struct {
	Format   int      `json:"format"`
	Arrivals []string `json:"arrivals"`
}

// shelf is where the index keeps an arrival: by customer and date. Outside date folders it is the first folder, by a hash,
// because its name is the sender's.
func shelf(a lake.Arrival) string {
	if date := a.Date(); date != "" {
		return a.Customer() + "/" + date + "/"
	}
	folder, _, below := strings.Cut(strings.TrimPrefix(a.Key, store.LandingPrefix+a.Customer()+"/"), "/")
	if !below {
		folder = ""
	}
	return a.Customer() + "/~" + lake.Hash("folder", folder) + "/"
}

// listed names an upload by what every listing tells of it, where only a request for each object would tell its version.
// Times are cut to the second, because some stores do so in one place and not in another.
func listed(key string, size int64, at time.Time) string {
	return lake.Hash("listed", key, strconv.FormatInt(size, 10), strconv.FormatInt(at.Unix(), 10))
}

// catchUp takes in the entries up to the tail of the log. If fold, what has become too much for memory is moved into
// index objects; not while somebody compares with what is in memory.
func (x *index) catchUp(ctx context.Context, fold bool) error {
	if err := x.start(ctx); err != nil {
		return err
	}
	tail, err := x.journal.Tail(ctx)
	if err != nil {
		return err
	}
	for x.to < tail {
		receipts, err := x.journal.Receipts(ctx, x.to+1)
		if err != nil {
			return err
		}
		for i := range receipts {
			id, a := receipts[i].ID, receipts[i].Arrival
			if _, _, first := a.Rewritten(); receipts[i].Epoch > 0 && !first { // of a replay: the arrival was in the log before
				continue
			}
			x.recent[id] = struct{}{}
			x.mu.Lock()
			x.byShelf[shelf(a)] = append(x.byShelf[shelf(a)], id, listed(a.Key, a.Size, a.At))
			x.mu.Unlock()
		}
		x.to++
		if fold && x.to-x.folded >= foldAfter {
			if err := x.fold(ctx); err != nil {
				return err
			}
		}
	}
	return nil
}

// start reads the cursor, once.
func (x *index) start(ctx context.Context) error {
	if x.read {
		return nil
	}
	var c cursor
	data, err := x.bucket.Get(ctx, cursorKey)
	switch {
	case errors.Is(err, lake.ErrNotFound):
	case err != nil:
		return err
	default:
		if err := json.Unmarshal(data, &c); err != nil {
			return fmt.Errorf("index cursor: %w", err)
		}
		if err := lake.CheckFormat(c.Format); err != nil {
			return fmt.Errorf("index cursor: %w", err)
		}
	}
	x.folded, x.to, x.read = c.N, c.N, true
	return nil
}

// on returns what is known to be in the log of the arrivals on a shelf: their ids, and what a listing tells of them.
func (x *index) on(ctx context.Context, shelf string) (set, error) {
	known := set{}
	x.mu.Lock()
	for _, id := range x.byShelf[shelf] {
		known[id] = struct{}{}
	}
	x.mu.Unlock()
	if x.folded == 0 {
		return known, nil
	}
	var segments []string
	folded := set{}
	for o, err := range x.bucket.List(ctx, sweptPrefix+shelf) {
		if err != nil {
			return nil, err
		}
		data, err := x.bucket.Get(ctx, o.Key)
		if err != nil {
			return nil, err
		}
		var s segment
		if err := json.Unmarshal(data, &s); err != nil {
			return nil, fmt.Errorf("index object %s: %w", o.Key, err)
		}
		if err := lake.CheckFormat(s.Format); err != nil {
			return nil, fmt.Errorf("index object %s: %w", o.Key, err)
		}
		segments = append(segments, o.Key)
		for _, id := range s.Arrivals {
			known[id], folded[id] = struct{}{}, struct{}{}
		}
	}
	if len(segments) > maxSegments {
		return known, x.join(ctx, segments, folded)
	}
	return known, nil
}

// join puts one index object in the place of several of a folder. Who lists them meanwhile and finds one gone sweeps again.
func (x *index) join(ctx context.Context, segments []string, arrivals set) error {
	from, to := int64(math.MaxInt64), int64(0)
	for _, key := range segments {
		var a, b int64
		if _, err := fmt.Sscanf(path.Base(key), "%d-%d", &a, &b); err != nil {
			return fmt.Errorf("index object %s: %w", key, err)
		}
		from, to = min(from, a), max(to, b)
	}
	data, err := json.Marshal(segment{Format: lake.Format, Arrivals: slices.Sorted(maps.Keys(arrivals))})
	if err != nil {
		return fmt.Errorf("index object: %w", err)
	}
	joined := fmt.Sprintf("%s/%d-%d", path.Dir(segments[0]), from, to)
	if err := x.bucket.Put(ctx, joined, data); err != nil {
		return err
	}
	for _, key := range segments {
		if key == joined {
			continue
		}
		if err := x.bucket.Delete(ctx, key); err != nil {
			return err
		}
	}
	return nil
}

// fold moves what is in memory into index objects.
func (x *index) fold(ctx context.Context) error {
	shelves := slices.Sorted(maps.Keys(x.byShelf))
	err := each(ctx, len(shelves), x.parallel, func(ctx context.Context, i int) error {
		data, err := json.Marshal(segment{Format: lake.Format, Arrivals: x.byShelf[shelves[i]]})
		if err != nil {
			return fmt.Errorf("index object: %w", err)
		}
		return x.bucket.Put(ctx, fmt.Sprintf("%s%s%d-%d", sweptPrefix, shelves[i], x.folded+1, x.to), data)
	})
	if err != nil {
		return err
	}
	data, err := json.Marshal(cursor{Format: lake.Format, N: x.to})
	if err != nil {
		return fmt.Errorf("index cursor: %w", err)
	}
	if err := x.bucket.Put(ctx, cursorKey, data); err != nil {
		return err
	}
	x.folded, x.recent, x.byShelf = x.to, set{}, map[string][]string{}
	return nil
}
