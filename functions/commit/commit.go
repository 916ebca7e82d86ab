// Package commit moves what ingest has finished into the tables, in two steps: claim takes pending arrivals into the next
// entry of the log, and apply adds the files of new entries to one table in one transaction. Any number of committers may
// run at once, and none may die in a way that loses or doubles a load: no step reads a clock to decide, and every step
// can be repeated. It opens no upload and knows no format.
package commit

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/cloudevents/sdk-go/v2/event"

	"medlake/shared/faas/meter"
	"medlake/shared/lake"
	"medlake/shared/pace"
	"medlake/shared/store"
	"medlake/shared/store/journal"
)

// Config is what a committer works with. Bucket and Tables must be set; other zero fields take the defaults.
type Config struct {
	Bucket   *store.Bucket
	Journal  *journal.Journal // default: one of its own
	Tables   Tables
	Merged   []string      // tables that are made from their logs: entries bring nothing to them
	Attempt  func() string // a name never given before, for files of ops.loads; default random
	Parallel int           // tables at once; default 8
	Requests int           // for pending objects at once, which take their time over a network; default Parallel, or 64 if that is not set
	Tries    int           // times a table's commit is tried in one round; default 10: each lost race is another's progress
	Tick     time.Duration // how often to look without being woken; default 2 s
	Window   Window
	Done     func(context.Context, Round) // called by Run after a round that got to the tables; default: nothing
	Log      *slog.Logger
	Meter    *meter.Meter
}

// Committer commits. It is safe for concurrent use.
type Committer struct {
	cfg    Config
	log    *slog.Logger
	woken  chan struct{}
	loads  *ledger
	rounds sync.Mutex // one round at a time in one process: more would only compete

	// Under rounds.
	noted   int64               // entries up to here have marked their tables
	dirty   map[string]struct{} // tables that may be behind
	reached map[string]int64    // entries that tables were brought up to, for those who watch
	gaps    gaps

	later  later
	unread map[string]time.Time // pending objects that cannot be understood, as of their times
}

// New makes a committer.
func New(cfg Config) (*Committer, error) {
	if cfg.Bucket == nil || cfg.Tables == nil {
		return nil, errors.New("commit: bucket and tables must be set")
	}
	if cfg.Journal == nil {
		cfg.Journal = journal.New(cfg.Bucket)
	}
	if cfg.Attempt == nil {
		cfg.Attempt = rand.Text
	}
	if cfg.Requests == 0 {
		cfg.Requests = cmp.Or(cfg.Parallel, 64)
	}
	if cfg.Parallel == 0 {
		cfg.Parallel = 8
	}
	if cfg.Tries == 0 {
		cfg.Tries = 10
	}
	if cfg.Tick == 0 {
		cfg.Tick = 2 * time.Second
	}
	if cfg.Log == nil {
		cfg.Log = slog.Default()
	}
	if cfg.Done == nil {
		cfg.Done = func(context.Context, Round) {}
	}
	cfg.Window = cfg.Window.withDefaults()
	return &Committer{
		cfg:   cfg,
		log:   cfg.Log,
		woken: make(chan struct{}, 1), unread: map[string]time.Time{}, reached: map[string]int64{},
		loads: &ledger{bucket: cfg.Bucket, attempt: cfg.Attempt},
	}, nil
}

// Ensure creates or evolves tables, ops.loads and ops.rejects among them. Call it before the first round, and when the
// metadata changed.
func (c *Committer) Ensure(ctx context.Context, wanted ...lake.Schema) error {
	tail, err := c.cfg.Journal.Tail(ctx)
	if err != nil {
		return err
	}
	for _, s := range append([]lake.Schema{lake.LoadsSchema(), lake.RejectsSchema()}, wanted...) {
		published, err := c.cfg.Tables.Ensure(ctx, s, tail)
		if err != nil {
			return fmt.Errorf("table %s: %w", s.Table, err)
		}
		head, err := c.cfg.Tables.Batch(ctx, s.Table)
		if err != nil {
			return fmt.Errorf("table %s: %w", s.Table, err)
		}
		if head.Fold != "" {
			return fmt.Errorf("table %s was made from its log and cannot go without change: give the rows another table: %w", s.Table, lake.ErrInvalid)
		}
		if s.Table == lake.OpsLoads {
			if err := c.loads.use(published); err != nil {
				return err
			}
		}
	}
	return nil
}

// Handle does one round: any event asks for it.
func (c *Committer) Handle(ctx context.Context, _ event.Event) error {
	_, err := c.Round(ctx)
	return err
}

// Wake tells Run that something is pending. It never blocks.
func (c *Committer) Wake() {
	select {
	case c.woken <- struct{}{}:
	default: // it is awake already
	}
}

// Run does rounds until ctx ends: after a wake-up or a tick it waits for the window, so that one commit a table takes in
// all that arrived meanwhile. Errors are logged and tried again at the next tick.
func (c *Committer) Run(ctx context.Context) {
	window := c.cfg.Window
	tick := time.NewTicker(c.cfg.Tick)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-c.woken:
			if !pace.Pause(ctx, window.wait()) {
				return
			}
			select { // what came during the window is taken in now
			case <-c.woken:
			default:
			}
		case <-tick.C:
		}
		start := time.Now()
		r, err := c.Round(ctx)
		if err != nil && ctx.Err() == nil {
			c.log.ErrorContext(ctx, "commit round failed", "error", err)
		}
		if err == nil || len(r.Behind) > 0 {
			c.cfg.Done(ctx, r)
		}
		window.adapt(r.Arrivals, time.Since(start))
	}
}

// Round is what one round did.
type Round struct {
	Entry    int64    // the last entry of the log
	Arrivals int      // taken into the log
	Tables   int      // brought up to Entry
	Behind   []string // tables that failed: they lack rows of entries up to Entry
}

// Round claims all that is pending and brings every table up to the end of the log: what the log holds already first, then
// after each claim, so that a process that is killed again and again gets on all the same. A table that fails is tried
// again in the next round and does not hold up the others.
func (c *Committer) Round(ctx context.Context) (r Round, err error) {
	c.rounds.Lock()
	defer c.rounds.Unlock()
	defer func(start time.Time) { c.measure(ctx, r, start, err) }(time.Now())
	if c.dirty == nil {
		if r.Entry, err = c.cfg.Journal.Tail(ctx); err != nil {
			return r, err
		}
		_ = c.bring(ctx, &r) // what fails is still behind after the claim
	}
	for more := true; more; {
		var done claimed
		done, more, err = c.claim(ctx)
		r.Entry = max(r.Entry, done.tail)
		r.Arrivals += done.arrivals
		if err != nil {
			return r, err
		}
		err = c.bring(ctx, &r)
	}
	if r.Arrivals > 0 {
		c.log.InfoContext(ctx, "committed", "entry", r.Entry, "arrivals", r.Arrivals, "tables", r.Tables)
	}
	return r, errors.Join(err, c.gaps.save(ctx, c.cfg.Bucket))
}

// bring brings the tables that are behind up to entry r.Entry.
func (c *Committer) bring(ctx context.Context, r *Round) error {
	if err := c.note(ctx, r.Entry); err != nil {
		return err
	}
	behind := slices.Sorted(maps.Keys(c.dirty))
	errs := make([]error, len(behind))
	pace.Each(len(behind), c.cfg.Parallel, func(i int) { errs[i] = c.apply(ctx, behind[i], r.Entry) })
	r.Tables, r.Behind = 0, nil
	for i, table := range behind {
		if errs[i] != nil {
			r.Behind = append(r.Behind, table)
			c.cfg.Meter.Set(ctx, meter.CommitLag, float64(r.Entry-c.reached[table]), table)
			continue
		}
		delete(c.dirty, table)
		c.reached[table] = r.Entry
		c.cfg.Meter.Set(ctx, meter.CommitLag, 0, table)
		r.Tables++
	}
	return errors.Join(errs...)
}

// note marks the tables that entries up to tail name. The first time all are marked that take in entries: who committed
// last may have died between the two steps.
func (c *Committer) note(ctx context.Context, tail int64) error {
	if c.dirty == nil {
		names, err := c.cfg.Tables.Tables(ctx)
		if err != nil {
			return fmt.Errorf("list tables: %w", err)
		}
		c.dirty, c.noted = map[string]struct{}{}, tail
		for _, name := range names {
			if !slices.Contains(c.cfg.Merged, name) {
				c.dirty[name] = struct{}{}
			}
		}
		if err := c.gaps.read(ctx, c.cfg.Bucket); err != nil {
			return err
		}
	}
	for ; c.noted < tail; c.noted++ {
		e, err := c.cfg.Journal.Entry(ctx, c.noted+1)
		if err != nil {
			return err
		}
		if len(e.Receipts) > 0 {
			c.dirty[lake.OpsLoads] = struct{}{}
		}
		if e.Restore != nil {
			c.dirty[e.Restore.Table] = struct{}{}
		}
		for i := range e.Loads {
			for _, table := range e.Loads[i].Drops {
				c.dirty[table] = struct{}{}
			}
			for _, t := range e.Loads[i].Tables {
				if len(t.Files) > 0 {
					c.dirty[t.Table] = struct{}{}
				}
			}
		}
	}
	return nil
}
