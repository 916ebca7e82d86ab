// Package maintain keeps tables healthy while others read and write them: it makes few large files of many small ones, gets
// rid of deleted rows, thins out snapshots, deletes files that nobody can name any more, and reports how the tables are
// in ops.health. It never changes what a table shows and never moves its number.
package maintain

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/cloudevents/sdk-go/v2/event"

	"medlake/shared/faas/meter"
	"medlake/shared/lake"
	"medlake/shared/store"
	"medlake/shared/store/journal"
	"medlake/shared/warehouse"
)

// Tables are the tables of the lake; *warehouse.Warehouse is one. Their published schemas lie in the bucket.
type Tables interface {
	// Tables lists the tables there are.
	Tables(ctx context.Context) ([]string, error)
	// Ensure creates or evolves a table and publishes its schema.
	Ensure(ctx context.Context, want lake.Schema, tail int64) (lake.Schema, error)
	// Batch pins a table's current state.
	Batch(ctx context.Context, table string) (warehouse.Head, error)
	// Live lists the data files at h that can hold rows of a customer, "" means all, by path.
	Live(ctx context.Context, h warehouse.Head, customer string) ([]warehouse.LiveFile, error)
	// Apply makes a change durably and only if the table still stands at h. After any error the outcome is unknown: pin
	// again and look. Files are never deleted.
	Apply(ctx context.Context, h warehouse.Head, c warehouse.Change) error
	// Snapshots lists the kept states, oldest first.
	Snapshots(ctx context.Context, table string) ([]warehouse.Snapshot, error)
	// TagMonths keeps the last state of each month that is over.
	TagMonths(ctx context.Context, table string, now time.Time) error
	// RewriteManifests makes few manifests of many; false if there are few.
	RewriteManifests(ctx context.Context, h warehouse.Head) (bool, error)
	// Expire thins out the kept states. No file is deleted.
	Expire(ctx context.Context, table string) error
	// Referenced lists the keys of all objects that the newest state names, in whatever kept state.
	Referenced(ctx context.Context, table string) (map[string]bool, error)
}

// Config is what a Maintainer works with. Bucket and Tables must be set; other zero fields take the defaults.
type Config struct {
	Bucket   *store.Bucket
	Journal  *journal.Journal // default: one of its own
	Tables   Tables
	Attempt  func() string // a name never given before, for files; default random
	Parallel int           // deletions at once; default 8
	Tries    int           // times a compaction is committed; default 10: each lost race is another's progress
	Every    time.Duration // between two rounds; default 15 min
	Clean    time.Duration // between two rounds that also list the tables' files for deletion; default 24 h
	Budget   Budget
	Target   int64         // bytes of a data file; default 128 MB
	Memory   int64         // bytes of rows that are sorted at once, not compressed; default 64 MB
	Grace    time.Duration // a file younger than this is never deleted; default 2 h
	Foreign  time.Duration // nor is one younger than this that no record proves to be left over; default 72 h
	// Now is the time by the store's clock, by which its objects' ages count. Default: that of an object written for it.
	Now   func(ctx context.Context) (time.Time, error)
	Log   *slog.Logger
	Meter *meter.Meter
}

// Budget bounds one round. What is left over is done by the next one.
type Budget struct {
	Bytes int64         // of files read by compaction; default 16 GB
	Time  time.Duration // after which no new piece of work is begun; default 10 min
}

// Maintainer maintains. It is safe for concurrent use: one round runs at a time.
type Maintainer struct {
	cfg    Config
	log    *slog.Logger
	rounds sync.Mutex

	// Under rounds.
	health health
}

// New makes a maintainer.
func New(cfg Config) (*Maintainer, error) {
	if cfg.Bucket == nil || cfg.Tables == nil {
		return nil, errors.New("maintain: bucket and tables must be set")
	}
	if cfg.Journal == nil {
		cfg.Journal = journal.New(cfg.Bucket)
	}
	if cfg.Attempt == nil {
		cfg.Attempt = func() string { return strings.ToLower(rand.Text()) }
	}
	if cfg.Log == nil {
		cfg.Log = slog.Default()
	}
	cfg.Parallel = or(cfg.Parallel, 8)
	cfg.Tries = or(cfg.Tries, 10)
	cfg.Every = or(cfg.Every, 15*time.Minute)
	cfg.Clean = or(cfg.Clean, 24*time.Hour)
	cfg.Budget.Bytes = or(cfg.Budget.Bytes, 16<<30)
	cfg.Budget.Time = or(cfg.Budget.Time, 10*time.Minute)
	cfg.Target = or(cfg.Target, 128<<20)
	cfg.Memory = or(cfg.Memory, 64<<20)
	cfg.Grace = or(cfg.Grace, 2*time.Hour)
	cfg.Foreign = or(cfg.Foreign, 72*time.Hour)
	return &Maintainer{cfg: cfg, log: cfg.Log, health: health{bucket: cfg.Bucket, attempt: cfg.Attempt}}, nil
}

func or[T comparable](v, instead T) T {
	var zero T
	if v == zero {
		return instead
	}
	return v
}

// clockKey is an object that is written only to learn the store's time.
const clockKey = "clock"

// now is the store's time; a dry round may not write to learn it.
func (m *Maintainer) now(ctx context.Context, dry bool) (time.Time, error) {
	if m.cfg.Now != nil {
		return m.cfg.Now(ctx)
	}
	if dry {
		return time.Now(), nil
	}
	err := m.cfg.Bucket.Put(ctx, clockKey, []byte("{}"))
	if err == nil {
		var o store.Object
		if o, err = m.cfg.Bucket.Head(ctx, clockKey); err == nil {
			return o.ModTime, nil
		}
	}
	return time.Time{}, fmt.Errorf("the store's clock: %w", err)
}

// Ensure creates or evolves ops.health. Call it before the first round.
func (m *Maintainer) Ensure(ctx context.Context) error {
	m.rounds.Lock()
	defer m.rounds.Unlock()
	tail, err := m.cfg.Journal.Tail(ctx)
	if err != nil {
		return err
	}
	published, err := m.cfg.Tables.Ensure(ctx, lake.HealthSchema(), tail)
	if err != nil {
		return fmt.Errorf("table %s: %w", lake.OpsHealth, err)
	}
	return m.health.use(published)
}

// All is the subject of a tick that asks for a round with deletion.
const All = "all"

// Handle does one round: any event asks for it. Files are deleted if the event's subject is All.
func (m *Maintainer) Handle(ctx context.Context, e event.Event) error {
	_, err := m.Round(ctx, Order{Delete: e.Subject() == All})
	return err
}

// Run does a round every so often until ctx ends, and deletes files now and then. Errors are logged and met again by the
// next round.
func (m *Maintainer) Run(ctx context.Context) {
	tick := time.NewTicker(m.cfg.Every)
	defer tick.Stop()
	var cleaned time.Time
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		o := Order{Delete: time.Since(cleaned) >= m.cfg.Clean}
		if o.Delete {
			cleaned = time.Now()
		}
		if _, err := m.Round(ctx, o); err != nil && ctx.Err() == nil {
			m.log.ErrorContext(ctx, "maintenance failed", "delete", o.Delete, "error", err)
		}
	}
}
