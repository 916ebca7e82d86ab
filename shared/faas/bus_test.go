package faas_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cloudevents/sdk-go/v2/event"
	"github.com/google/go-cmp/cmp"

	"medlake/shared/faas"
	"medlake/shared/lake"
)

func arrival(t *testing.T, customer string, n int) event.Event {
	t.Helper()
	e, err := faas.NewArrival(lake.Arrival{Bucket: "b", Key: fmt.Sprintf("landing/%s/2026-11-24/%d", customer, n)}, false)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// run starts a bus and returns what stops it and waits for it.
func run(t *testing.T, b *faas.Bus) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); b.Run(ctx) }()
	return func() { cancel(); <-done }
}

func TestBusServesCustomersInTurn(t *testing.T) {
	t.Parallel()
	var got []string
	all := make(chan struct{})
	b := faas.NewBus(faas.BusConfig{Workers: 1, Handler: func(_ context.Context, e event.Event) error {
		if got = append(got, faas.Customer(e)); len(got) == 6 {
			close(all)
		}
		return nil
	}})
	for n := range 4 {
		if err := b.Send(t.Context(), arrival(t, "big", n)); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []string{"small", "tiny"} {
		if err := b.Send(t.Context(), arrival(t, c, 0)); err != nil {
			t.Fatal(err)
		}
	}
	stop := run(t, b)
	<-all
	stop()
	if d := cmp.Diff([]string{"big", "small", "tiny", "big", "big", "big"}, got); d != "" {
		t.Error(d)
	}
	if n := b.Waiting(); n != 0 {
		t.Errorf("%d places still taken", n)
	}
}

func TestBusQueueIsBounded(t *testing.T) {
	t.Parallel()
	b := faas.NewBus(faas.BusConfig{Queue: 1, Handler: func(context.Context, event.Event) error { return nil }})
	if !b.Offer(arrival(t, "acme", 0)) || b.Offer(arrival(t, "acme", 1)) || !b.Offer(arrival(t, "birch", 0)) {
		t.Error("a queue of one takes one of each customer")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := b.Send(ctx, arrival(t, "acme", 2)); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want the context's end", err)
	}
}

func TestBusTakesAnEventOnce(t *testing.T) {
	t.Parallel()
	handled := make(chan struct{}, 3)
	b := faas.NewBus(faas.BusConfig{Workers: 1, Handler: func(context.Context, event.Event) error {
		handled <- struct{}{}
		return nil
	}})
	for range 3 { // sent, and swept twice while it waits
		if err := b.Send(t.Context(), arrival(t, "acme", 0)); err != nil {
			t.Fatal(err)
		}
	}
	if n := b.Waiting(); n != 1 {
		t.Errorf("%d events wait, want 1", n)
	}
	stop := run(t, b)
	<-handled
	stop()
	if len(handled) > 0 {
		t.Error("handled twice")
	}
	if n := b.Waiting(); n != 0 {
		t.Errorf("%d places still taken", n)
	}
}

func TestBusRetriesWithGrowingWaitsThenDeadLetter(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		var mu sync.Mutex
		var at []time.Duration
		var resent []bool
		dead := make(chan error, 1)
		b := faas.NewBus(faas.BusConfig{
			Tries: 5, First: time.Second, Longest: 3 * time.Second, Jitter: func() float64 { return 1 },
			Handler: func(_ context.Context, e event.Event) error {
				mu.Lock()
				defer mu.Unlock()
				at, resent = append(at, time.Since(start)), append(resent, faas.Resent(e))
				return errors.New("store is down")
			},
			Dead: func(_ context.Context, _ event.Event, err error) { dead <- err },
		})
		stop := run(t, b)
		defer stop()
		if err := b.Send(t.Context(), arrival(t, "acme", 0)); err != nil {
			t.Fatal(err)
		}
		if err := <-dead; err == nil {
			t.Error("dead letter without its cause")
		}
		if d := cmp.Diff([]time.Duration{0, 1e9, 3e9, 6e9, 9e9}, at); d != "" {
			t.Error(d)
		}
		if d := cmp.Diff([]bool{false, true, true, true, true}, resent); d != "" {
			t.Error(d)
		}
	})
}

func TestBusDoesNotRetryWhatIsInvalid(t *testing.T) {
	t.Parallel()
	dead := make(chan error, 1)
	b := faas.NewBus(faas.BusConfig{
		Handler: func(context.Context, event.Event) error { return lake.ErrInvalid },
		Dead:    func(_ context.Context, _ event.Event, err error) { dead <- err },
	})
	defer run(t, b)()
	if !b.Offer(arrival(t, "acme", 0)) {
		t.Fatal("no room")
	}
	if err := <-dead; !errors.Is(err, lake.ErrInvalid) {
		t.Error(err)
	}
}

func TestBusLetsRunningHandlersFinish(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		handled := 0
		var end error
		b := faas.NewBus(faas.BusConfig{Workers: 1, Handler: func(ctx context.Context, _ event.Event) error {
			handled++
			<-release
			end = ctx.Err()
			return errors.New("try again")
		}})
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { defer close(done); b.Run(ctx) }()
		for n := range 2 {
			if !b.Offer(arrival(t, "acme", n)) {
				t.Fatal("no room")
			}
		}
		synctest.Wait() // the first event is being handled
		cancel()
		synctest.Wait() // the bus has noticed
		close(release)
		<-done
		if handled != 1 || end != nil {
			t.Errorf("%d handled, context ended with %v; want one that was left alone", handled, end)
		}
		if err := b.Send(t.Context(), arrival(t, "acme", 2)); !errors.Is(err, faas.ErrClosed) {
			t.Errorf("got %v, want ErrClosed", err)
		}
	})
}
