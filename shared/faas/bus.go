package faas

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/cloudevents/sdk-go/v2/event"

	"medlake/shared/lake"
)

// ErrClosed is returned by Send once the bus is stopping. Nothing is lost: the object is in landing, and the sweep sends
// it again.
var ErrClosed = errors.New("bus is stopping")

// BusConfig says how a Bus works. Zero fields take the defaults.
type BusConfig struct {
	Handler Handler
	Workers int                                                 // handlers running at once; default 4
	Queue   int                                                 // events of one customer on the bus: waiting, running or to be tried again; default 1,000
	Tries   int                                                 // deliveries before an event is a dead letter; default 8
	First   time.Duration                                       // wait before the second delivery, doubled each time; default 1 s
	Longest time.Duration                                       // the longest such wait; default 1 min
	Finish  time.Duration                                       // what running handlers get to end when the bus stops; default 20 s
	Failed  func(ctx context.Context, e event.Event, err error) // a try failed and comes again; default: nothing
	Dead    func(ctx context.Context, e event.Event, err error) // an event will not be tried again; default: nothing
	Jitter  func() float64                                      // 0 to 1: spreads retries; default random
}

func (c BusConfig) withDefaults() BusConfig {
	ignore := func(context.Context, event.Event, error) {}
	if c.Workers == 0 {
		c.Workers = 4
	}
	if c.Queue == 0 {
		c.Queue = 1000
	}
	if c.Tries == 0 {
		c.Tries = 8
	}
	if c.First == 0 {
		c.First = time.Second
	}
	if c.Longest == 0 {
		c.Longest = time.Minute
	}
	if c.Finish == 0 {
		c.Finish = 20 * time.Second
	}
	if c.Failed == nil {
		c.Failed = ignore
	}
	if c.Dead == nil {
		c.Dead = ignore
	}
	if c.Jitter == nil {
		c.Jitter = rand.Float64
	}
	return c
}

// Bus carries events to a handler in the same process. Each customer has a bounded queue, and workers serve the customers
// in turn: one customer's thousand files do not delay another's single one. A failed event comes again after a growing
// wait, marked as sent before; after Tries, or at once if the event is at fault, it goes to Dead. An event that is on the
// bus already (same source and id) is not taken twice. Queues are memory only: what a crash loses, the sweep sends again.
type Bus struct {
	cfg BusConfig

	mu     sync.Mutex
	awake  *sync.Cond               // something is ready, or the bus is stopping
	room   map[string]chan struct{} // a customer's places
	queues map[string][]delivery    // ready events; no empty queues
	turns  []string                 // customers with ready events, the next one first
	timers map[*time.Timer]struct{} // of events to be tried again
	here   map[string]struct{}      // source and id of all events on the bus
	closed bool
	done   chan struct{} // closed with closed
}

type delivery struct {
	event event.Event
	tries int // deliveries so far
}

// NewBus makes a bus. Events may be sent before Run starts.
func NewBus(cfg BusConfig) *Bus {
	b := &Bus{
		cfg:    cfg.withDefaults(),
		room:   map[string]chan struct{}{},
		queues: map[string][]delivery{},
		timers: map[*time.Timer]struct{}{},
		here:   map[string]struct{}{},
		done:   make(chan struct{}),
	}
	b.awake = sync.NewCond(&b.mu)
	return b
}

// Send puts an event on the bus and waits for room in its customer's queue. It does not wait for the handler.
func (b *Bus) Send(ctx context.Context, e event.Event) error {
	select {
	case <-b.done: // a full queue must not hide that the bus is stopping
		return ErrClosed
	default:
	}
	select {
	case b.places(Customer(e)) <- struct{}{}:
		b.take(e)
		return nil
	case <-b.done:
		return ErrClosed
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Offer is Send for those who cannot wait: it reports false if there is no room.
func (b *Bus) Offer(e event.Event) bool {
	select {
	case <-b.done:
		return false
	default:
	}
	select {
	case b.places(Customer(e)) <- struct{}{}:
		b.take(e)
		return true
	default:
		return false
	}
}

// Full reports whether there is no room for another event of a customer just now.
func (b *Bus) Full(customer string) bool { return len(b.places(customer)) >= b.cfg.Queue }

// Waiting counts the events on the bus: waiting, running or to be tried again.
func (b *Bus) Waiting() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	n := 0
	for _, r := range b.room {
		n += len(r)
	}
	return n
}

// Run works until ctx ends, then lets running handlers finish and returns. What still waits is left to the sweep.
func (b *Bus) Run(ctx context.Context) {
	work, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	var workers sync.WaitGroup
	for range b.cfg.Workers {
		workers.Go(func() { b.worker(work) })
	}
	<-ctx.Done()
	b.close()
	limit := time.AfterFunc(b.cfg.Finish, stop)
	workers.Wait()
	limit.Stop()
}

func (b *Bus) worker(ctx context.Context) {
	for {
		d, ok := b.pop()
		if !ok {
			return
		}
		b.deliver(ctx, d)
	}
}

func (b *Bus) deliver(ctx context.Context, d delivery) {
	err := b.cfg.Handler(ctx, d.event)
	d.tries++
	switch {
	case err == nil:
	case errors.Is(err, lake.ErrInvalid), d.tries >= b.cfg.Tries:
		b.cfg.Dead(ctx, d.event, err)
	default:
		b.cfg.Failed(ctx, d.event, err)
		d.event = d.event.Clone()
		d.event.SetExtension(extResent, "true")
		if b.later(d, b.backoff(d.tries)) {
			return // keeps its place
		}
	}
	b.leave(d.event)
}

// take puts a new event, which has its place, into its queue.
func (b *Bus) take(e event.Event) {
	b.mu.Lock()
	_, twice := b.here[identity(e)]
	b.here[identity(e)] = struct{}{}
	b.mu.Unlock()
	if twice {
		<-b.places(Customer(e))
		return
	}
	b.push(delivery{event: e})
}

// leave frees the place of an event that is done.
func (b *Bus) leave(e event.Event) {
	b.mu.Lock()
	delete(b.here, identity(e))
	b.mu.Unlock()
	<-b.places(Customer(e))
}

// identity is what makes two deliveries the same event.
func identity(e event.Event) string { return e.Source() + " " + e.ID() }

// backoff is the wait after a number of tries: doubled each time, bounded, and spread over its upper half so that events
// which failed together do not come again together.
func (b *Bus) backoff(tries int) time.Duration {
	wait := b.cfg.First
	for range tries - 1 {
		wait = min(2*wait, b.cfg.Longest)
	}
	return wait/2 + time.Duration(b.cfg.Jitter()*float64(wait/2))
}

// later puts d back after a wait; false if the bus is stopping.
func (b *Bus) later(d delivery, wait time.Duration) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return false
	}
	var t *time.Timer
	t = time.AfterFunc(wait, func() {
		b.mu.Lock()
		delete(b.timers, t)
		b.mu.Unlock()
		b.push(d)
	})
	b.timers[t] = struct{}{}
	return true
}

func (b *Bus) places(customer string) chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	r := b.room[customer]
	if r == nil {
		r = make(chan struct{}, b.cfg.Queue)
		b.room[customer] = r
	}
	return r
}

func (b *Bus) push(d delivery) {
	b.mu.Lock()
	defer b.mu.Unlock()
	c := Customer(d.event)
	if len(b.queues[c]) == 0 {
		b.turns = append(b.turns, c)
	}
	b.queues[c] = append(b.queues[c], d)
	b.awake.Signal()
}

// pop takes the next customer's oldest event and sends the customer to the end of the line; false when stopping.
func (b *Bus) pop() (delivery, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for len(b.turns) == 0 && !b.closed {
		b.awake.Wait()
	}
	if b.closed {
		return delivery{}, false
	}
	c := b.turns[0]
	b.turns = b.turns[1:]
	q := b.queues[c]
	d := q[0]
	if q = q[1:]; len(q) > 0 {
		b.queues[c] = q
		b.turns = append(b.turns, c)
	} else {
		delete(b.queues, c)
	}
	return d, true
}

func (b *Bus) close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = true
	close(b.done)
	for t := range b.timers {
		t.Stop()
	}
	b.awake.Broadcast()
}
