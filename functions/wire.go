package main

import (
	"context"
	"errors"
	"sync"

	"medlake/functions/commit"
	"medlake/functions/ingest"
	"medlake/functions/maintain"
	"medlake/functions/merge"
	"medlake/functions/sweep"
	"medlake/shared/faas"
	"medlake/shared/lake"
	"medlake/shared/store"
	"medlake/shared/transform"
	"medlake/shared/warehouse"
)

func newIngest(ctx context.Context, e environment, wake func()) (f *ingest.Ingest, free func() error, err error) {
	b, err := e.bucket(ctx)
	if err != nil {
		return nil, nil, err
	}
	library, err := e.library()
	if err != nil {
		return nil, nil, errors.Join(err, b.Close())
	}
	secrets, err := e.secrets(ctx)
	if err != nil {
		return nil, nil, errors.Join(err, b.Close())
	}
	free = func() error { return errors.Join(secrets.Close(), b.Close()) }
	f, err = ingest.New(ingest.Config{
		Bucket: b, Engine: ingest.Metadata(library), Secrets: secrets, Alone: ingest.Child("alone"), Wake: wake, Log: e.log,
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
	err = beside(ctx, w.run, func(ctx context.Context) error { return e.serve(ctx, f.Handle) })
	return errors.Join(err, free())
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
	bucket    *store.Bucket
	warehouse *warehouse.Warehouse
	library   *transform.Library
}

// keepTables opens the lake, builds a role's function with it and serves it.
func keepTables(ctx context.Context, e environment, build func(o opened) (loop func(context.Context), h faas.Handler, err error)) (err error) {
	var o opened
	if o.bucket, err = e.bucket(ctx); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, o.bucket.Close()) }()
	if o.warehouse, err = e.warehouse(ctx, o.bucket); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, o.warehouse.Close()) }()
	if o.library, err = e.library(); err != nil {
		return err
	}
	loop, handle, err := build(o)
	if err != nil {
		return err
	}
	return beside(ctx, loop, func(ctx context.Context) error { return e.serve(ctx, handle) })
}

func serveCommit(ctx context.Context, e environment) error {
	return keepTables(ctx, e, func(o opened) (func(context.Context), faas.Handler, error) {
		c, err := commit.New(commit.Config{Bucket: o.bucket, Tables: o.warehouse, Log: e.log})
		if err != nil {
			return nil, nil, err
		}
		var wanted []lake.Schema
		for _, t := range o.library.Set().Tables {
			wanted = append(wanted, t.Schema())
		}
		return c.Run, c.Handle, c.Ensure(ctx, wanted...)
	})
}

func serveMerge(ctx context.Context, e environment) error {
	return keepTables(ctx, e, func(o opened) (func(context.Context), faas.Handler, error) {
		m, err := merge.New(merge.Config{Bucket: o.bucket, Tables: o.warehouse, Log: e.log})
		if err != nil {
			return nil, nil, err
		}
		return m.Run, m.Handle, m.Ensure(ctx, merge.Of(o.library)...)
	})
}

func serveMaintain(ctx context.Context, e environment) error {
	return keepTables(ctx, e, func(o opened) (func(context.Context), faas.Handler, error) {
		m, err := maintain.New(maintain.Config{Bucket: o.bucket, Tables: o.warehouse, Log: e.log})
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
	send, err := e.sink()
	if err != nil {
		return errors.Join(err, b.Close())
	}
	s, err := sweep.New(sweep.Config{Bucket: b, Send: send, Log: e.log})
	if err != nil {
		return errors.Join(err, b.Close())
	}
	err = beside(ctx, s.Run, func(ctx context.Context) error { return e.serve(ctx, s.Handle) })
	return errors.Join(err, b.Close())
}

// beside runs loop while serve serves; when either ends, so does the other.
func beside(ctx context.Context, loop func(context.Context), serve func(context.Context) error) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var looping sync.WaitGroup
	looping.Go(func() { loop(ctx); stop() })
	err := serve(ctx)
	stop()
	looping.Wait()
	return err
}
