package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"medlake/functions/ingest"
	"medlake/local/door"
	"medlake/local/node"
	"medlake/shared/lake"
)

func load(ctx context.Context, args []string, s streams) (code int, err error) {
	flags := flag.NewFlagSet("load", flag.ContinueOnError)
	data, meta, secrets := dataFlag(flags), metadataFlag(flags), secretsFlag(flags)
	asJSON := flags.Bool("json", false, "one JSON object a file")
	as := flags.String("as", "", "path to send the file as, for one file")
	customer := flags.String("customer", "", "whose files these are")
	files, err := parse(flags, args, 1, -1)
	if err != nil {
		return exitFailed, err
	}
	if *customer == "" {
		return exitFailed, errors.New("name the sender with --customer, before the files")
	}
	names, err := namesOf(files, *as)
	if err != nil {
		return exitFailed, err
	}
	if err := areFiles(files); err != nil {
		return exitFailed, err
	}
	n, err := openNode(ctx, *data, *meta, *secrets, logTo(s.err, slog.LevelWarn))
	if err != nil {
		return exitFailed, err
	}
	defer func() { err = errors.Join(err, n.Close()) }()
	if _, err := customerOf(n.Library.Set(), *customer); err != nil {
		return exitFailed, err
	}
	results, err := loadAll(ctx, n, *customer, files, names, progressOn(s.err, len(files)))
	if err != nil {
		return exitFailed, err
	}
	if err := n.Settle(ctx); err != nil {
		return exitFailed, fmt.Errorf("%w; the files are kept and the next load or run goes on with them", err)
	}
	for i := range results {
		results[i].Rows = n.ByName(results[i].Rows)
	}
	return report(s.out, results, *asJSON)
}

// namesOf is what each file is sent as: its path below the working folder, or its base name if it lies elsewhere.
func namesOf(files []string, as string) ([]string, error) {
	if as != "" {
		if len(files) != 1 {
			return nil, errors.New("--as names one file, and there are several")
		}
		if !door.ValidName(as) {
			return nil, errors.New("--as must be like folder/name.zip, without empty or dot parts")
		}
		return []string{as}, nil
	}
	here, err := os.Getwd()
	if err != nil {
		return nil, err
	}
	names := make([]string, len(files))
	for i, f := range files {
		abs, err := filepath.Abs(f)
		if err != nil {
			return nil, err
		}
		rel, err := filepath.Rel(here, abs)
		if err != nil || !filepath.IsLocal(rel) {
			rel = filepath.Base(abs)
		}
		names[i] = filepath.ToSlash(rel)
		if !door.ValidName(names[i]) {
			return nil, fmt.Errorf("argument %d cannot be sent under its name: give one with --as", i+1)
		}
	}
	return names, nil
}

// areFiles finds arguments that cannot be read before anything is stored. Errors count arguments: a file's name may
// identify a patient.
func areFiles(files []string) error {
	for i, f := range files {
		info, err := os.Stat(f)
		if err != nil {
			return argument(i, err)
		}
		if info.IsDir() {
			return argument(i, errors.New("it is a folder, not a file"))
		}
	}
	return nil
}

// argument places an error at an argument, without the file's name.
func argument(i int, err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		err = path.Err
	}
	return fmt.Errorf("argument %d: %w", i+1, err)
}

// loadAll stores and processes files, several at once. Results are in the order of the arguments. The first error ends it.
func loadAll(ctx context.Context, n *node.Node, customer string, files, names []string, progress func(done int)) ([]ingest.Result, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	results := make([]ingest.Result, len(files))
	var done atomic.Int64
	var group sync.WaitGroup
	places := make(chan struct{}, 2*runtime.NumCPU())
	for i := range files {
		places <- struct{}{}
		group.Go(func() {
			defer func() { <-places }()
			if ctx.Err() != nil {
				return
			}
			var err error
			if results[i], err = loadOne(ctx, n, customer, files[i], names[i]); err != nil {
				cancel(argument(i, err))
			}
			progress(int(done.Add(1)))
		})
	}
	group.Wait()
	return results, context.Cause(ctx)
}

func loadOne(ctx context.Context, n *node.Node, customer, file, name string) (res ingest.Result, err error) {
	f, err := os.Open(file)
	if err != nil {
		return res, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	a, err := n.Store(ctx, customer, name, f)
	if err != nil {
		return res, err
	}
	return n.Ingest.Process(ctx, a, false)
}

// report writes one line or object a file.
func report(w io.Writer, results []ingest.Result, asJSON bool) (int, error) {
	code := exitOK
	out := json.NewEncoder(w)
	for _, r := range results {
		if r.Status == lake.Quarantined {
			code = exitSome
		}
		if !asJSON {
			if _, err := fmt.Fprintln(w, line(r)); err != nil {
				return exitFailed, err
			}
			continue
		}
		err := out.Encode(struct {
			Arrival string           `json:"arrival"`
			Load    string           `json:"load"`
			Status  lake.Status      `json:"status"`
			Rows    map[string]int64 `json:"rows"`
			Rejects int64            `json:"rejects"`
			Reason  lake.Reason      `json:"reason"`
		}{r.Arrival, r.Load, r.Status, r.Rows, r.Rejects, r.Reason})
		if err != nil {
			return exitFailed, err
		}
	}
	return code, nil
}

// line is a result for people: load id, status, rows by table, rejects, reason.
func line(r ingest.Result) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s  %s", r.Load, r.Status)
	for _, table := range slices.Sorted(maps.Keys(r.Rows)) {
		if n := r.Rows[table]; n > 0 {
			fmt.Fprintf(&b, "  %s %d", table, n)
		}
	}
	if r.Status == lake.Loaded {
		fmt.Fprintf(&b, "  rejects %d", r.Rejects)
	}
	if r.Reason != "" {
		b.WriteString("  " + reasonOf(r.Reason, r.Where))
	}
	return b.String()
}

// reasonOf is a reason with its place, if one is known.
func reasonOf(reason lake.Reason, where lake.Where) string {
	if reason == "" {
		return ""
	}
	return (&lake.Refusal{Reason: reason, Where: where}).Error()
}

// progressOn shows progress on a terminal, and nothing elsewhere.
func progressOn(w io.Writer, total int) func(done int) {
	f, ok := w.(*os.File)
	if !ok {
		return func(int) {}
	}
	info, err := f.Stat()
	if err != nil || info.Mode()&os.ModeCharDevice == 0 {
		return func(int) {}
	}
	var mu sync.Mutex
	var last time.Time
	return func(done int) {
		mu.Lock()
		defer mu.Unlock()
		if now := time.Now(); done == total || now.Sub(last) > 100*time.Millisecond {
			last = now
			fmt.Fprintf(f, "\r%d of %d files", done, total)
			if done == total {
				fmt.Fprintln(f)
			}
		}
	}
}
