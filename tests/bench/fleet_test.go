package bench

import (
	"context"
	"crypto/rand"
	"flag"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"medlake/functions/commit"
	"medlake/functions/ingest"
	"medlake/shared/archive/lock"
	"medlake/shared/faas"
	"medlake/shared/lake"
	"medlake/shared/pace"
	"medlake/shared/store"
	"medlake/shared/warehouse"
)

var fleets = flag.String("fleet", "20x1", "what TestFleet runs, such as 1x1,100x2: zips a second x committers, and x requests at once in each if not the default")

// TestFleet runs the real ingest and commit, as many of each as a cluster would, over a bucket and a catalog that take as
// long as S3 and Glue do, on a clock that jumps: an hour of waiting costs nothing. Uploads are zips of one row, and what
// decoding a real one takes is waited for. It prints how commits, requests and freshness behave; with -v they are seen:
//
//	go test -run Fleet -v ./tests/bench -fleet 1x1,10x1,100x1,1000x1
//
// Each runs in a process of its own, because some packages keep channels, and those belong to one clock.
func TestFleet(t *testing.T) {
	t.Parallel()
	for one := range strings.SplitSeq(*fleets, ",") {
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestOneFleet$")
		cmd.Env = append(os.Environ(), fleetOf+"="+one)
		out, err := cmd.CombinedOutput()
		t.Logf("%s", out)
		if err != nil {
			t.Errorf("%s: %v\n%s", one, err, out)
		}
	}
}

const fleetOf = "MEDLAKE_TEST_FLEET"

// TestOneFleet is the process of TestFleet.
func TestOneFleet(t *testing.T) {
	what := os.Getenv(fleetOf)
	if what == "" {
		t.Skip("it is a part of TestFleet")
	}
	f, err := parseFleet(what)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) { f.run(t, dir) })
}

func parseFleet(s string) (f *fleet, err error) {
	f = &fleet{}
	if _, err := fmt.Sscanf(s, "%gx%dx%d", &f.rate, &f.committers, &f.parallel); err == nil {
		return f, nil
	}
	_, err = fmt.Sscanf(s, "%gx%d", &f.rate, &f.committers)
	return f, err
}

const (
	podTakes  = 4                      // uploads at once in one ingest pod, as Knative's containerConcurrency
	inFlight  = 500 * time.Millisecond // what one upload is expected to take; pods are counted by it
	patience  = 10 * time.Minute       // after the last upload
	wakeTakes = 2 * time.Millisecond   // an event from ingest to commit
)

// decoding is the processor time of a zip of 20 to 300 documents (see the README's table).
var decoding = ms(5, 60)

// fleet is a cluster under a load.
type fleet struct {
	rate       float64 // zips a second
	committers int
	parallel   int // requests for pending objects at once in a committer; 0: commit's default

	bucket *store.Bucket
	slow   *slowBucket
	seen   *sightings
	pods   []*pod
	commit []*committer
	busy   atomic.Int64 // time of all uploads in pods
	turn   atomic.Int64
}

// pod is one ingest process.
type pod struct {
	ingest *ingest.Ingest
	places chan struct{}
	woken  chan struct{}
}

// committer is one commit process. It waits for the round before on a channel: the clock does not jump while someone waits
// for a lock.
type committer struct {
	*commit.Committer
	turn chan struct{}
}

// run is its Run, that nothing wakes.
func (c *committer) run(ctx context.Context) {
	for pace.Pause(ctx, 2*time.Second) {
		c.round(ctx)
	}
}

func (c *committer) round(ctx context.Context) {
	c.turn <- struct{}{}
	_ = c.Handle(ctx, faas.NewTick("pending")) // what fails is tried again
	<-c.turn
}

// uploads is how many the run sends: enough for the commit window to settle.
func (f *fleet) uploads() int { return int(max(60, min(f.rate*60, 300+f.rate*30))) }

func (f *fleet) run(t *testing.T, dir string) {
	f.bucket, f.slow = newSlow(s3Takes)
	f.seen = &sightings{bucket: f.slow, sent: map[string]time.Time{}}
	ctx, stop := context.WithCancel(t.Context())
	var running sync.WaitGroup
	set, engine := load(t)
	for range f.committers {
		w, err := warehouse.Open(ctx, "sqlite://"+dir+"/catalog.db", f.bucket)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = w.Close() }()
		c, err := commit.New(commit.Config{Bucket: f.bucket, Tables: slowCatalog{w, f.seen}, Parallel: f.parallel, Log: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		var wanted []lake.Schema
		for _, table := range set.Tables {
			wanted = append(wanted, table.Schema())
		}
		if err := c.Ensure(ctx, wanted...); err != nil {
			t.Fatal(err)
		}
		k := &committer{c, make(chan struct{}, 1)}
		f.commit = append(f.commit, k)
		running.Go(func() { k.run(ctx) })
	}
	for range int(max(1, f.rate*inFlight.Seconds()/podTakes*1.5)) {
		p := &pod{places: make(chan struct{}, podTakes), woken: make(chan struct{}, 1)}
		var err error
		if p.ingest, err = ingest.New(ingest.Config{Bucket: f.bucket, Engine: engine, Wake: p.wake, Log: slog.New(slog.DiscardHandler)}); err != nil {
			t.Fatal(err)
		}
		f.pods = append(f.pods, p)
		running.Go(func() { f.wakes(ctx, p) })
	}
	f.slow.count()
	ready := cpu()
	took, behind := f.send(t)
	for range int(patience / time.Second) {
		if f.arrived() == f.uploads() {
			break
		}
		time.Sleep(time.Second)
	}
	stop()
	running.Wait()
	if got := f.arrived(); got != f.uploads() {
		t.Errorf("%d of %d uploads can be queried %s after the last", got, f.uploads(), patience)
	}
	f.print(took, behind, cpu()-ready)
}

func (f *fleet) arrived() int {
	f.seen.mu.Lock()
	defer f.seen.mu.Unlock()
	return len(f.seen.latencies)
}

// send sends all uploads and waits until ingest has finished with them: how long that took, and how many had no rows yet
// when the last was sent.
func (f *fleet) send(t *testing.T) (took time.Duration, behind int) {
	var working sync.WaitGroup
	g, start := newGenerator(7), time.Now()
	for n := range f.uploads() {
		time.Sleep(time.Until(start.Add(time.Duration(float64(n) / f.rate * float64(time.Second)))))
		key, err := f.land(g, n)
		if err != nil {
			t.Fatal(err)
		}
		working.Go(func() {
			p := f.pods[n%len(f.pods)]
			p.places <- struct{}{}
			begun := time.Now()
			decoding.sleep()
			_, err := p.ingest.Process(t.Context(), lake.Arrival{Bucket: f.bucket.Name(), Key: key}, false)
			f.busy.Add(int64(time.Since(begun)))
			<-p.places
			if err != nil {
				t.Error(err)
			}
		})
	}
	took, behind = time.Since(start), f.uploads()-f.arrived()
	working.Wait()
	return took, behind
}

// land makes and stores an upload of one row.
func (f *fleet) land(g *generator, n int) (key string, err error) {
	record := g.record()
	for i := range record {
		record[i] = `"` + strings.ReplaceAll(record[i], `"`, `""`) + `"`
	}
	zip, err := lock.Zip([]lock.File{{Name: "encounters.csv", Data: []byte(strings.Join(header, ",") + "\n" + strings.Join(record, ",") + "\n")}},
		lock.Options{Random: rand.Reader})
	if err != nil {
		return "", err
	}
	key = store.LandingKey(customers[n%len(customers)], time.Now(), fmt.Sprintf("csv/%d.zip", n), strconv.Itoa(n))
	f.slow.land(key, zip)
	f.seen.mu.Lock()
	defer f.seen.mu.Unlock()
	f.seen.sent[key] = time.Now()
	return key, nil
}

func (p *pod) wake() {
	select {
	case p.woken <- struct{}{}:
	default:
	}
}

// wakes is what the process of a pod does beside its uploads: it wakes one committer after the other, and waits for it.
func (f *fleet) wakes(ctx context.Context, p *pod) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-p.woken:
			time.Sleep(wakeTakes)
			f.commit[int(f.turn.Add(1))%len(f.commit)].round(ctx)
		}
	}
}

// print writes one block of figures.
func (f *fleet) print(took time.Duration, behind int, used time.Duration) {
	n := float64(f.uploads())
	s := f.seen
	fmt.Fprintf(os.Stdout, "%g zips/s, %d committers (x%d), %d ingest pods of %d: %d uploads in %s, %d of them not yet in the table at the end\n",
		f.rate, f.committers, f.parallel, len(f.pods), podTakes, f.uploads(), took.Round(time.Second), behind)
	fmt.Fprintf(os.Stdout, "  until rows can be queried: p50 %s, p99 %s; an upload is %s in ingest\n", s.quantile(.5).Round(time.Millisecond),
		s.quantile(.99).Round(time.Millisecond), (time.Duration(f.busy.Load()) / time.Duration(f.uploads())).Round(time.Millisecond))
	if k := float64(len(s.entries)); k > 0 {
		fmt.Fprintf(os.Stdout, "  entries: %.0f a minute, %.1f uploads each, at most %d, %.0f kB; catalog: %.2f commits and %.2f reads an entry, %d lost to another committer\n",
			k/took.Minutes(), n/k, slices.Max(s.entries), float64(f.slow.bytes["log"])/k/1e3, float64(s.commits)/k, float64(s.reads)/k, s.lost)
	}
	var kinds []string
	calls := f.slow.count()
	for _, call := range slices.Sorted(maps.Keys(calls)) {
		kinds = append(kinds, fmt.Sprintf("%s %.2f", call, float64(calls[call])/n))
	}
	fmt.Fprintf(os.Stdout, "  requests a zip: %s\n", strings.Join(kinds, ", "))
	fmt.Fprintf(os.Stdout, "  processor time of all of it: %.1f ms an upload\n", used.Seconds()*1e3/n)
}
