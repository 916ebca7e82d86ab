package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/cloudevents/sdk-go/v2/event"

	"medlake/shared/faas"
	"medlake/shared/lake"
	"medlake/shared/metadata"
	"medlake/shared/secret"
	"medlake/shared/store"
	"medlake/shared/transform"
	"medlake/shared/warehouse"
)

// environment is what a role runs with:
//
//	MEDLAKE_BUCKET    URL of the bucket: s3://lake?region=…, gs://lake, azblob://lake, file:///dir     all roles
//	MEDLAKE_METADATA  folder of the metadata                                                           ingest, commit
//	MEDLAKE_SECRETS   URL of the secrets, with {name} for a secret's name                              ingest
//	MEDLAKE_CATALOG   URL of the catalog: postgres://…, sqlite:///file                                 commit
//	MEDLAKE_COMMIT    URL of commit, to be woken; empty: it looks by itself                            ingest
//	K_SINK            URL that takes events: the broker, or ingest itself                              sweep
//	PORT              port to listen on; 8080 if it is not set                                         all roles
type environment struct {
	getenv func(string) string
	in     io.Reader
	listen func(ctx context.Context, address string) (net.Listener, error)
	log    *slog.Logger
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
	if err := b.SelfTest(ctx); err != nil {
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

// library reads and compiles the metadata.
func (e environment) library() (*transform.Library, error) {
	dir, err := e.need("MEDLAKE_METADATA")
	if err != nil {
		return nil, err
	}
	l, faults := transform.Load(os.DirFS(dir))
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

const sendTime = time.Minute

// sink sends events to where K_SINK says.
func (e environment) sink() (faas.Handler, error) {
	url, err := e.need("K_SINK")
	if err != nil {
		return nil, err
	}
	return faas.Sink(client(), url), nil
}

func client() *http.Client { return &http.Client{Timeout: sendTime} }

// serve answers events on PORT until ctx ends.
func (e environment) serve(ctx context.Context, h faas.Handler) error {
	port := e.getenv("PORT")
	if port == "" {
		port = "8080"
	}
	ln, err := e.listen(ctx, net.JoinHostPort("", port))
	if err != nil {
		return fmt.Errorf("listen on port %s: %w", port, err)
	}
	return faas.Serve(ctx, ln, faas.HTTP(e.logged(h)))
}

// logged logs why events failed: answers do not tell.
func (e environment) logged(h faas.Handler) faas.Handler {
	return func(ctx context.Context, ev event.Event) error {
		err := h(ctx, ev)
		if err != nil {
			e.log.WarnContext(ctx, "event failed", "event", ev.ID(), "again", !errors.Is(err, lake.ErrInvalid), "error", err)
		}
		return err
	}
}
