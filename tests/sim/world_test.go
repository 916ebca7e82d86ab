package sim

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"regexp"
	"strings"
	"time"

	"github.com/cloudevents/sdk-go/v2/event"
	"gocloud.dev/blob"

	"medlake/functions/ingest"
	"medlake/functions/merge"
	"medlake/shared/datafile"
	"medlake/shared/faas"
	"medlake/shared/lake"
	"medlake/shared/store"
	"medlake/shared/store/faulty"
	"medlake/shared/store/journal"
	"medlake/shared/warehouse"
)

// world is one simulation: a bucket, a catalog, and the processes that work on them, one call at a time.
type world struct {
	ctx     context.Context
	rng     *rand.Rand
	objects *objects
	now     time.Time     // by the clock of the bucket and the catalog
	base    *store.Bucket // without faults
	lake    lakeTables    // without faults
	memory  *catalog      // lake, if it is in memory
	url     string        // of the catalog, if it is not
	small   bool          // its uploads are read by the oracle
	engine  ingest.Engine
	chance  float64                     // of each call to fail or lose its reply, and of its process to die there
	plan    func(call int) faulty.Fault // nil: faults by chance
	broken  *variant                    // what this world does wrong; nil: nothing
	tally
	trace func(string)

	until       time.Time     // till then hours pass now and then
	folds       []merge.Table // versions of the table that changes
	connections []*warehouse.Warehouse
	old         *process          // see elder
	busy        bool              // see options
	more        more              // see options
	sleepy      int               // one in so many calls puts its process to sleep; 0: none
	asleep      []*process        // they go on when all others have come to rest
	woken       bool              // they have
	uploads     map[string]string // by arrival
	sent        []upload
	truth       *truth
	files       map[string][]row // read so far, by path
	patients    *patients        // see kind
	erased      bool             // the last erasure came to its end
	deletes     map[string][]datafile.Position
	schemas     map[string]lake.Schema
	seen        map[string]int64 // snapshot last looked at, by table
	batch       map[string]int64 // and its number
	lost        int              // the call at which all processes die and the catalog is lost; 0: never
	copied      *objects         // a second bucket, see backups
	verified    bool             // a backup is there
	replayed    bool             // the last replay has nothing left to do
	bad         string           // the first thing a reader would have seen wrong
}

// tally counts what happened in a world.
type tally struct {
	calls   int
	deleted int // files, by maintenance
}

// process is one process: its own journal, caches and connection. It runs only while the scheduler lets it.
type process struct {
	*world
	name   string
	bucket *store.Bucket
	tables lakeTables
	log    *journal.Journal
	dead   bool
	claims bool   // the call it is about to make: when it sleeps there, much happens meanwhile
	fold   string // that its merges are by
	run    chan struct{}
	paused chan bool // true: paused before a call; false: ended
}

// epoch is when a world begins: before the time of any machine, see warehouse.Simulate.
var epoch = time.Date(2020, 11, 24, 9, 0, 0, 0, time.UTC)

func newWorld(ctx context.Context, seed uint64, k kind, broken *variant, catalogURL string) (w *world, err error) {
	w = &world{
		ctx: ctx, rng: rand.New(rand.NewPCG(seed, 7)), now: epoch, folds: k.folds, patients: k.patients, broken: broken, engine: k.engine, small: k.small, url: catalogURL,
		uploads: map[string]string{}, files: map[string][]row{}, deletes: map[string][]datafile.Position{},
		schemas: map[string]lake.Schema{}, seen: map[string]int64{}, batch: map[string]int64{},
	}
	w.objects = &objects{all: map[string]*object{}, now: func() time.Time { return w.now }}
	if broken != nil && broken.rebuilt != nil {
		w.objects.gone = map[string]*object{}
	}
	w.base = w.objects.open()
	w.truth = newTruth(w)
	if catalogURL == "" {
		w.memory = newCatalog(w)
		w.lake = w.memory
		if broken != nil {
			w.memory.rule = broken.rule
		}
	} else {
		real, err := w.connect(w.base)
		if err != nil {
			return nil, err
		}
		w.lake = real
	}
	for _, s := range append(k.tables[:len(k.tables):len(k.tables)], lake.LoadsSchema(), lake.RejectsSchema(), lake.HealthSchema()) {
		published, err := w.lake.Ensure(ctx, s, 0)
		if err != nil {
			return nil, err
		}
		w.schemas[s.Table] = published
	}
	if w.memory == nil {
		w.lake, err = w.born()
	}
	return w, err
}

// connect opens the world's catalog for a process, which sees a bucket.
func (w *world) connect(b *store.Bucket) (*warehouse.Warehouse, error) {
	real, err := warehouse.Open(w.ctx, w.url, b)
	if err != nil {
		return nil, err
	}
	real.Simulate(w.clock, numbers{w})
	w.connections = append(w.connections, real)
	return real, nil
}

// born has the tables made now, by the clock of the world.
func (w *world) born() (*warehouse.Warehouse, error) {
	for key, o := range w.objects.all {
		if strings.HasSuffix(key, ".metadata.json") {
			data := made.ReplaceAll(o.data, fmt.Appendf(nil, `"last-updated-ms":%d`, w.now.UnixMilli()))
			w.objects.all[key] = &object{data, o.at}
		}
	}
	return w.connect(w.base)
}

var made = regexp.MustCompile(`"last-updated-ms":\d+`)

func newTruth(w *world) *truth {
	return &truth{w: w, loads: map[string][]map[string]bool{}, records: map[string]record{}, rows: map[string][]row{}}
}

// end frees what a world holds.
func (w *world) end() error {
	err := w.base.Close()
	for _, real := range w.connections {
		err = errors.Join(err, real.Close())
	}
	return err
}

func (w *world) schema(table string) (lake.Schema, error) {
	s, ok := w.schemas[table]
	if !ok {
		return s, lake.ErrNotFound
	}
	return s, nil
}

// spawn makes a process that will do one job.
func (w *world) spawn(name string, job func(p *process) error) *process {
	p := w.process(name)
	p.start(job)
	return p
}

// process makes one that has no job yet.
func (w *world) process(name string) *process {
	p := &process{world: w, name: name, run: make(chan struct{}), paused: make(chan bool)}
	b, driver := faulty.Over(w.base, w.objects, func(c faulty.Call) faulty.Fault { return p.gate(string(c.Op), c.Key) })
	if w.broken != nil && w.broken.store != nil {
		retry := b.Retry
		b = w.base.Over(blob.NewBucket(w.broken.store(p, driver)))
		b.Retry = retry
	}
	b.Retry.Tries = []int{1, 2, 6}[w.rng.IntN(3)]
	p.bucket = b
	p.log = journal.New(b)
	p.log.Fresh = time.Hour * time.Duration(w.rng.IntN(2)) // an hour: the base a process works with is old
	wrong := time.Hour * time.Duration(w.rng.IntN(100)-50)
	p.log.Now = func() time.Time { return w.now.Add(wrong) }
	p.log.Group, p.log.Recent = 3, int64(w.rng.IntN(3))
	return p
}

// start begins a job, which waits for its first turn.
func (p *process) start(job func(p *process) error) {
	go func() {
		<-p.run
		err := p.open()
		if err == nil {
			err = job(p)
		}
		if err != nil && p.trace != nil {
			p.trace(fmt.Sprintf("%s ends: %v", p.name, err))
		}
		p.paused <- false
	}()
}

// elder is a process that lives through much of the world, if it does not die, and does one job after the other. What it
// remembers is old.
func (w *world) elder(job func(p *process) error) *process {
	if w.old == nil || w.old.dead {
		w.old = w.process("elder")
	}
	w.old.start(job)
	return w.old
}

// open gives the process its own connection to the catalog, once.
func (p *process) open() error {
	if p.tables != nil {
		return nil
	}
	in := p.lake
	if p.url != "" {
		real, err := p.connect(p.bucket)
		if err != nil {
			return err
		}
		in = real
	}
	p.tables = tables{p, in}
	return nil
}

func (w *world) clock() time.Time { return w.now }

var quiet = slog.New(slog.DiscardHandler)

func (p *process) attempt() string { return fmt.Sprintf("%s.%d", p.name, p.rng.Uint64()) }

// upload is what a sender keeps of one.
type upload struct {
	arrival, key string
	data         []byte
}

// upload puts an upload into landing, under <customer>/<name>, and returns its event.
func (w *world) upload(name, content string, resent bool) (event.Event, error) {
	customer, name, _ := strings.Cut(name, "/")
	w.now = w.now.Add(time.Duration(w.rng.IntN(2)) * time.Second) // several may come at the same time
	key := "landing/" + customer + "/2020-11-24/" + name
	if err := w.base.Put(w.ctx, key, []byte(content)); err != nil {
		return event.Event{}, err
	}
	o, err := w.base.Head(w.ctx, key)
	if err != nil {
		return event.Event{}, err
	}
	a := w.base.Arrival(o)
	w.sent = append(w.sent, upload{a.ID(), key, []byte(content)})
	if w.uploads[a.ID()] = content; w.patients != nil {
		w.uploads[a.ID()] = w.patients.texts[content]
	}
	return faas.NewArrival(a, resent)
}
