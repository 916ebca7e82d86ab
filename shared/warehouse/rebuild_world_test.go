package warehouse

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"medlake/shared/lake"
	"medlake/shared/store"
	"medlake/shared/store/faulty"
)

// ruin is a lake of one table whose processes die and whose catalog gets lost. Its data files hold no Parquet: what rows
// a file has is written here.
type ruin struct {
	bucket  *store.Bucket
	catalog *Warehouse // holds the catalog's database open

	mu     sync.Mutex
	schema lake.Schema
	log    []lake.DataFile
	rows   map[string][]string // by path of a data file
	random *rand.Rand
}

func newRuin(t *testing.T, seed uint64) *ruin {
	b, err := store.Open(t.Context(), "mem://")
	if err != nil {
		t.Fatal(err)
	}
	r := &ruin{bucket: b, schema: visits(t), rows: map[string][]string{}, random: rand.New(rand.NewPCG(seed, 0))}
	r.lose(t)
	if r.schema, err = r.catalog.Ensure(t.Context(), r.schema, 0); err != nil {
		t.Fatal(err)
	}
	return r
}

// lose starts with an empty catalog.
func (r *ruin) lose(t *testing.T) {
	w, err := OpenAt(t.Context(), r.bucket, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.Close() })
	r.catalog = w
}

// process is one that dies at a call of its own.
func (r *ruin) process() (*Warehouse, *faulty.Driver) {
	last := r.int(60)
	states := r.int(2) == 0 // it dies between a metadata file and the catalog
	if states {
		last = r.int(6)
	}
	fault := faulty.CrashAfter
	if !states && r.int(2) == 0 {
		fault = faulty.Crash
	}
	bad, driver := faulty.New(r.bucket, func(c faulty.Call) faulty.Fault {
		if states && (c.Op != faulty.Put || !strings.HasSuffix(c.Key, ".metadata.json")) {
			return faulty.None
		}
		if last--; last >= 0 {
			return faulty.None
		}
		return fault
	})
	return r.over(bad), driver
}

// over is a process on the same catalog that sees the bucket in its own way.
func (r *ruin) over(b *store.Bucket) *Warehouse {
	cat := newCatalog()
	cat.Catalog, cat.pointers = r.catalog.cat.Catalog, r.catalog.cat.pointers
	return over(cat, b)
}

func (r *ruin) int(n int) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.random.IntN(n)
}

// file stores a data file of some rows. It is durable before anybody names it.
func (r *ruin) file(ctx context.Context, name string, rows ...string) (lake.DataFile, error) {
	f := fakeFile(r.bucket, r.schema, "acme", 0)
	f.Path, f.Rows, f.Bytes = f.Path[:strings.LastIndexByte(f.Path, '/')+1]+name+".parquet", int64(len(rows)), 1
	key, err := r.bucket.Key(f.Path)
	if err == nil {
		err = r.bucket.Put(ctx, key, []byte("x"))
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.rows[f.Path] = rows
	return f, err
}

func (r *ruin) arrive(ctx context.Context, n int) error {
	for range n {
		name := fmt.Sprint("L", len(r.log))
		f, err := r.file(ctx, name, name)
		if err != nil {
			return err
		}
		r.log = append(r.log, f)
	}
	return nil
}

// live does what processes do until it dies.
func (r *ruin) live(ctx context.Context, w *Warehouse, d *faulty.Driver) {
	for !d.Crashed() {
		h, err := w.Batch(ctx, r.schema.Table)
		if err != nil {
			continue
		}
		switch k := r.int(10); {
		case k < 4 && h.Batch < int64(len(r.log)):
			n := h.Batch + 1 + int64(r.int(len(r.log)-int(h.Batch)))
			_ = w.Append(ctx, h, r.log[h.Batch:n], n)
		case k < 6:
			_ = r.compact(ctx, w, h)
		case k == 6:
			_ = w.Hold(ctx, r.schema.Table, h.Snapshot)
		case k == 7 && h.Snapshot != 0:
			t := h.tbl
			var drop []int64
			for _, s := range t.Metadata().Snapshots() {
				if s.SnapshotID != h.Snapshot && t.Metadata().SnapshotByName(held(s.SnapshotID)) == nil {
					drop = append(drop, s.SnapshotID)
				}
			}
			if len(drop) > 0 {
				_ = w.remove(w.files.with(ctx), t.Identifier(), t.Metadata(), drop)
			}
		case k == 8:
			want := r.schema
			want.Columns = append(slices.Clone(want.Columns), lake.Column{Name: fmt.Sprint("more", r.int(1000)), Type: lake.Type{Kind: lake.Long}})
			_, _ = w.Ensure(ctx, want, int64(len(r.log)))
		case k == 9:
			_, _ = w.RewriteManifests(ctx, h)
		}
	}
}

// compact replaces two files by one.
func (r *ruin) compact(ctx context.Context, w *Warehouse, h Head) error {
	live, err := w.Live(ctx, h, "")
	if err != nil || len(live) < 2 {
		return err
	}
	i := r.int(len(live) - 1)
	c := Change{Batch: h.Batch, Same: true}
	var rows []string
	r.mu.Lock()
	for _, f := range live[i : i+2] {
		c.Remove = append(c.Remove, f.Path)
		rows = append(rows, r.rows[f.Path]...)
	}
	r.mu.Unlock()
	f, err := r.file(ctx, fmt.Sprint("C", r.int(1<<30)), rows...)
	if err != nil {
		return err
	}
	c.Add = []lake.DataFile{f}
	return w.Apply(ctx, h, c)
}

// clean deletes what no kept snapshot names, but for data files that are still to come.
func (r *ruin) clean(ctx context.Context) error {
	keep, err := r.catalog.Reached(ctx, r.schema.Table)
	if err != nil {
		return err
	}
	h, err := r.catalog.Batch(ctx, r.schema.Table)
	if err != nil {
		return err
	}
	for _, f := range r.log[h.Batch:] {
		key, err := r.bucket.Key(f.Path)
		if err != nil {
			return err
		}
		keep[key] = 0
	}
	for o, err := range r.bucket.List(ctx, store.TablePrefix(r.schema.Table)) {
		if err != nil {
			return err
		}
		if _, ok := keep[o.Key]; !ok && !strings.HasSuffix(o.Key, ".json") && r.int(2) == 0 {
			if err := r.bucket.Delete(ctx, o.Key); err != nil {
				return err
			}
		}
	}
	return nil
}
