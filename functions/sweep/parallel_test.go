package sweep_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cloudevents/sdk-go/v2/event"

	"medlake/functions/sweep"
	"medlake/shared/lake"
	"medlake/shared/store"
)

var senders = flag.Int("senders", 2, "how many senders TestSweepOfAYear has")

// distant is a bucket whose calls take as long as S3's, on a clock that jumps.
type distant struct {
	fault func(call, key string) error // one call at a time; nil: none

	mu               sync.Mutex
	calls, now, most int // most: at once
}

// wait lets a call take its time.
func (d *distant) wait(ctx context.Context, call, key string) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	d.mu.Lock()
	d.calls, d.now = d.calls+1, d.now+1
	d.most = max(d.most, d.now)
	d.mu.Unlock()
	time.Sleep(map[string]time.Duration{"GET": 22 * time.Millisecond, "LIST": 50 * time.Millisecond}[call])
	d.mu.Lock()
	defer d.mu.Unlock()
	d.now--
	if d.fault != nil {
		return d.fault(call, key)
	}
	return nil
}

// fill puts uploads of many senders and days into a bucket, and an index of some objects a folder, which knows them or not.
// It is up to the end of the log.
func fill(t *testing.T, b *store.Bucket, senders, days, segments int, known bool) {
	t.Helper()
	put := func(key, data string) {
		if err := b.Put(t.Context(), key, []byte(data)); err != nil {
			t.Fatal(err)
		}
	}
	for s := range senders {
		for day := range days {
			folder := fmt.Sprintf("c%04d/%s/", s, today(day))
			upload, id := "landing/"+folder+"visits/1.zip@x", "another"
			put(upload, "")
			if known {
				id = lake.Hash("listed", upload, "0", fmt.Sprint(time.Now().Unix()))
			}
			for n := range segments {
				put(fmt.Sprintf("swept/%s%d-%d", folder, n, n), `{"format":1,"arrivals":["`+id+`"]}`)
			}
		}
	}
	put("log/1", `{"format":1,"n":1}`)
	put("swept/cursor", `{"format":1,"n":1}`)
}

// sweepAll sweeps all dates of a bucket, and counts what is sent.
func sweepAll(ctx context.Context, t *testing.T, b *store.Bucket, parallel int) (sent int, err error) {
	t.Helper()
	s, err := sweep.New(sweep.Config{
		Bucket: b, Parallel: parallel, Log: slog.New(slog.DiscardHandler), Now: func() time.Time { return time.Now().Add(time.Hour) },
		Send: func(context.Context, event.Event) error { sent++; return nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	r, err := s.Sweep(ctx, true)
	if err == nil && r.Sent != sent {
		t.Errorf("sent %d, reported %d", sent, r.Sent)
	}
	return sent, err
}

// TestSweepMakesRequestsSideBySide: as many as it may, never more, and it finds the same.
func TestSweepMakesRequestsSideBySide(t *testing.T) {
	t.Parallel()
	for _, parallel := range []int{1, 2, 16} {
		synctest.Test(t, func(t *testing.T) {
			b, memory := openOrdered()
			fill(t, b, 20, 10, 1, false)
			d := &distant{}
			memory.wait = d.wait
			if sent, err := sweepAll(t.Context(), t, b, parallel); err != nil || sent != 200 {
				t.Errorf("%d at once: sent %d, %v", parallel, sent, err)
			}
			if d.most != parallel {
				t.Errorf("%d requests at once, want %d", d.most, parallel)
			}
		})
	}
}

// TestSweepEndsWithTheFirstError: no request begins after it, and no goroutine stays: the clock, which begins with the
// year 2000, would not let it.
func TestSweepEndsWithTheFirstError(t *testing.T) {
	t.Parallel()
	for _, at := range []string{"LIST landing/", "LIST landing/c0003/", "LIST landing/c0003/1999-12-28", "LIST swept/c0003/", "GET swept/c0003/"} {
		for _, cancels := range []bool{false, true} {
			synctest.Test(t, func(t *testing.T) {
				b, memory := openOrdered()
				fill(t, b, 20, 10, 1, false)
				b.Retry.Tries = 1
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				d, after := &distant{}, 0
				d.fault = func(call, key string) error {
					switch {
					case after > 0:
						after++
					case strings.HasPrefix(call+" "+key, at):
						if after = 1; !cancels {
							return errors.New("broken")
						}
						cancel()
					}
					return nil
				}
				memory.wait = d.wait
				if _, err := sweepAll(ctx, t, b, 8); err == nil || errors.Is(err, context.Canceled) != cancels {
					t.Errorf("%s, canceled %v: got %v", at, cancels, err)
				}
				if after > 8 {
					t.Errorf("%s: %d calls ended after it, and there were 8 at once", at, after-1)
				}
			})
		}
	}
}

// TestSweepOfAYear tells how long a sweep of all dates takes over S3, one request after the other and side by side. With as
// many senders as there are:
//
//	go test -run SweepOfAYear -v ./functions/sweep -senders 1100
func TestSweepOfAYear(t *testing.T) {
	t.Parallel()
	for _, parallel := range []int{1, 64} {
		synctest.Test(t, func(t *testing.T) {
			b, memory := openOrdered()
			fill(t, b, *senders, 365, 4, true)
			d := &distant{}
			memory.wait = d.wait
			start := time.Now()
			if sent, err := sweepAll(t.Context(), t, b, parallel); err != nil || sent > 0 {
				t.Errorf("sent %d, %v", sent, err)
			}
			t.Logf("%d senders, %d at once: %v, %d requests", *senders, parallel, time.Since(start).Round(time.Second), d.calls)
		})
	}
}
