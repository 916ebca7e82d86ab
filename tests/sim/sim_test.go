package sim

import (
	"errors"
	"fmt"
	"os"
	"regexp"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/metric/noop"
	spans "go.opentelemetry.io/otel/trace/noop"

	"medlake/shared/store/faulty"
)

// span is a range of seeds.
type span struct{ from, to uint64 }

// seeds are those of the worlds that a test tries: MEDLAKE_SEEDS, as <to> or <from>-<to>, else few enough for every run.
func seeds(t *testing.T, n uint64) span {
	t.Helper()
	s := os.Getenv("MEDLAKE_SEEDS")
	if s == "" {
		return span{0, n}
	}
	first, last, ranged := strings.Cut(s, "-")
	if !ranged {
		first, last = "0", s
	}
	from, err1 := strconv.ParseUint(first, 10, 64)
	to, err2 := strconv.ParseUint(last, 10, 64)
	if err := errors.Join(err1, err2); err != nil {
		t.Fatal(err)
	}
	return span{from, to}
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
func each(t *testing.T, of span, try func(seed uint64)) {
	t.Helper()
	var next atomic.Uint64
	next.Store(of.from)
	var all sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		all.Go(func() {
			for seed := next.Add(1) - 1; seed < of.to && !t.Failed(); seed = next.Add(1) - 1 {
				try(seed)
			}
		})
	}
	all.Wait()
}

// TestMain collects garbage seldom, because worlds are small and there are many, and has nobody listen to what gocloud traces.
func TestMain(m *testing.M) {
	debug.SetGCPercent(200)
	otel.SetTracerProvider(spans.NewTracerProvider())
	otel.SetMeterProvider(noop.NewMeterProvider())
	m.Run()
}

// TestExactlyOnce: whatever fails whenever, every load is there once.
func TestExactlyOnce(t *testing.T) {
	t.Parallel()
	var calls, deleted atomic.Int64
	of := seeds(t, memorySeeds)
	each(t, of, func(seed uint64) {
		done := run(t, seed, options{chance: []float64{0.05, 0.02, 0.1}[seed%3]})
		calls.Add(int64(done.calls))
		deleted.Add(int64(done.deleted))
	})
	t.Logf("%d seeds, %d calls, %d files deleted", of.to-of.from, calls.Load(), deleted.Load())
}

// rarely is the chance of faults where a world makes many calls.
func rarely(seed uint64) float64 { return []float64{0.02, 0.01, 0.005}[seed%3] }

// TestExactlyOnceInRealTables does it in Iceberg tables, whose files and catalog suffer the same.
func TestExactlyOnceInRealTables(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	each(t, seeds(t, realSeeds), func(seed uint64) {
		url := fmt.Sprintf("sqlite://%s/%d.db", dir, seed)
		run(t, seed, options{chance: rarely(seed), catalog: url})
	})
}

// TestEverySingleFault tries each fault at each call of some worlds.
func TestEverySingleFault(t *testing.T) {
	t.Parallel()
	worlds := 0
	of := seeds(t, 2)
	for seed := of.from; seed < of.to; seed++ {
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
	of := seeds(t, 40)
	for seed := of.from; seed < of.to; seed++ {
		run(t, seed, options{kind: &k, chance: 0.05})
		if t.Failed() {
			break
		}
	}
}

// TestExactlyOnceWithoutAPatient erases one of several, whose uploads are zips.
func TestExactlyOnceWithoutAPatient(t *testing.T) {
	t.Parallel()
	k := clinic(t)
	each(t, seeds(t, eraseSeeds), func(seed uint64) {
		run(t, seed, options{kind: &k, chance: rarely(seed)})
	})
}

// TestSameSeedSameWorld: a seed that fails can be run again. But for the names of what a table is made with.
func TestSameSeedSameWorld(t *testing.T) {
	t.Parallel()
	first := regexp.MustCompile(`/00000-[0-9a-f-]+`)
	k := clinic(t)
	for name, o := range map[string]options{"memory": {chance: 0.05}, "erase": {chance: 0.02, kind: &k}, "real": {chance: 0.02, catalog: "sqlite://" + t.TempDir()}} {
		for seed := range uint64(5) {
			var traces [2][]string
			for i := range traces {
				o := o
				o.trace = func(s string) { traces[i] = append(traces[i], first.ReplaceAllString(s, "/00000")) }
				if o.catalog != "" {
					o.catalog += fmt.Sprintf("/%d.%d.db", seed, i)
				}
				run(t, seed, o)
			}
			if d := cmp.Diff(traces[0], traces[1]); d != "" {
				t.Errorf("%s seed %d: %s", name, seed, d)
			}
		}
	}
}

// TestSeed runs the world of MEDLAKE_SEED and prints what happened.
func TestSeed(t *testing.T) {
	t.Parallel()
	s, broken, _ := strings.Cut(os.Getenv("MEDLAKE_SEED"), ",")
	if s == "" {
		t.Skip("MEDLAKE_SEED is not set: <seed>[,erase|real|<variant>]")
	}
	seed, err := strconv.ParseUint(s, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	k := clinic(t)
	o := options{chance: []float64{0.05, 0.02, 0.1}[seed%3]}
	switch broken {
	case "erase":
		o = options{chance: rarely(seed), kind: &k}
	case "real":
		o = options{chance: rarely(seed), catalog: "sqlite://" + t.TempDir() + "/catalog.db"}
	}
	for _, v := range slices.Concat(variants, harmless) {
		if v.name == broken {
			o = v.options(seed, k, t.TempDir())
		}
	}
	o.trace = func(s string) { t.Log(s) }
	run(t, seed, o)
}
