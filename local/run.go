package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"medlake/functions/ingest"
	"medlake/local/door"
	"medlake/local/drop"
	"medlake/local/node"
	"medlake/local/status"
	"medlake/shared/faas"
	"medlake/shared/faas/meter"
	"medlake/shared/faas/telemetry"
)

const (
	maxUpload = 4 << 30         // bytes of one file through the HTTP door
	maxStill  = 2 * time.Minute // that such a file may stand still
	keysEvery = 5 * time.Second // until a new key works and a withdrawn one does not
	dropEvery = time.Second
)

// Where bucket and catalog are if no flag says it, and how children of this process get to know: an argument would show
// a password to everybody on this machine.
const (
	bucketVariable  = "MEDLAKE_BUCKET"
	catalogVariable = "MEDLAKE_CATALOG"
)

// dataFlag says where the lake is.
func dataFlag(f *flag.FlagSet) *node.Place {
	var at node.Place
	f.StringVar(&at.Data, "data", "medlake-data", "folder of the lake")
	f.StringVar(&at.Bucket, "bucket", "", "URL of the lake's bucket, such as s3://lake?region=eu-west-1; default: $"+bucketVariable+", else in the folder")
	f.StringVar(&at.Catalog, "catalog", "", "URL of the lake's catalog, such as postgres://host/lake; default: $"+catalogVariable+", else in the folder")
	return &at
}

// found is a place with what the environment says.
func found(at node.Place) node.Place {
	at.Bucket = cmp.Or(at.Bucket, os.Getenv(bucketVariable))
	at.Catalog = cmp.Or(at.Catalog, os.Getenv(catalogVariable))
	return at
}

func secretsFlag(f *flag.FlagSet) *string {
	return f.String("secrets", "", "URL of the secrets; empty: the folder secrets of the lake")
}

// openNode opens a lake for processing.
func openNode(ctx context.Context, at node.Place, metadata, secrets string, log *slog.Logger) (*node.Node, error) {
	return openMeasured(ctx, at, metadata, secrets, log, nil)
}

// openMeasured opens a lake whose functions count what they do.
func openMeasured(ctx context.Context, at node.Place, metadata, secrets string, log *slog.Logger, m *meter.Meter) (*node.Node, error) {
	at = found(at)
	for name, value := range map[string]string{bucketVariable: at.Bucket, catalogVariable: at.Catalog} {
		if err := os.Setenv(name, value); err != nil {
			return nil, err
		}
	}
	return node.Open(ctx, node.Config{
		Data: at.Data, Bucket: at.Bucket, Catalog: at.Catalog, Metadata: metadata, Secrets: secrets, Log: log, Meter: m,
		Alone: []string{"alone", "--data", at.Data, "--metadata", metadata, "--secrets", secrets},
	})
}

func logTo(w io.Writer, level slog.Level) *slog.Logger {
	return slog.New(slog.NewJSONHandler(w, &slog.HandlerOptions{Level: level}))
}

func serve(ctx context.Context, args []string, s streams) (code int, err error) {
	flags := flag.NewFlagSet("run", flag.ContinueOnError)
	data, meta, secrets := dataFlag(flags), metadataFlag(flags), secretsFlag(flags)
	listen := flags.String("listen", "127.0.0.1:8080", "address of the HTTP door and the status page")
	if _, err := parse(flags, args, 0, 0); err != nil {
		return exitFailed, err
	}
	log := logTo(s.err, slog.LevelInfo)
	slog.SetDefault(log)
	tell := telemetry.Environment("run", os.Getenv, log)
	if tell.Metrics == "prometheus" {
		tell.MetricsEndpoint = cmp.Or(tell.MetricsEndpoint, "127.0.0.1:9464")
	}
	told, err := telemetry.Start(ctx, tell)
	if err != nil {
		return exitFailed, err
	}
	defer func() { err = errors.Join(err, told.Stop(ctx)) }()
	n, err := openMeasured(ctx, *data, *meta, *secrets, log, told.Meter)
	if err != nil {
		return exitFailed, err
	}
	defer func() { err = errors.Join(err, n.Close()) }()
	ln, err := (&net.ListenConfig{}).Listen(ctx, "tcp", *listen)
	if err != nil {
		return exitFailed, fmt.Errorf("listen: %w (choose another address with --listen)", err)
	}
	fmt.Fprintf(s.out, "medlake serves on http://%s\n", ln.Addr())
	return exitOK, host(ctx, n, data.Data, ln, log)
}

// host runs a lake with its doors until ctx ends: the doors close first, then running work is finished and committed.
func host(ctx context.Context, n *node.Node, data string, ln net.Listener, log *slog.Logger) error {
	started := time.Now()
	page, err := status.Handler(func(ctx context.Context) (status.Status, error) { return n.Status(ctx, started) }, log)
	if err != nil {
		return err
	}
	folder := drop.Folder{
		Dir: filepath.Join(data, "drop"), Every: dropEvery, Known: n.Known, Now: time.Now, NewID: node.NewID, Log: log,
		Arrive: func(ctx context.Context, f drop.File, body io.Reader) error {
			_, err := n.ArriveAs(ctx, node.Upload{Customer: f.Customer, Name: f.Name, At: f.At, ID: f.ID}, body)
			return err
		},
	}
	if err := os.MkdirAll(folder.Dir, 0o700); err != nil {
		return fmt.Errorf("make the drop folder: %w", err)
	}
	var customers []string
	for _, c := range n.Library.Set().Customers {
		customers = append(customers, c.ID)
	}
	api := door.Door{
		Lake: n, MaxBytes: maxUpload, MaxStill: maxStill, Log: log,
		Keys: &door.Keys{Customers: customers, Lines: n.Secrets.Lines, Every: keysEvery, Now: time.Now},
	}
	mux := http.NewServeMux()
	mux.Handle("/v1/", api.Handler())
	mux.Handle("/", page)

	work, stop := context.WithCancel(context.WithoutCancel(ctx)) // the lake stops after its doors
	defer stop()
	ctx, closeDoors := context.WithCancel(ctx)
	defer closeDoors()
	var running, doors sync.WaitGroup
	running.Go(func() { n.Run(work) })
	doors.Go(func() { folder.Watch(ctx) })
	err = faas.Serve(ctx, ln, mux)
	closeDoors() // also when the HTTP door broke
	doors.Wait()
	stop()
	running.Wait()
	return err
}

// alone processes one arrival in this process, which may die of it.
func alone(ctx context.Context, args []string, s streams) (code int, err error) {
	flags := flag.NewFlagSet("alone", flag.ContinueOnError)
	data, meta, secrets := dataFlag(flags), metadataFlag(flags), secretsFlag(flags)
	if _, err := parse(flags, args, 0, 0); err != nil {
		return exitFailed, err
	}
	n, err := openNode(ctx, *data, *meta, *secrets, logTo(s.err, slog.LevelInfo))
	if err != nil {
		return exitFailed, err
	}
	defer func() { err = errors.Join(err, n.Close()) }()
	return ingest.RunChild(ctx, n.Ingest, os.Stdin), nil
}
