package sim

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"gocloud.dev/blob/driver"
	"gocloud.dev/gcerrors"

	"medlake/functions/backup"
	"medlake/functions/erase"
	"medlake/shared/lake"
	"medlake/shared/store"
	"medlake/shared/store/faulty"
	"medlake/shared/store/journal"
	"medlake/shared/warehouse"
)

// variant is one broken promise: of the store, of the catalog, or of a step of the protocol. The oracle must see it, or
// else it proves nothing when it sees nothing.
type variant struct {
	name     string
	store    func(p *process, d *faulty.Driver) driver.Bucket
	rule     func(t *table, h warehouse.Head, c warehouse.Change, do func(*version) error) error // see catalog
	change   func(w *world, h warehouse.Head, c *warehouse.Change) error                         // alters what is applied
	live     func(h warehouse.Head, files []warehouse.LiveFile) []warehouse.LiveFile             // alters what is read
	keepsOld bool                                                                                // rows of replaced loads are not found
	anyFold  bool                                                                                // a table seems folded by whoever asks
	forgets  bool                                                                                // snapshots are not held for a restore
	ahead    time.Duration                                                                       // is the clock of who maintains
	kept     func(states []warehouse.Snapshot)                                                   // alters which states a deleter takes for kept
	more     more

	real    bool                                    // its worlds have Iceberg tables
	clinic  bool                                    // a patient is erased in them
	copying func(w *world, c *backup.Config) error  // is done before a backup
	order   func(write) int                         // in which the writes of a backup come, which may stop anywhere
	rebuilt func(w *world) *store.Bucket            // as a rebuild sees the bucket
	erasing func(p *process, c *erase.Config) error // alters an erasure
}

var variants = slices.Concat(catalogVariants, recoverVariants, eraseVariants, []variant{
	{name: "records are overwritten", store: overwriting("loads/")},
	{name: "log entries are overwritten", store: overwriting("log/")},
	{name: "arrival bases are overwritten", store: overwriting("arrivals/")},
	{name: "every claimer of a log entry thinks it won", store: winning("log/")},
	{name: "bases are read when pending is written", store: pendingWith(func(w *world, p *lake.Pending) {
		if n, err := journal.New(w.base).Tail(w.ctx); err == nil {
			p.Base, p.Record.Base = n, n
		}
	})},
	{name: "the log is not searched", store: pendingWith(func(_ *world, p *lake.Pending) {
		p.Base, p.Record.Base = 1<<40, 1<<40
	})},
	{name: "the log is not searched for arrivals", store: pendingWith(func(_ *world, p *lake.Pending) { p.Base = 1 << 40 })},
	{name: "the log is not searched for loads", store: pendingWith(func(_ *world, p *lake.Pending) { p.Record.Base = 1 << 40 })},
	{name: "the hint runs ahead", store: writing(func(_ *world, key string, data []byte) []byte {
		if key != store.HintKey() {
			return data
		}
		var h struct {
			Format int   `json:"format"`
			N      int64 `json:"n"`
		}
		if json.Unmarshal(data, &h) != nil {
			return data
		}
		h.N++
		data, _ = json.Marshal(h)
		return data
	})},
	{name: "data files are lost after they were acknowledged", store: losing("/data/")},
	{name: "pending is not deleted", store: keeping(store.PendingPrefix)},
	{name: "the sweep sees nothing", store: blind(store.LandingPrefix)},
})

// options are those of a variant's worlds, one of which may erase a patient, or have a catalog in a folder.
func (v *variant) options(seed uint64, erased kind, folder string) options {
	o := options{chance: []float64{0.05, 0.01}[seed%2], busy: v.store == nil, more: v.more, broken: v}
	if v.clinic {
		o.kind = &erased
	}
	if v.real {
		o.catalog, o.chance = fmt.Sprintf("sqlite://%s/%d.db", folder, seed), 0.001*float64(seed%3)
	}
	return o
}

// TestBrokenVariantsAreCaught: each is caught within some seeds.
func TestBrokenVariantsAreCaught(t *testing.T) {
	t.Parallel()
	erased := clinic(t)
	for i := range variants {
		v := &variants[i]
		t.Run(v.name, func(t *testing.T) {
			t.Parallel()
			folder := t.TempDir()
			of := seeds(t, 400)
			for seed := of.from; seed < of.to; seed++ {
				_, bad, err := simulate(t.Context(), seed, v.options(seed, erased, folder))
				if err != nil {
					t.Fatal(err)
				}
				if bad != "" {
					t.Logf("seed %d: %s", seed, bad)
					return
				}
			}
			t.Error("not caught")
		})
	}
}

// TestHarmlessVariantsDoNoHarm: what a proof does not rely on may be wrong.
func TestHarmlessVariantsDoNoHarm(t *testing.T) {
	t.Parallel()
	erased := clinic(t)
	for i := range harmless {
		v := &harmless[i]
		t.Run(v.name, func(t *testing.T) {
			t.Parallel()
			folder, n := t.TempDir(), uint64(memorySeeds/10)
			if v.real {
				n = realSeeds
			}
			each(t, seeds(t, n), func(seed uint64) { run(t, seed, v.options(seed, erased, folder)) })
		})
	}
}

// broken is a store with one promise broken.
type brokenStore struct {
	*faulty.Driver
	p        *process
	absent   func(key string) bool             // whether put-if-absent is kept
	conflict func(key string) bool             // whether a conflict is told
	change   func(key string, d []byte) []byte // of what is written; nil is lost
	remove   func(key string) bool
	list     func(prefix string) bool
}

func yes(string) bool { return true }

func sound(p *process, d *faulty.Driver) *brokenStore {
	return &brokenStore{
		Driver: d, p: p, absent: yes, conflict: yes, remove: yes, list: yes,
		change: func(_ string, d []byte) []byte { return d },
	}
}

func not(part string) func(string) bool {
	return func(key string) bool { return !strings.Contains(key, part) }
}

func overwriting(part string) func(*process, *faulty.Driver) driver.Bucket {
	return func(p *process, d *faulty.Driver) driver.Bucket { s := sound(p, d); s.absent = not(part); return s }
}

func winning(part string) func(*process, *faulty.Driver) driver.Bucket {
	return func(p *process, d *faulty.Driver) driver.Bucket { s := sound(p, d); s.conflict = not(part); return s }
}

func keeping(part string) func(*process, *faulty.Driver) driver.Bucket {
	return func(p *process, d *faulty.Driver) driver.Bucket { s := sound(p, d); s.remove = not(part); return s }
}

func blind(part string) func(*process, *faulty.Driver) driver.Bucket {
	return func(p *process, d *faulty.Driver) driver.Bucket { s := sound(p, d); s.list = not(part); return s }
}

func losing(part string) func(*process, *faulty.Driver) driver.Bucket {
	return writing(func(w *world, key string, data []byte) []byte {
		if strings.Contains(key, part) && w.rng.IntN(20) == 0 {
			return nil
		}
		return data
	})
}

func writing(change func(w *world, key string, data []byte) []byte) func(*process, *faulty.Driver) driver.Bucket {
	return func(p *process, d *faulty.Driver) driver.Bucket {
		s := sound(p, d)
		s.change = func(key string, data []byte) []byte { return change(p.world, key, data) }
		return s
	}
}

func pendingWith(change func(*world, *lake.Pending)) func(*process, *faulty.Driver) driver.Bucket {
	return writing(func(w *world, key string, data []byte) []byte {
		var p lake.Pending
		if !strings.HasPrefix(key, store.PendingPrefix) || json.Unmarshal(data, &p) != nil {
			return data
		}
		change(w, &p)
		data, _ = json.Marshal(p)
		return data
	})
}

func (s *brokenStore) Delete(ctx context.Context, key string, o *driver.DeleteOptions) error {
	if !s.remove(key) {
		return nil
	}
	return s.Driver.Delete(ctx, key, o)
}

func (s *brokenStore) ListPaged(ctx context.Context, o *driver.ListOptions) (*driver.ListPage, error) {
	if !s.list(o.Prefix) {
		return &driver.ListPage{}, nil
	}
	return s.Driver.ListPaged(ctx, o)
}

func (s *brokenStore) NewTypedWriter(ctx context.Context, key, contentType string, o *driver.WriterOptions) (driver.Writer, error) {
	opts := *o
	opts.IfNotExist = o.IfNotExist && s.absent(key)
	return &brokenWriter{s: s, open: func() (driver.Writer, error) {
		return s.Driver.NewTypedWriter(ctx, key, contentType, &opts)
	}, key: key}, nil
}

type brokenWriter struct {
	bytes.Buffer
	s    *brokenStore
	open func() (driver.Writer, error)
	key  string
}

func (w *brokenWriter) Close() error {
	data := w.s.change(w.key, w.Bytes())
	if data == nil {
		return nil
	}
	out, err := w.open()
	if err != nil {
		return err
	}
	if _, err := io.Copy(out, bytes.NewReader(data)); err != nil {
		return fmt.Errorf("write: %w", err)
	}
	err = out.Close()
	if w.s.ErrorCode(err) == gcerrors.FailedPrecondition && !w.s.conflict(w.key) {
		return nil
	}
	return err
}
