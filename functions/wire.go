package main

import (
	"context"
	"errors"
	"sync"

	"medlake/functions/commit"
	"medlake/functions/dead"
	"medlake/functions/ingest"
	"medlake/functions/maintain"
	"medlake/functions/merge"
	"medlake/functions/sweep"
	"medlake/shared/faas"
	"medlake/shared/store"
	"medlake/shared/transform"
)

func newIngest(ctx context.Context, e environment, wake func()) (f *ingest.Ingest, free func() error, err error) {
	b, err := e.bucket(ctx)
	if err != nil {
		return nil, nil, err
	}
	library, err := e.library(transform.Load)
	if err != nil {
		return nil, nil, errors.Join(err, b.Close())
	}
	secrets, err := e.secrets(ctx)
	if err != nil {
		return nil, nil, errors.Join(err, b.Close())
	}
	free = func() error { return errors.Join(secrets.Close(), b.Close()) }
	f, err = ingest.New(ingest.Config{
		Bucket: b, Engine: ingest.Metadata(library), Secrets: secrets, Alone: ingest.Child("alone"), Wake: wake, Log: e.log, Meter: e.telemetry.Meter,
	})
	if err != nil {
		return nil, nil, errors.Join(err, free())
	}
	return f, free, nil
}

func serveIngest(ctx context.Context, e environment) error {
	w := newWaker(e)
	f, free, err := newIngest(ctx, e, w.wake)
	if err != nil {
		return err
	}
	loop, pulled := w.run, error(nil)
	if url := e.getenv("MEDLAKE_EVENTS"); url != "" {
		loop = func(ctx context.Context) {
			ctx, stop := context.WithCancel(ctx)
			var waking sync.WaitGroup
			waking.Go(func() { w.run(ctx) })
			pulled = faas.Pull(ctx, faas.PullConfig{URL: url, Handler: e.telemetry.Handle(f.Handle), Log: e.log})
			stop()
			waking.Wait()
		}
	}
	err = e.work(ctx, loop, f.Handle)
	return errors.Join(err, pulled, free())
}

// serveDead works for events alone: it has nothing to look for by itself.
func serveDead(ctx context.Context, e environment) error {
	d := dead.New(dead.Config{Meter: e.telemetry.Meter, Log: e.log})
	return e.work(ctx, func(ctx context.Context) { <-ctx.Done() }, d.Handle)
}

func runAlone(ctx context.Context, e environment) error {
	f, free, err := newIngest(ctx, e, nil)
	if err != nil {
		e.log.ErrorContext(ctx, "cannot process alone", "error", err)
		return exitCode(ingest.ChildFailed)
	}
	code := ingest.RunChild(ctx, f, e.in)
	if err := free(); err != nil {
		e.log.WarnContext(ctx, "close", "error", err)
	}
	return exitCode(code)
}

// opened is what the roles that keep tables work with.
type opened struct {
	bucket *store.Bucket
	tables tables
}

// keepTables opens the lake, builds a role's function with it and serves it.
func keepTables(ctx context.Context, e environment, build func(o opened) (loop func(context.Context), h faas.Handler, err error)) (err error) {
	var o opened
	if o.bucket, err = e.bucket(ctx); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, o.bucket.Close()) }()
	w, err := e.warehouse(ctx, o.bucket)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.Close()) }()
	o.tables = tables{w, e.telemetry.Meter}
	loop, handle, err := build(o)
	if err != nil {
		return err
	}
	return e.work(ctx, loop, handle)
}

func serveCommit(ctx context.Context, e environment) error {
	return keepTables(ctx, e, func(o opened) (func(context.Context), faas.Handler, error) {
		library, err := e.library(transform.LoadTables)
		if err != nil {
			return nil, nil, err
		}
		changing := merge.Of(library)
		var merged []string
		for _, t := range changing {
			merged = append(merged, t.Current.Table)
		}
		c, err := commit.New(commit.Config{Bucket: o.bucket, Tables: o.tables, Merged: merged, Log: e.log, Meter: e.telemetry.Meter})
		if err != nil {
			return nil, nil, err
		}
		m, err := merge.New(merge.Config{Bucket: o.bucket, Tables: o.tables, Log: e.log})
		if err != nil {
			return nil, nil, err
		}
		if err := m.EnsureLogs(ctx, changing...); err != nil { // it takes them in
			return nil, nil, err
		}
		return c.Run, c.Handle, c.Ensure(ctx, library.Set().EventTables()...)
	})
}

func serveMerge(ctx context.Context, e environment) error {
	return keepTables(ctx, e, func(o opened) (func(context.Context), faas.Handler, error) {
		m, err := merge.New(merge.Config{Bucket: o.bucket, Tables: o.tables, Log: e.log, Meter: e.telemetry.Meter})
		if err != nil {
			return nil, nil, err
		}
		library, err := e.library(transform.LoadTables)
		if err != nil {
			return nil, nil, err
		}
		return m.Run, m.Handle, m.Ensure(ctx, merge.Of(library)...)
	})
}

func serveMaintain(ctx context.Context, e environment) error {
	return keepTables(ctx, e, func(o opened) (func(context.Context), faas.Handler, error) {
		m, err := maintain.New(maintain.Config{Bucket: o.bucket, Tables: o.tables, Log: e.log, Meter: e.telemetry.Meter})
		if err != nil {
			return nil, nil, err
		}
		return m.Run, m.Handle, m.Ensure(ctx)
	})
}

func serveSweep(ctx context.Context, e environment) error {
	b, err := e.bucket(ctx)
	if err != nil {
		return err
	}
	url, err := e.need("K_SINK")
	if err != nil {
		return errors.Join(err, b.Close())
	}
	s, err := sweep.New(sweep.Config{Bucket: b, Send: e.sink(url), Log: e.log, Meter: e.telemetry.Meter})
	if err != nil {
		return errors.Join(err, b.Close())
	}
	return errors.Join(e.work(ctx, s.Run, s.Handle), b.Close())
}
