// Package pace says how much of a job runs at once, and waits. Every function works by it.
package pace

import (
	"context"
	"sync"
	"time"
)

// Each runs f(0) … f(n-1), at most limit at once, and returns when all have. With a limit of 1 they run in this goroutine,
// in order, so that a simulation can repeat it.
func Each(n, limit int, f func(i int)) {
	if limit == 1 {
		for i := range n {
			f(i)
		}
		return
	}
	var wait sync.WaitGroup
	places := make(chan struct{}, limit)
	for i := range n {
		places <- struct{}{}
		wait.Go(func() {
			defer func() { <-places }()
			f(i)
		})
	}
	wait.Wait()
}

// Pause waits for d; false if ctx ended first.
func Pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}
