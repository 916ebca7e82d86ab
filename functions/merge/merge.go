// Package merge keeps the tables that show the latest row of each key: it folds the rows that came into a table's log,
// which is the truth, into the table itself, in one transaction a table. What a table shows depends on the rows of its log
// alone, never on the order they came in, on how they were batched, or on how many mergers run at once. It reads no
// uploads and never changes a log.
package merge

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/cloudevents/sdk-go/v2/event"

	"medlake/shared/faas/meter"
	"medlake/shared/lake"
	"medlake/shared/pace"
	"medlake/shared/store"
	"medlake/shared/store/journal"
	"medlake/shared/warehouse"
)

// Tables are the tables of the lake; *warehouse.Warehouse is one. Calls for different tables, and for the same one, may
// run at once.
type Tables interface {
	// Ensure creates or evolves a table and publishes its schema; a new one counts entries up to tail as taken in.
	Ensure(ctx context.Context, want lake.Schema, tail int64) (lake.Schema, error)
	// Batch pins a table's current state.
	Batch(ctx context.Context, table string) (warehouse.Head, error)
	// Live lists the data files at h that can hold rows of a customer, "" means all, by path.
	Live(ctx context.Context, h warehouse.Head, customer string) ([]warehouse.LiveFile, error)
	// Apply makes a change durably and only if the table still stands at h. After any error the outcome is unknown: pin
	// again and look. Files are never deleted.
	Apply(ctx context.Context, h warehouse.Head, c warehouse.Change) error
}

// Config is what a merger works with. Bucket and Tables must be set; other zero fields take the defaults.
type Config struct {
	Bucket   *store.Bucket
	Journal  *journal.Journal // default: one of its own
	Tables   Tables
	Attempt  func() string // a name never given before, for files; default random
	Parallel int           // tables at once; default 2: each takes memory for a customer's rows
	Cells    int64         // rows times columns of a customer that are in memory at once, twice over; default 4 million
	Tries    int           // times a table's merge is tried in one round; default 5
	Tick     time.Duration // how often to look without being woken; default 10 s
	Window   time.Duration // how long to wait after a wake-up, so that a merge takes in more; default 2 s
	Log      *slog.Logger
	Meter    *meter.Meter
}

// Merger merges. It is safe for concurrent use.
type Merger struct {
	cfg    Config
	log    *slog.Logger
	woken  chan struct{}
	rounds sync.Mutex // one round at a time in one process: more would only compete

	// Under rounds.
	tables []*merged
}

// New makes a merger.
func New(cfg Config) (*Merger, error) {
	if cfg.Bucket == nil || cfg.Tables == nil {
		return nil, errors.New("merge: bucket and tables must be set")
	}
	if cfg.Journal == nil {
		cfg.Journal = journal.New(cfg.Bucket)
	}
	if cfg.Attempt == nil {
		cfg.Attempt = rand.Text
	}
	if cfg.Parallel == 0 {
		cfg.Parallel = 2
	}
	if cfg.Cells == 0 {
		cfg.Cells = 4 << 20
	}
	if cfg.Tries == 0 {
		cfg.Tries = 5
	}
	if cfg.Tick == 0 {
		cfg.Tick = 10 * time.Second
	}
	if cfg.Window == 0 {
		cfg.Window = 2 * time.Second
	}
	if cfg.Log == nil {
		cfg.Log = slog.Default()
	}
	return &Merger{cfg: cfg, log: cfg.Log, woken: make(chan struct{}, 1)}, nil
}

// Ensure creates or evolves the tables and their logs. Call it before the first round, and when the metadata changed. A
// new table holds nothing until its first merge.
func (m *Merger) Ensure(ctx context.Context, tables ...Table) error {
	m.rounds.Lock()
	defer m.rounds.Unlock()
	tail, err := m.cfg.Journal.Tail(ctx)
	if err != nil {
		return err
	}
	m.tables = nil
	for _, t := range tables {
		into, err := m.ensure(ctx, t, tail)
		if err != nil {
			return err
		}
		m.tables = append(m.tables, into)
	}
	return nil
}

// EnsureLogs creates or evolves only the tables' logs, for those who take them in and do not merge.
func (m *Merger) EnsureLogs(ctx context.Context, tables ...Table) error {
	tail, err := m.cfg.Journal.Tail(ctx)
	if err != nil {
		return err
	}
	for _, t := range tables {
		if err := m.ensureLog(ctx, t, tail); err != nil {
			return err
		}
	}
	return nil
}

// Handle does one round: any event asks for it.
func (m *Merger) Handle(ctx context.Context, _ event.Event) error {
	_, err := m.Round(ctx)
	return err
}

// Wake tells Run that a log has grown. It never blocks.
func (m *Merger) Wake() {
	select {
	case m.woken <- struct{}{}:
	default: // it is awake already
	}
}

// Run does rounds until ctx ends, a window after each wake-up and at every tick. Errors are logged and tried again at the
// next tick.
func (m *Merger) Run(ctx context.Context) {
	tick := time.NewTicker(m.cfg.Tick)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-m.woken:
			if !pace.Pause(ctx, m.cfg.Window) {
				return
			}
			select { // what came during the window is taken in now
			case <-m.woken:
			default:
			}
		case <-tick.C:
		}
		if _, err := m.Round(ctx); err != nil && ctx.Err() == nil {
			m.log.ErrorContext(ctx, "merge round failed", "error", err)
		}
	}
}

// Round is what one round did.
type Round struct {
	Merged int      // tables that were changed
	Behind []string // tables that failed: they lack rows of their logs
}

// Round brings every table up to its log. A table that fails is tried again in the next round and does not hold up the
// others.
func (m *Merger) Round(ctx context.Context) (r Round, err error) {
	m.rounds.Lock()
	defer m.rounds.Unlock()
	defer func(start time.Time) { m.cfg.Meter.Round(ctx, "merge", start, err) }(time.Now())
	changed := make([]bool, len(m.tables))
	errs := make([]error, len(m.tables))
	pace.Each(len(m.tables), m.cfg.Parallel, func(i int) { changed[i], errs[i] = m.merge(ctx, m.tables[i]) })
	for i, t := range m.tables {
		if errs[i] != nil {
			r.Behind = append(r.Behind, t.table.schema.Table)
		} else if changed[i] {
			r.Merged++
		}
	}
	m.cfg.Meter.Add(ctx, meter.Merged, int64(r.Merged))
	return r, errors.Join(errs...)
}
