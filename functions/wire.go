package main

import (
	"context"
	"errors"
	"sync"

	"medlake/functions/commit"
	"medlake/functions/ingest"
	"medlake/functions/sweep"
	"medlake/shared/lake"
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

func serveCommit(ctx context.Context, e environment) error {
	b, err := e.bucket(ctx)
	if err != nil {
		return err
	}
	w, err := e.warehouse(ctx, b)
	if err != nil {
		return errors.Join(err, b.Close())
	}
	free := func() error { return errors.Join(w.Close(), b.Close()) }
	c, err := commit.New(commit.Config{Bucket: b, Tables: w, Log: e.log})
	if err != nil {
		return errors.Join(err, free())
	}
	library, err := e.library()
	if err != nil {
		return errors.Join(err, free())
	}
	var wanted []lake.Schema
	for _, t := range library.Set().Tables {
		wanted = append(wanted, t.Schema())
	}
	if err := c.Ensure(ctx, wanted...); err != nil {
		return errors.Join(err, free())
	}
	err = beside(ctx, c.Run, func(ctx context.Context) error { return e.serve(ctx, c.Handle) })
	return errors.Join(err, free())
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
