package sim

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"time"

	"gocloud.dev/blob"

	"medlake/functions/commit"
	"medlake/functions/ingest"
	"medlake/functions/sweep"
	"medlake/shared/faas"
	"medlake/shared/lake"
	"medlake/shared/store"
	"medlake/shared/store/faulty"
	"medlake/shared/store/journal"

	"github.com/cloudevents/sdk-go/v2/event"
)

// world is one simulation: a bucket, a catalog, and the processes that work on them, one call at a time.
type world struct {
	ctx     context.Context
	rng     *rand.Rand
	base    *store.Bucket // without faults
	catalog *catalog
	plan    func(call int) faulty.Fault // nil: faults by chance
	chance  float64                     // of each call to fail or lose its reply, and of its process to die there
	broken  *variant                    // what this world does wrong; nil: nothing
	calls   int
	trace   func(string)
	bad     string // the first thing a reader would have seen wrong
	engine  ingest.Engine
}

// process is one process: its own journal, caches and connection. It runs only while the scheduler lets it.
type process struct {
	*world
	name   string
	bucket *store.Bucket
	log    *journal.Journal
	dead   bool
	run    chan struct{}
	paused chan bool // true: paused before a call; false: ended
}

func newWorld(ctx context.Context, seed uint64, k kind, broken *variant) (*world, error) {
	base, err := store.Open(ctx, "mem://")
	if err != nil {
		return nil, err
	}
	w := &world{ctx: ctx, rng: rand.New(rand.NewPCG(seed, 7)), base: base, broken: broken, engine: k.engine}
	w.catalog = newCatalog(w)
	for _, s := range append(k.tables[:len(k.tables):len(k.tables)], lake.LoadsSchema(), lake.RejectsSchema()) {
		if err := w.catalog.create(ctx, s); err != nil {
			return nil, err
		}
	}
	return w, nil
}

// spawn makes a process that will do one job.
func (w *world) spawn(name string, job func(p *process) error) *process {
	p := &process{world: w, name: name, run: make(chan struct{}), paused: make(chan bool)}
	b, driver := faulty.New(w.base, func(c faulty.Call) faulty.Fault { return p.gate(string(c.Op), c.Key) })
	if w.broken != nil && w.broken.store != nil {
		retry := b.Retry
		b = w.base.Over(blob.NewBucket(w.broken.store(w, driver)))
		b.Retry = retry
	}
	b.Retry.Tries = []int{1, 2, 6}[w.rng.IntN(3)]
	p.bucket = b
	p.log = journal.New(b)
	p.log.Fresh = time.Hour * time.Duration(w.rng.IntN(2)) // an hour: the base a process works with is old
	go func() {
		<-p.run
		if err := job(p); err != nil && w.trace != nil {
			w.trace(fmt.Sprintf("%s ends: %v", p.name, err))
		}
		p.paused <- false
	}()
	return p
}

// gate pauses the process before a call and decides what happens to the call.
func (p *process) gate(op, key string) faulty.Fault {
	if p.dead {
		return faulty.Crash
	}
	p.paused <- true
	<-p.run
	w := p.world
	w.calls++
	f := faulty.None
	switch {
	case w.plan != nil:
		f = w.plan(w.calls)
	case w.chance > 0:
		if r := w.rng.Float64() / w.chance; r < 2 {
			f = []faulty.Fault{faulty.Before, faulty.After, faulty.Crash, faulty.CrashAfter}[int(2*r)]
		}
	}
	if w.trace != nil {
		w.trace(fmt.Sprintf("%d %s %s %s: %s", w.calls, p.name, op, key, f))
	}
	p.dead = f == faulty.Crash || f == faulty.CrashAfter
	return f
}

// drive runs processes to their ends. Half of the worlds choose the next process by chance, the others run the one of
// highest priority and drop it to the lowest at random moments, which finds rarer interleavings.
func (w *world) drive(processes ...*process) {
	byPriority := w.rng.IntN(2) == 0
	priority := map[*process]float64{}
	for _, p := range processes {
		priority[p] = w.rng.Float64()
	}
	for len(processes) > 0 {
		i := w.rng.IntN(len(processes))
		if byPriority {
			for j, p := range processes {
				if priority[p] > priority[processes[i]] {
					i = j
				}
			}
			if w.rng.IntN(25) == 0 {
				priority[processes[i]] = -w.rng.Float64() - float64(w.calls)
			}
		}
		p := processes[i]
		p.run <- struct{}{}
		if !<-p.paused {
			processes = append(processes[:i], processes[i+1:]...)
		}
	}
}

var quiet = slog.New(slog.DiscardHandler)

func (p *process) ingest() (*ingest.Ingest, error) {
	var f *ingest.Ingest
	f, err := ingest.New(ingest.Config{
		Bucket: p.bucket, Journal: p.log, Engine: p.engine, Attempt: p.attempt, Parallel: 1, Log: quiet,
		Schemas: p.catalog.schema,
		Alone: func(ctx context.Context, a lake.Pending) error {
			if _, err := f.Process(ctx, a.Arrival, false); err != nil {
				return ingest.ErrDied // the simulated child has no other way to fail
			}
			return nil
		},
	})
	return f, err
}

func (p *process) attempt() string { return fmt.Sprintf("%s.%d", p.name, p.rng.Uint64()) }

// processEvents handles events one after the other, as a worker does.
func processEvents(events ...event.Event) func(*process) error {
	return func(p *process) error {
		f, err := p.ingest()
		if err != nil {
			return err
		}
		for _, e := range events {
			if err := f.Handle(p.ctx, e); err != nil && p.dead {
				return err
			}
		}
		return nil
	}
}

// commitRounds does a few rounds.
func commitRounds(n int) func(*process) error {
	return func(p *process) error {
		c, err := commit.New(commit.Config{
			Bucket: p.bucket, Journal: p.log, Tables: tables{p}, Attempt: p.attempt, Parallel: 1, Tries: 1, Log: quiet,
		})
		if err != nil {
			return err
		}
		if err := c.Ensure(p.ctx); err != nil {
			return err
		}
		for range n {
			if _, err = c.Round(p.ctx); err != nil && p.dead {
				return err
			}
		}
		return err
	}
}

// sweepOnce sweeps everything and processes what it finds in the same process.
func sweepOnce(p *process) error {
	f, err := p.ingest()
	if err != nil {
		return err
	}
	s, err := sweep.New(sweep.Config{
		Bucket: p.bucket, Journal: p.log, Log: quiet, Now: func() time.Time { return time.Now().Add(time.Hour) },
		Send: func(ctx context.Context, e event.Event) error {
			if err := f.Handle(ctx, e); err != nil && p.dead {
				return err
			}
			return nil // a bus would try again
		},
	})
	if err != nil {
		return err
	}
	_, err = s.Sweep(p.ctx, true)
	return err
}

// upload puts an upload into landing and returns its event.
func (w *world) upload(name, content string, resent bool) (event.Event, error) {
	key := "landing/acme/2026-11-24/" + name
	if err := w.base.Put(w.ctx, key, []byte(content)); err != nil {
		return event.Event{}, err
	}
	o, err := w.base.Head(w.ctx, key)
	if err != nil {
		return event.Event{}, err
	}
	return faas.NewArrival(w.base.Arrival(o), resent)
}
