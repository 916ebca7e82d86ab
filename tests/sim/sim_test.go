package sim

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cloudevents/sdk-go/v2/event"
	"github.com/google/go-cmp/cmp"

	"medlake/shared/store/faulty"
)

// seeds is how many worlds a test tries: MEDLAKE_SEEDS, else few enough for every run.
func seeds(t *testing.T, n uint64) uint64 {
	t.Helper()
	s := os.Getenv("MEDLAKE_SEEDS")
	if s == "" {
		return n
	}
	n, err := strconv.ParseUint(s, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

type options struct {
	kind    *kind // nil: small
	chance  float64
	plan    func(call int) faulty.Fault
	broken  *variant
	busy    bool   // much is merged, maintained and restored
	catalog string // URL; empty: in memory
	trace   func(string)
}

// simulate runs one world: uploads of all kinds, events lost and doubled, workers, committers, mergers and all others at
// once; then all faults end, what slept wakes up, sweeps and commits bring it to rest, and it is checked.
func simulate(ctx context.Context, seed uint64, o options) (done tally, bad string, err error) {
	k := small(seed)
	if o.kind != nil {
		k = *o.kind
	}
	w, err := newWorld(ctx, seed, k, o.broken, o.catalog)
	if err != nil {
		return tally{}, "", err
	}
	defer func() { err = errors.Join(err, w.end()) }()
	w.trace, w.busy = o.trace, o.busy || seed%4 == 1
	var old []event.Event
	if o.plan == nil && k.small && (w.busy || w.rng.IntN(2) == 0) {
		if w.rng.IntN(2) == 0 {
			w.chance = o.chance
		}
		if old, err = w.history(k); err != nil {
			return tally{}, "", err
		}
		w.now = w.now.Add(time.Duration(w.rng.IntN(2)) * 100 * time.Hour) // what its dead left behind is old
	}
	w.chance, w.plan = o.chance, o.plan
	if o.plan == nil {
		w.sleepy, w.until = 150, w.now.Add(15*time.Hour)
	}
	processes, err := w.populate(k, old)
	if err != nil {
		return tally{}, "", err
	}
	w.drive(processes...)
	faults := w.calls
	w.chance, w.plan, w.sleepy = 0, nil, 0
	w.rest(k)
	if len(w.asleep) > 0 {
		if w.now = w.now.Add(26 * time.Hour); k.small { // all in all less than a file without a record is safe for
			w.drive(w.elder(maintainRounds(3)))
		}
		w.drive(w.asleep...)
		w.rest(k)
	}
	if k.small && o.plan == nil {
		w.now = w.now.Add(100 * time.Hour)
		w.drive(w.elder(maintainRounds(1)))
	}
	w.tally.calls = faults
	return w.tally, w.check(k.goal), nil
}

// history takes some uploads in, one after the other, before anything fails.
func (w *world) history(k kind) (events []event.Event, err error) {
	for _, u := range k.uploads[:2+w.rng.IntN(4)] {
		e, err := w.upload(u[0], u[1], false)
		if err != nil {
			return nil, err
		}
		events = append(events, e)
		w.drive(w.elder(processEvents(e)))
		w.drive(w.elder(commitRounds(1)))
		if w.rng.IntN(3) > 0 {
			w.drive(w.elder(mergeRounds(1, w.folds[0])))
		}
		if w.busy && w.rng.IntN(3) == 0 {
			w.drive(w.elder(maintainRounds(1)))
		}
	}
	return events, nil
}

// populate makes the uploads and the processes of a world, in which there are some uploads already.
func (w *world) populate(k kind, events []event.Event) (processes []*process, err error) {
	for _, u := range k.uploads[len(events):] {
		e, err := w.upload(u[0], u[1], w.rng.IntN(4) == 0)
		if err != nil {
			return nil, err
		}
		events = append(events, e)
	}
	events = append(events, events[0], events[1], events[3], events[4]) // events come twice
	w.rng.Shuffle(len(events), func(i, j int) { events[i], events[j] = events[j], events[i] })
	for i := 0; i < len(events); {
		n := min(1+w.rng.IntN(2), len(events)-i)
		if w.rng.IntN(5) > 0 { // else lost
			processes = append(processes, w.spawn(fmt.Sprintf("ingest%d", i), processEvents(events[i:i+n]...)))
		}
		i += n
	}
	some := func(name string, most int, job func() func(*process) error) {
		for i := range w.rng.IntN(most + 1) {
			processes = append(processes, w.spawn(fmt.Sprint(name, i), job()))
		}
	}
	some("commit", 4, func() func(*process) error { return commitRounds(1 + w.rng.IntN(3)) })
	some("sweep", 1, func() func(*process) error { return sweepOnce })
	if k.small {
		more := 1
		if w.busy {
			more = 2
		}
		some("merge", 3, func() func(*process) error { return mergeRounds(more+w.rng.IntN(3), w.folds[w.rng.IntN(len(w.folds))]) })
		some("maintain", 1+more, func() func(*process) error { return maintainRounds(more + w.rng.IntN(2)) })
		some("replay", w.rng.IntN(2), func() func(*process) error { return replayAll })
		some("restore", 2*w.rng.IntN(1+more), func() func(*process) error { return restoreSome })
	}
	return processes, nil
}

// rest brings a world to rest: nothing fails any more.
func (w *world) rest(k kind) {
	rounds, start := 1, w.elder
	if w.rng.IntN(2) == 0 {
		start = func(job func(*process) error) *process { return w.spawn("rest", job) }
	}
	if k.goal.quarantine["crashed"] > 0 {
		rounds = 4 // it must have died three times
	}
	for range rounds {
		w.drive(start(sweepOnce))
	}
	w.drive(start(commitRounds(1)))
	if k.small {
		w.replayed = false
		for i := 0; !w.replayed && w.bad == ""; i++ { // what a restore overtook is derived again
			if w.drive(start(resumeReplay)); i == 10 {
				w.bad = "a replay has no end"
			}
			w.drive(start(commitRounds(1)))
		}
		w.drive(start(mergeRounds(1, w.folds[len(w.folds)-1])))
	}
}

func run(t *testing.T, seed uint64, o options) tally {
	t.Helper()
	done, bad, err := simulate(t.Context(), seed, o)
	if err != nil {
		t.Error(err)
	}
	if bad != "" {
		t.Errorf("seed %d: %s", seed, bad)
	}
	return done
}

// each tries seeds on all processors, until one fails.
func each(t *testing.T, n uint64, try func(seed uint64)) {
	t.Helper()
	var next atomic.Uint64
	var all sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		all.Go(func() {
			for seed := next.Add(1) - 1; seed < n && !t.Failed(); seed = next.Add(1) - 1 {
				try(seed)
			}
		})
	}
	all.Wait()
}

// TestMain collects garbage seldom: worlds are small, and there are many.
func TestMain(m *testing.M) {
	debug.SetGCPercent(400)
	m.Run()
}

// TestExactlyOnce: whatever fails whenever, every load is there once.
func TestExactlyOnce(t *testing.T) {
	t.Parallel()
	var calls, deleted atomic.Int64
	n := seeds(t, memorySeeds)
	each(t, n, func(seed uint64) {
		done := run(t, seed, options{chance: []float64{0.05, 0.02, 0.1}[seed%3]})
		calls.Add(int64(done.calls))
		deleted.Add(int64(done.deleted))
	})
	t.Logf("%d seeds, %d calls, %d files deleted", n, calls.Load(), deleted.Load())
}

// TestExactlyOnceInRealTables does it in Iceberg tables, whose files and catalog suffer the same.
func TestExactlyOnceInRealTables(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	each(t, seeds(t, realSeeds), func(seed uint64) {
		url := fmt.Sprintf("sqlite://%s/%d.db", dir, seed)
		run(t, seed, options{chance: []float64{0.02, 0.01, 0.005}[seed%3], catalog: url})
	})
}

// TestEverySingleFault tries each fault at each call of some worlds.
func TestEverySingleFault(t *testing.T) {
	t.Parallel()
	worlds := 0
	for seed := range seeds(t, 2) {
		calls := run(t, seed, options{}).calls
		for call := 1 + int(seed%24); call <= calls; call += 24 {
			for _, f := range faulty.Faults() {
				run(t, seed, options{plan: func(n int) faulty.Fault {
					if n == call {
						return f
					}
					return faulty.None
				}})
				worlds++
				if t.Failed() {
					t.Fatalf("call %d, fault %s", call, f)
				}
			}
		}
	}
	t.Logf("%d worlds", worlds)
}

// TestExactlyOnceWithRealZips drives the whole of ingest: archives, formats, metadata.
func TestExactlyOnceWithRealZips(t *testing.T) {
	t.Parallel()
	k := zips(t)
	for seed := range seeds(t, 40) {
		run(t, seed, options{kind: &k, chance: 0.05})
		if t.Failed() {
			break
		}
	}
}

// TestSameSeedSameWorld: a seed that fails can be run again.
func TestSameSeedSameWorld(t *testing.T) {
	t.Parallel()
	for seed := range uint64(5) {
		var traces [2][]string
		for i := range traces {
			run(t, seed, options{chance: 0.05, trace: func(s string) { traces[i] = append(traces[i], s) }})
		}
		if d := cmp.Diff(traces[0], traces[1]); d != "" {
			t.Errorf("seed %d: %s", seed, d)
		}
	}
}

// TestSeed runs the world of MEDLAKE_SEED and prints what happened.
func TestSeed(t *testing.T) {
	t.Parallel()
	s, broken, _ := strings.Cut(os.Getenv("MEDLAKE_SEED"), ",")
	if s == "" {
		t.Skip("MEDLAKE_SEED is not set: <seed>[,<variant>]")
	}
	seed, err := strconv.ParseUint(s, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	o := options{chance: []float64{0.05, 0.02, 0.1}[seed%3], trace: func(s string) { t.Log(s) }}
	for i := range variants {
		if variants[i].name == broken {
			o = variants[i].options(seed)
			o.trace = func(s string) { t.Log(s) }
		}
	}
	run(t, seed, o)
}
