package replay_test

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"path"
	"slices"
	"strings"
	"sync"
	"testing"

	"medlake/functions/commit"
	"medlake/functions/ingest"
	"medlake/functions/replay"
	"medlake/shared/lake"
	"medlake/shared/store"
	"medlake/shared/store/journal"
	"medlake/shared/transform/column"
	"medlake/shared/warehouse"
)

var quiet = slog.New(slog.DiscardHandler)

const words = "lake.words"

// engine reads uploads of one line: a word, which becomes a row of lake.words. Its version says which words it refuses.
type engine struct {
	version string
	refuses string
}

func (e engine) Version() string { return e.version }

func (e engine) Match(name string) (ingest.Plan, error) {
	return plan{e, strings.SplitN(path.Base(name), ".", 2)[1]}, nil
}

type plan struct {
	engine
	feed string
}

func (p plan) About() ingest.About { return ingest.About{Feed: p.feed} }

func schema() lake.Schema {
	return lake.Schema{
		Format: lake.Format, Table: words, Partition: []string{"customer", "month(_arrived_at)"},
		Columns: append(lake.SystemColumns(), lake.Column{Name: "word", Type: lake.Type{Kind: lake.String}}),
	}
}

func (p plan) Tables() []ingest.Table { return []ingest.Table{{Schema: schema()}} }

func (p plan) Open(data []byte, _ []string) (ingest.Content, error) {
	if string(data) == p.refuses {
		return nil, lake.Refuse(lake.Malformed, 0)
	}
	return content(data), nil
}

type content string

func (c content) Sums() [][32]byte { return [][32]byte{sha256.Sum256([]byte(c))} }
func (c content) Close() error     { return nil }

func (c content) Run(o ingest.Origin) (ingest.Outcome, error) {
	b := column.New(schema().Columns)
	b.Columns[0].AppendText([]byte("acme"))
	b.Columns[1].AppendText([]byte(o.Load))
	b.Columns[2].AppendInt(0)
	b.Columns[3].AppendInt(1)
	b.Columns[4].AppendInt(o.ArrivedAt.UnixMicro())
	b.Columns[5].AppendText([]byte(c))
	b.EndRow()
	return ingest.Outcome{Entries: 1, Tables: []lake.TableFiles{{Table: words, Read: 1, Committed: 1}}}, o.Flush(0, b)
}

// tables is the lake's tables in memory: the files of each state, by table and snapshot.
type tables struct {
	mu     sync.Mutex
	bucket *store.Bucket
	heads  map[string]warehouse.Head
	files  map[string]map[int64][]lake.DataFile
}

func (t *tables) Tables(context.Context) ([]string, error) {
	return slices.Sorted(maps.Keys(t.heads)), nil
}

func (t *tables) Ensure(ctx context.Context, s lake.Schema, _ int64) (lake.Schema, error) {
	s.N, s.Location = 1, t.bucket.URL(store.TablePrefix(s.Table))
	s.Columns = slices.Clone(s.Columns)
	for i := range s.Columns {
		s.Columns[i].ID = i + 1
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if _, ok := t.heads[s.Table]; !ok {
		t.heads[s.Table], t.files[s.Table] = warehouse.Head{Table: s.Table}, map[int64][]lake.DataFile{}
	}
	data, err := json.Marshal(s)
	if err != nil {
		return s, err
	}
	return s, t.bucket.Put(ctx, store.SchemaKey(s.Table, 1), data)
}

func (t *tables) Batch(_ context.Context, name string) (warehouse.Head, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.heads[name], nil
}

// loadOf is the load of a data file.
func loadOf(f lake.DataFile) string { return strings.SplitN(path.Base(f.Path), "-", 2)[0] }

func (t *tables) RowsOf(_ context.Context, h warehouse.Head, loads []string) (remove []string, _ []lake.DataFile, _ error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, f := range t.files[h.Table][h.Snapshot] {
		if slices.Contains(loads, loadOf(f)) {
			remove = append(remove, f.Path)
		}
	}
	return remove, nil, nil
}

func (t *tables) Apply(ctx context.Context, h warehouse.Head, c warehouse.Change) error {
	return t.Restore(ctx, h, h.Snapshot, c)
}

func (t *tables) Restore(_ context.Context, h warehouse.Head, snapshot int64, c warehouse.Change) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.heads[h.Table]
	if now.Snapshot != h.Snapshot {
		return lake.ErrConflict
	}
	files := slices.DeleteFunc(slices.Clone(t.files[h.Table][snapshot]), func(f lake.DataFile) bool { return slices.Contains(c.Remove, f.Path) })
	now.Snapshot, now.Batch = now.Snapshot+1, c.Batch
	t.heads[h.Table], t.files[h.Table][now.Snapshot] = now, append(files, c.Add...)
	return nil
}

// loads are the loads in a table, with how often each is there.
func (t *tables) loads(name string) map[string]int {
	n := map[string]int{}
	for _, f := range t.files[name][t.heads[name].Snapshot] {
		n[loadOf(f)]++
	}
	return n
}

// world is a lake with uploads.
type world struct {
	t      *testing.T
	bucket *store.Bucket
	tables *tables
	lives  map[string]lake.Arrival // by name
}

func open(t *testing.T) *world {
	t.Helper()
	b, err := store.Open(t.Context(), "mem://")
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t, b, &tables{bucket: b, heads: map[string]warehouse.Head{}, files: map[string]map[int64][]lake.DataFile{}}, map[string]lake.Arrival{}}
	w.commit()
	return w
}

func (w *world) ingest(b *store.Bucket, e engine) *ingest.Ingest {
	w.t.Helper()
	f, err := ingest.New(ingest.Config{Bucket: b, Engine: e, Parallel: 1, Log: quiet})
	if err != nil {
		w.t.Fatal(err)
	}
	return f
}

// arrive uploads a word as <customer>/<name>.<feed> and processes it.
func (w *world) arrive(e engine, name, word string) {
	w.t.Helper()
	key := fmt.Sprintf("landing/%s/2026-11-24/%s@x", path.Dir(name), path.Base(name))
	o, err := w.bucket.Upload(w.t.Context(), key, strings.NewReader(word))
	if err != nil {
		w.t.Fatal(err)
	}
	w.lives[name] = w.bucket.Arrival(o)
	if _, err := w.ingest(w.bucket, e).Process(w.t.Context(), w.lives[name], false); err != nil {
		w.t.Fatal(err)
	}
}

// round is one round of commit over a bucket.
func (w *world) round(b *store.Bucket) error {
	c, err := commit.New(commit.Config{Bucket: b, Tables: w.tables, Log: quiet, Parallel: 1, Tries: 1})
	if err == nil {
		err = c.Ensure(w.t.Context(), schema())
	}
	if err == nil {
		_, err = c.Round(w.t.Context())
	}
	return err
}

func (w *world) commit() {
	w.t.Helper()
	if err := w.round(w.bucket); err != nil {
		w.t.Fatal(err)
	}
}

// two takes in two uploads, each in an entry of its own.
func (w *world) two() {
	w.t.Helper()
	w.arrive(before, "acme/1.a", "one")
	w.commit()
	w.arrive(before, "acme/2.a", "two")
	w.commit()
}

func (w *world) replayer(b *store.Bucket, e engine) *replay.Replayer {
	w.t.Helper()
	r, err := replay.New(replay.Config{
		Journal: journal.New(b), Metadata: e.version, Derive: w.ingest(b, e).Derive, Parallel: 1, Hold: 2, Log: quiet,
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return r
}

// history is what the log says of one upload: its receipts, as "epoch status", and its last load.
type history struct {
	receipts []string
	load     string
}

// read reads the log, by the name of the upload.
func (w *world) read() map[string]history {
	w.t.Helper()
	j := journal.New(w.bucket)
	tail, err := j.Tail(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	names := map[string]string{}
	for name, a := range w.lives {
		names[a.ID()] = name
	}
	all := map[string]history{}
	for n := int64(1); n <= tail; n++ {
		e, err := j.Entry(w.t.Context(), n)
		if err != nil {
			w.t.Fatal(err)
		}
		for _, r := range e.Receipts {
			h := all[names[r.ID]]
			h.receipts = append(h.receipts, fmt.Sprintf("%d %s", r.Epoch, r.Status))
			if r.Status == lake.Loaded {
				h.load = r.Load
			}
			all[names[r.ID]] = h
		}
	}
	return all
}

func (w *world) load(name string) string { w.t.Helper(); return w.read()[name].load }
