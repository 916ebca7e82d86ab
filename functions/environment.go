package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"sync"
	"time"

	"github.com/cloudevents/sdk-go/v2/event"

	"medlake/shared/faas"
	"medlake/shared/faas/telemetry"
	"medlake/shared/metadata"
	"medlake/shared/secret"
	"medlake/shared/store"
	"medlake/shared/transform"
	"medlake/shared/warehouse"
)

// environment is what a role runs with. functions/README.md lists the variables.
type environment struct {
	getenv func(string) string
	in     io.Reader
	listen func(ctx context.Context, address string) (net.Listener, error)

	log       *slog.Logger
	telemetry *telemetry.Telemetry
	once      *event.Event // what a role is asked once; nil: it serves
}

// told runs a role whose metrics and traces are told.
func (e environment) told(ctx context.Context, role string, f func(context.Context, environment) error) (err error) {
	cfg := telemetry.Config{Role: role, Log: e.log}
	if role != "alone" { // whose parent tells
		cfg = telemetry.Environment(role, e.getenv, e.log)
	}
	if e.telemetry, err = telemetry.Start(ctx, cfg); err != nil {
		return err
	}
	defer func() {
		if err := e.telemetry.Stop(ctx); err != nil {
			e.log.WarnContext(ctx, "last metrics or traces are lost", "error", err)
		}
	}()
	return f(ctx, e)
}

func (e environment) need(name string) (string, error) {
	v := e.getenv(name)
	if v == "" {
		return "", fmt.Errorf("%s is not set", name)
	}
	return v, nil
}

// bucket opens the bucket and proves that it keeps its promises.
func (e environment) bucket(ctx context.Context) (*store.Bucket, error) {
	url, err := e.need("MEDLAKE_BUCKET")
	if err != nil {
		return nil, err
	}
	b, err := store.Open(ctx, url)
	if err != nil {
		return nil, err
	}
	if err := b.Prove(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("the bucket cannot be relied on: %w", err), b.Close())
	}
	return b, nil
}

// warehouse opens the tables; it refuses a catalog that does not keep its promises.
func (e environment) warehouse(ctx context.Context, b *store.Bucket) (*warehouse.Warehouse, error) {
	url, err := e.need("MEDLAKE_CATALOG")
	if err != nil {
		return nil, err
	}
	return warehouse.Open(ctx, url, b)
}

// library reads the metadata and has load compile it.
func (e environment) library(load func(fs.FS) (*transform.Library, []metadata.Fault)) (*transform.Library, error) {
	dir, err := e.need("MEDLAKE_METADATA")
	if err != nil {
		return nil, err
	}
	l, faults := load(os.DirFS(dir))
	if len(faults) > 0 {
		return nil, metadata.Faults(faults)
	}
	return l, nil
}

func (e environment) secrets(ctx context.Context) (*secret.Store, error) {
	url, err := e.need("MEDLAKE_SECRETS")
	if err != nil {
		return nil, err
	}
	return secret.Open(ctx, url)
}

// sendTime is what an event that is sent may take: ingest answers when a zip is done.
const sendTime = 10 * time.Minute

// sink sends events to url.
func (e environment) sink(url string) faas.Handler {
	return e.telemetry.Send(faas.Sink(e.telemetry.Client(sendTime), url))
}

// work answers events on PORT until ctx ends, while loop looks for work by itself; when either ends, so does the other.
// Asked for one event, it handles that and returns.
func (e environment) work(ctx context.Context, loop func(context.Context), h faas.Handler) error {
	h = e.telemetry.Handle(h)
	if e.once != nil {
		if h(ctx, *e.once) != nil { // Handle has logged why
			return exitCode(1)
		}
		return nil
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var looping sync.WaitGroup
	looping.Go(func() { loop(ctx); stop() })
	err := e.serve(ctx, h)
	stop()
	looping.Wait()
	return err
}

func (e environment) serve(ctx context.Context, h faas.Handler) error {
	port := e.getenv("PORT")
	if port == "" {
		port = "8080"
	}
	ln, err := e.listen(ctx, net.JoinHostPort("", port))
	if err != nil {
		return fmt.Errorf("listen on port %s: %w", port, err)
	}
	e.log.InfoContext(ctx, "serves", "address", ln.Addr().String())
	return faas.Serve(ctx, ln, e.telemetry.HTTP(faas.HTTP(h)))
}
