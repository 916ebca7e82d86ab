package pace

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestEachKeepsItsLimit(t *testing.T) {
	t.Parallel()
	for _, limit := range []int{1, 2, 7} {
		var mu sync.Mutex
		var done []int
		var running, most atomic.Int64
		Each(20, limit, func(i int) {
			now := running.Add(1)
			defer running.Add(-1)
			for m := most.Load(); now > m && !most.CompareAndSwap(m, now); m = most.Load() {
			}
			mu.Lock()
			defer mu.Unlock()
			done = append(done, i)
		})
		if most.Load() > int64(limit) {
			t.Errorf("limit %d: %d at once", limit, most.Load())
		}
		if limit == 1 && !slices.IsSorted(done) {
			t.Errorf("one at once, in the order %v", done)
		}
		slices.Sort(done)
		if len(slices.Compact(done)) != 20 {
			t.Errorf("limit %d: did %v", limit, done)
		}
	}
}

func TestPauseEndsWithItsContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		if !Pause(t.Context(), time.Hour) || time.Since(start) != time.Hour {
			t.Error("the pause was cut short")
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if Pause(ctx, time.Hour) {
			t.Error("the pause outlived its context")
		}
	})
}
