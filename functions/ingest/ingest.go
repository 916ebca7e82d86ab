// Package ingest turns one upload into data files and one record. It is stateless and can be repeated: the record
// loads/<load>, written once, decides what the upload became, and whoever comes later finds it. It needs no catalog, and
// it does not touch tables: package commit takes its pending objects from there.
package ingest

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"sync/atomic"

	"github.com/cloudevents/sdk-go/v2/event"

	"medlake/shared/faas"
	"medlake/shared/faas/meter"
	"medlake/shared/lake"
	"medlake/shared/store"
	"medlake/shared/store/journal"
	"medlake/shared/warehouse"
)

// Config is what an Ingest works with. Bucket and Engine must be set; other zero fields take the defaults.
type Config struct {
	Bucket  *store.Bucket
	Journal *journal.Journal // default: one of its own
	Engine  Engine
	Secrets Secrets // default: there are none
	// Schemas reads the newest published schema of a table; default: from the bucket.
	Schemas func(ctx context.Context, table string) (lake.Schema, error)
	// Alone processes an arrival in a process of its own, which may die (ErrDied). It is called for what was tried three
	// times and never came back. Default: such arrivals are tried like any other.
	Alone    func(ctx context.Context, p lake.Pending) error
	Wake     func()        // called when something is pending; default: nothing
	Attempt  func() string // a name never given before, for data files; default random
	Parallel int           // uploads of one load at once; default 4
	TempDir  string        // for uploads and data files too large for memory; default the system's
	Log      *slog.Logger
	Meter    *meter.Meter
}

// Secrets gives the lines of a secret, the current value first. lake.ErrNotFound means that there is none.
type Secrets interface {
	Lines(ctx context.Context, name string) ([]string, error)
}

// Ingest processes arrivals. It is safe for concurrent use.
type Ingest struct {
	cfg     Config
	log     *slog.Logger
	engine  atomic.Pointer[Engine]
	targets targets
}

// New makes an Ingest.
func New(cfg Config) (*Ingest, error) {
	if cfg.Bucket == nil || cfg.Engine == nil {
		return nil, errors.New("ingest: bucket and engine must be set")
	}
	if cfg.Journal == nil {
		cfg.Journal = journal.New(cfg.Bucket)
	}
	if cfg.Secrets == nil {
		cfg.Secrets = noSecrets{}
	}
	if cfg.Schemas == nil {
		cfg.Schemas = func(ctx context.Context, table string) (lake.Schema, error) {
			return warehouse.PublishedSchema(ctx, cfg.Bucket, table)
		}
	}
	if cfg.Wake == nil {
		cfg.Wake = func() {}
	}
	if cfg.Attempt == nil {
		cfg.Attempt = rand.Text
	}
	if cfg.Parallel == 0 {
		cfg.Parallel = 4
	}
	if cfg.Log == nil {
		cfg.Log = slog.Default()
	}
	f := &Ingest{cfg: cfg, log: cfg.Log}
	f.targets = targets{read: cfg.Schemas, bucket: cfg.Bucket}
	f.Use(cfg.Engine)
	return f, nil
}

type noSecrets struct{}

func (noSecrets) Lines(context.Context, string) ([]string, error) { return nil, lake.ErrNotFound }

// Use changes the engine for arrivals that begin from now on: the metadata changed.
func (f *Ingest) Use(e Engine) { f.engine.Store(&e) }

// Handle processes the arrival of an event, or the object that a store tells of. Loaded, duplicate and quarantined arrivals
// are all done: nil.
func (f *Ingest) Handle(ctx context.Context, e event.Event) error {
	if e.Type() == faas.ObjectType {
		return f.notice(ctx, e)
	}
	a, resent, err := faas.ParseArrival(e)
	if err != nil {
		return err
	}
	_, err = f.Process(ctx, a, resent)
	return err
}

// Result is what became of one arrival.
type Result struct {
	Arrival string // id
	Load    string
	Status  lake.Status
	Rows    map[string]int64 // committed rows by table
	Rejects int64
	Reason  lake.Reason
	Where   lake.Where // quarantined: where in the file
}

func result(a lake.Arrival, r *lake.Record) Result {
	res := Result{Arrival: a.ID(), Load: r.Load, Status: r.Status, Reason: r.Reason, Where: r.Where}
	if r.Status == lake.Loaded && r.Arrival != res.Arrival {
		res.Status = lake.Duplicate
		return res
	}
	for _, t := range r.Tables {
		if t.Table == lake.OpsRejects {
			continue
		}
		if res.Rows == nil {
			res.Rows = map[string]int64{}
		}
		res.Rows[t.Table] += t.Committed
		res.Rejects += t.Rejected
	}
	return res
}
