package bench

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"time"

	"medlake/shared/lake"
	"medlake/shared/store"
	"medlake/shared/warehouse"
)

// What calls to a catalog of the cloud take as a rule, Glue above all: assumptions.
var (
	catalogReads   = ms(20, 50)
	catalogCommits = ms(150, 300)
)

// slowCatalog is real tables whose catalog is as far away as in the cloud. It notes when the rows of which upload can be
// queried.
type slowCatalog struct {
	*warehouse.Warehouse
	seen *sightings
}

// sightings is what all committers share.
type sightings struct {
	bucket *slowBucket

	mu        sync.Mutex
	sent      map[string]time.Time // uploads by key
	latencies []time.Duration      // from the event until rows are in the table
	batch     int64                // the last entry whose rows are there
	reads     int
	commits   int   // won
	lost      int   // to another committer
	entries   []int // arrivals by entry
}

func (c slowCatalog) Batch(ctx context.Context, table string) (warehouse.Head, error) {
	catalogReads.sleep()
	c.seen.count(&c.seen.reads)
	return c.Warehouse.Batch(ctx, table)
}

func (c slowCatalog) Apply(ctx context.Context, h warehouse.Head, do warehouse.Change) error {
	catalogCommits.sleep()
	if err := c.Warehouse.Apply(ctx, h, do); err != nil {
		c.seen.count(&c.seen.lost)
		return err
	}
	c.seen.count(&c.seen.commits)
	if h.Table == lake.OpsLoads {
		return nil
	}
	return c.seen.rows(do.Batch)
}

func (s *sightings) count(n *int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	*n++
}

// rows notes that the rows of entries up to n can be queried.
func (s *sightings) rows(n int64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for ; s.batch < n; s.batch++ {
		data, err := s.entry(s.batch + 1)
		if err != nil {
			return err
		}
		var e lake.Entry
		if err := json.Unmarshal(data, &e); err != nil {
			return err
		}
		for _, r := range e.Receipts {
			s.latencies = append(s.latencies, time.Since(s.sent[r.Arrival.Key]))
		}
		s.entries = append(s.entries, len(e.Receipts))
	}
	return nil
}

func (s *sightings) entry(n int64) ([]byte, error) {
	s.bucket.mu.Lock()
	defer s.bucket.mu.Unlock()
	if o := s.bucket.folders["log"][store.LogKey(n)]; o != nil {
		return o.data, nil
	}
	return nil, fmt.Errorf("entry %d is not there", n)
}

func (s *sightings) quantile(q float64) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.latencies) == 0 {
		return 0
	}
	slices.Sort(s.latencies)
	return s.latencies[int(q*float64(len(s.latencies)-1))]
}
