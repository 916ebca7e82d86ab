// Package node is a whole lake in one process, in one folder: the functions, with an in-process event bus between them, a
// file bucket, a SQLite catalog and DuckDB. Bucket and catalog may also be elsewhere. It wires and starts them; what they
// do is theirs. Several processes may have the same lake open.
package node

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"time"

	"github.com/cloudevents/sdk-go/v2/event"

	"medlake/functions/commit"
	"medlake/functions/ingest"
	"medlake/functions/maintain"
	"medlake/functions/merge"
	"medlake/functions/replay"
	"medlake/functions/restore"
	"medlake/functions/sweep"
	"medlake/shared/faas"
	"medlake/shared/faas/meter"
	"medlake/shared/lake"
	"medlake/shared/secret"
	"medlake/shared/store"
	"medlake/shared/store/journal"
	"medlake/shared/transform"
)

// Config says where a lake is and how this program starts itself for what runs in a process of its own.
type Config struct {
	Data     string   // as in Place
	Bucket   string   // as in Place
	Catalog  string   // as in Place
	Metadata string   // folder
	Secrets  string   // URL; empty: the folder secrets of the lake
	Alone    []string // arguments with which this program processes one arrival alone
	Workers  int      // arrivals processed at once; default 8, because most of the time they wait for the disk
	Log      *slog.Logger
	Meter    *meter.Meter // default: nothing is counted

	layer func(*store.Bucket) *store.Bucket // over the bucket, for tests
}

// Node is an open lake.
type Node struct {
	Library    *transform.Library
	Reader     *Reader
	Ingest     *ingest.Ingest
	Committer  *commit.Committer
	Merger     *merge.Merger
	Maintainer *maintain.Maintainer
	Restorer   *restore.Restorer
	Replayer   *replay.Replayer
	Secrets    *secret.Store

	bucket  *store.Bucket
	journal *journal.Journal
	bus     *faas.Bus
	sweeper *sweep.Sweeper
	recent  *recent
	log     *slog.Logger
	sources []string // table names for the status page
}

// Open opens the lake of a folder, proves its bucket and catalog, and creates or evolves its tables.
func Open(ctx context.Context, cfg Config) (_ *Node, err error) {
	library, err := Metadata(cfg.Metadata)
	if err != nil {
		return nil, err
	}
	at, err := Place{cfg.Data, cfg.Bucket, cfg.Catalog}.Whole()
	if err != nil {
		return nil, err
	}
	n := &Node{Library: library, log: cfg.Log, recent: newRecent(10_000)}
	defer func() {
		if err != nil {
			err = errors.Join(err, n.Close())
		}
	}()
	if n.Reader, err = openReader(ctx, at, library.Set(), cfg.layer); err != nil {
		return nil, err
	}
	n.bucket = n.Reader.bucket
	if err := n.bucket.Prove(ctx); err != nil {
		return nil, fmt.Errorf("the bucket of this lake cannot be relied on: %w", err)
	}
	if cfg.Secrets == "" {
		cfg.Secrets = store.FileURL(filepath.Join(at.Data, "secrets"))
	}
	if n.Secrets, err = secret.Open(ctx, cfg.Secrets); err != nil {
		return nil, fmt.Errorf("open secrets: %w", err)
	}
	n.journal = journal.New(n.bucket)
	if err := n.functions(cfg); err != nil {
		return nil, err
	}
	return n, n.ensure(ctx)
}

func (n *Node) functions(cfg Config) (err error) {
	n.Committer, err = commit.New(commit.Config{
		Bucket: n.bucket, Journal: n.journal, Tables: n.Reader.warehouse, Log: n.log, Meter: cfg.Meter,
		Done: func(ctx context.Context, r commit.Round) { n.done(ctx, r); n.Merger.Wake() },
	})
	if err != nil {
		return err
	}
	n.Merger, err = merge.New(merge.Config{Bucket: n.bucket, Journal: n.journal, Tables: n.Reader.warehouse, Log: n.log, Meter: cfg.Meter})
	if err != nil {
		return err
	}
	n.Restorer, err = restore.New(restore.Config{Bucket: n.bucket, Journal: n.journal, Tables: n.Reader.warehouse})
	if err != nil {
		return err
	}
	n.Ingest, err = ingest.New(ingest.Config{
		Bucket: n.bucket, Journal: n.journal, Engine: ingest.Metadata(n.Library), Secrets: n.Secrets,
		Wake: n.Committer.Wake, Alone: ingest.Child(cfg.Alone...), Log: n.log, Meter: cfg.Meter,
	})
	if err != nil {
		return err
	}
	n.Maintainer, err = maintain.New(maintain.Config{Bucket: n.bucket, Journal: n.journal, Tables: n.Reader.warehouse, Log: n.log, Meter: cfg.Meter})
	if err != nil {
		return err
	}
	n.Replayer, err = replay.New(replay.Config{
		Journal: n.journal, Metadata: n.Library.Set().Version, Derive: n.Ingest.Derive, Log: n.log,
	})
	if err != nil {
		return err
	}
	workers := cfg.Workers
	if workers == 0 {
		workers = 8
	}
	n.bus = faas.NewBus(faas.BusConfig{
		Handler: n.Ingest.Handle, Workers: workers,
		Failed: func(ctx context.Context, e event.Event, err error) {
			n.log.WarnContext(ctx, "arrival comes again", "arrival", e.ID(), "error", err)
		},
		Dead: func(ctx context.Context, e event.Event, err error) {
			n.log.ErrorContext(ctx, "arrival given up until the next sweep", "arrival", e.ID(), "error", err)
		},
	})
	n.sweeper, err = sweep.New(sweep.Config{
		Bucket: n.bucket, Journal: n.journal, Send: n.bus.Send, Log: n.log, Meter: cfg.Meter,
		Every: time.Minute,
		// What a process that died had on its bus must not wait; what this one has on its bus is not taken twice.
		Grace: time.Millisecond,
	})
	return err
}

// ensure creates or evolves the tables of the metadata.
func (n *Node) ensure(ctx context.Context) error {
	for _, t := range n.Library.Set().Tables {
		n.sources = append(n.sources, t.ID())
	}
	n.sources = append(n.sources, lake.OpsLoads, lake.OpsRejects)
	if err := n.Merger.Ensure(ctx, merge.Of(n.Library)...); err != nil {
		return fmt.Errorf("create or evolve tables: %w", err)
	}
	if err := n.Committer.Ensure(ctx, n.Library.Set().EventTables()...); err != nil {
		return fmt.Errorf("create or evolve tables: %w", err)
	}
	err := n.Maintainer.Ensure(ctx)
	if err != nil {
		return fmt.Errorf("create or evolve tables: %w", err)
	}
	n.recent.entry, err = n.journal.Tail(ctx)
	return err
}

// Close lets go of the lake. Call it after Run has returned.
func (n *Node) Close() error {
	var errs []error
	if n.Secrets != nil {
		errs = append(errs, n.Secrets.Close())
	}
	if n.Reader != nil {
		errs = append(errs, n.Reader.Close())
	}
	return errors.Join(errs...)
}
