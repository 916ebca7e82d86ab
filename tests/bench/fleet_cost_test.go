package bench

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"medlake/functions/commit"
	"medlake/functions/ingest"
	"medlake/functions/maintain"
	"medlake/functions/merge"
	"medlake/functions/sweep"
	"medlake/shared/archive/lock"
	"medlake/shared/lake"
	"medlake/shared/store"
	"medlake/shared/store/journal"
	"medlake/shared/transform"
	"medlake/shared/warehouse"

	"github.com/cloudevents/sdk-go/v2/event"
)

// TestRequests counts the requests to the bucket that each function makes, one step of it at a time. infra/sizing.md
// reckons with them; -v prints them all.
func TestRequests(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	bucket, slow := newSlow(nil)
	library, faults := transform.Load(os.DirFS("../../local/testdata/metadata"))
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	quiet := slog.New(slog.DiscardHandler)
	w, err := warehouse.Open(ctx, "sqlite://"+t.TempDir()+"/catalog.db", bucket)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = w.Close() }()
	in, err := ingest.New(ingest.Config{Bucket: bucket, Engine: ingest.Metadata(library), Log: quiet})
	must(err)
	committer, err := commit.New(commit.Config{Bucket: bucket, Tables: w, Log: quiet})
	must(err)
	merger, err := merge.New(merge.Config{Bucket: bucket, Tables: w, Log: quiet})
	must(err)
	maintainer, err := maintain.New(maintain.Config{Bucket: bucket, Tables: w, Log: quiet})
	must(err)
	sweeper, err := sweep.New(sweep.Config{
		Bucket: bucket, Grace: -time.Minute, Log: quiet, Send: func(context.Context, event.Event) error { return nil },
	})
	must(err)
	must(merger.Ensure(ctx, merge.Of(library)...))
	must(committer.Ensure(ctx, library.Set().EventTables()...))
	must(maintainer.Ensure(ctx))

	got := map[string]map[string]int{}
	step := func(name string, f func() error) {
		slow.count()
		if err := f(); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		got[name] = slow.count()
	}
	for n := range 12 {
		for _, of := range []string{"labs", "beds"} {
			text := fmt.Sprintf("lab_id,code\nL%d,GLU\n", n)
			if of == "beds" {
				text = fmt.Sprintf("bed,state,since\nB1,s%d,2026-03-05T08:%02d:00Z\n", n, n)
			}
			zip, err := lock.Zip([]lock.File{{Name: of + ".csv", Data: []byte(text)}}, lock.Options{Random: rand.Reader})
			must(err)
			key := store.LandingKey("acme", time.Now(), fmt.Sprintf("%s/%d.zip", of, n), of)
			slow.land(key, zip)
			step("ingest, a zip", func() error {
				_, err := in.Process(ctx, lake.Arrival{Bucket: bucket.Name(), Key: key}, false)
				return err
			})
			step("commit, an entry of one zip", func() error { _, err := committer.Round(ctx); return err })
		}
		step("merge, a table", func() error { _, err := merger.Round(ctx); return err })
	}
	step("commit, a look", func() error { _, err := committer.Round(ctx); return err })
	step("merge, a look", func() error { _, err := merger.Round(ctx); return err })
	step("maintain, with 5 tables to compact", func() error { _, err := maintainer.Round(ctx, maintain.Order{}); return err })
	step("maintain, a look at 6 tables", func() error { _, err := maintainer.Round(ctx, maintain.Order{}); return err })
	step("maintain, a look with deletion", func() error { _, err := maintainer.Round(ctx, maintain.Order{Delete: true}); return err })
	step("sweep, one customer", func() error { _, err := sweeper.Sweep(ctx, false); return err })
	step("sweep again", func() error { _, err := sweeper.Sweep(ctx, false); return err })
	folder := journal.New(bucket)
	folder.Group, folder.Recent = 8, 0
	step("fold, 24 entries of one zip in 3 groups", func() error { _, err := folder.Fold(ctx, 24); return err })
	reckon := func(step, calls string, n, want int) {
		if n != want {
			t.Errorf("%s makes %d %s, and infra/sizing.md reckons with %d: correct fleet_sizing_test.go and run it with -update", step, n, calls, want)
		}
	}
	zip, entry, swept := got["ingest, a zip"], got["commit, an entry of one zip"], got["sweep again"]
	reckon("ingest", "PUT a zip", zip["PUT"], putZip+1)
	reckon("ingest", "GET a zip", zip["GET landing"]+zip["GET loads"]+zip["HEAD"], getZip)
	reckon("commit", "PUT an entry", entry["PUT"], putEntry+2*putEntryTable)
	reckon("merge", "PUT a table", got["merge, a table"]["PUT"], putMerge)
	reckon("sweep", "LIST a sender", swept["LIST"]-1, listSender-2) // there is one day
	folded := got["fold, 24 entries of one zip in 3 groups"]
	reckon("fold", "PUT of records", folded["PUT loads"], 24*foldZip)
	reckon("fold", "PUT of entries", folded["PUT log"], 24*foldEntry)
	reckon("fold", "GET of records", folded["GET loads"], 24*foldZip)
	for _, name := range slices.Sorted(maps.Keys(got)) {
		var line []string
		for _, call := range slices.Sorted(maps.Keys(got[name])) {
			line = append(line, fmt.Sprintf("%s %d", call, got[name][call]))
		}
		t.Logf("%s: %s", name, strings.Join(line, ", "))
	}
}
