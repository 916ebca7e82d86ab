// Package backup keeps a copy of a lake in a second bucket: incremental, usable at whatever moment a run stops, and
// counted only once the copy was opened with an empty catalog and every row of every table compared. It copies objects
// under their own keys, so the copy is brought back by copying it to an empty bucket that has the lake's URL and rebuilding
// the catalog. It does not encrypt: that is the bucket's.
//
// What is on its way (pending/, attempts/) is left out: it follows from landing/ and loads/, which are there.
package backup

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"medlake/shared/lake"
	"medlake/shared/store"
	"medlake/shared/store/journal"
	"medlake/shared/warehouse"
)

// prefix is where the copy says what it is, beside the copied objects.
const prefix = "backups/"

// Config is what a backup works with. Source, Tables and Target must be set; other zero fields take the defaults.
type Config struct {
	Source *store.Bucket
	Tables *warehouse.Warehouse // the source's
	Target *store.Bucket
	// Grace is how long an object stays in the copy that is no longer in the source, and so how long a backup is good for:
	// what was erased is gone from the copy after it. 0 deletes at once.
	Grace    time.Duration
	Parallel int              // objects copied at once; default 8
	Now      func() time.Time // default time.Now
	Log      *slog.Logger
}

// Backup makes backups. One run at a time may use a target.
type Backup struct{ cfg Config }

// run is a run.
type run struct {
	cfg  Config
	mu   sync.Mutex
	done Done
}

// Done is what one run did.
type Done struct {
	Contents
	Key     string // of the object in the target that describes the backup; empty unless it was verified
	Copied  int    // objects
	Bytes   int64
	Deleted int // objects that were gone from the source for longer than the grace
	Waiting int // objects that are gone but still within it
	Lost    int // files that older snapshots name and neither the lake nor the copy has
}

// Contents is object backups/<time>: a state of the whole lake that the copy holds.
type Contents struct {
	Format int       `json:"format"`
	At     time.Time `json:"at"`
	URL    string    `json:"url"`  // of the lake's bucket, by which its files name each other
	Tail   int64     `json:"tail"` // the log is there up to this entry at least
	Tables []Table   `json:"tables"`
}

// Table is the state of one table. Rows and Hash are those of its newest snapshot, without deleted rows.
type Table struct {
	Table    string `json:"table"`
	Metadata string `json:"metadata"` // key of the metadata file
	Batch    int64  `json:"batch"`
	Rows     int64  `json:"rows"`
	Hash     string `json:"hash"` // of all values of all rows, whatever their order
}

// New makes a backup.
func New(cfg Config) (*Backup, error) {
	if cfg.Source == nil || cfg.Tables == nil || cfg.Target == nil {
		return nil, errors.New("backup: source, tables and target must be set")
	}
	if cfg.Parallel == 0 {
		cfg.Parallel = 8
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Log == nil {
		cfg.Log = slog.Default()
	}
	return &Backup{cfg: cfg}, nil
}

// rounds bounds how often a run starts over because maintenance has moved files under it.
const rounds = 5

// Run brings the copy up to date and proves it: the tables are read from the source and from the copy, at the same
// snapshots, and compared. It may be stopped anywhere and run again. A target that holds more of the log than the source
// is the copy of another lake, or the source has lost something: lake.ErrConflict, and nothing is done.
func (b *Backup) Run(ctx context.Context) (Done, error) {
	r := &run{cfg: b.cfg}
	err := r.run(ctx)
	if err != nil {
		err = fmt.Errorf("backup: %w", err)
	}
	return r.done, err
}

func (b *run) run(ctx context.Context) error {
	start := b.cfg.Now().UTC()
	if err := b.guard(ctx); err != nil {
		return err
	}
	s, err := b.round(ctx)
	for n := 1; n < rounds && errors.Is(err, errMoved); n++ {
		s, err = b.round(ctx)
	}
	if err != nil {
		return err
	}
	b.done.Contents = Contents{Format: lake.Format, At: start, URL: b.cfg.Source.URL(""), Tail: s.tail, Tables: s.found}
	data, err := json.Marshal(b.done.Contents)
	if err != nil {
		return err
	}
	key := prefix + start.Format(stamp)
	if err := b.cfg.Target.Put(ctx, key, data); err != nil {
		return err
	}
	b.done.Key = key
	if err := b.forget(ctx, start, s); err != nil {
		return fmt.Errorf("delete what the lake has no more: %w", err)
	}
	b.cfg.Log.InfoContext(ctx, "backed up", "tail", s.tail, "tables", len(s.found), "copied", b.done.Copied, "bytes", b.done.Bytes)
	return nil
}

// stamp spells the time of a backup in its key.
const stamp = "20060102T150405.000Z"

// guard refuses a source that has less than its last backup: the copy may be all there is.
func (b *run) guard(ctx context.Context) error {
	if err := b.cfg.Tables.Whole(ctx); err != nil {
		return err
	}
	last, err := newest(ctx, b.cfg.Target)
	if errors.Is(err, lake.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	tail, err := journal.New(b.cfg.Source).Tail(ctx)
	if err != nil {
		return err
	}
	if tail < last.Tail {
		return fmt.Errorf("the lake's log ends at %d, its last backup's at %d: bring the backup back, or use an empty bucket: %w", tail, last.Tail, lake.ErrConflict)
	}
	return nil
}

// newest is the newest verified backup in a bucket; lake.ErrNotFound if there is none.
func newest(ctx context.Context, target *store.Bucket) (Contents, error) {
	var c Contents
	key := ""
	for o, err := range target.List(ctx, prefix) {
		if err != nil {
			return c, err
		}
		if o.Key != goneKey {
			key = o.Key
		}
	}
	if key == "" {
		return c, fmt.Errorf("no backup: %w", lake.ErrNotFound)
	}
	data, err := target.Get(ctx, key)
	if err != nil {
		return c, err
	}
	if err := json.Unmarshal(data, &c); err != nil || c.Format != lake.Format {
		return c, fmt.Errorf("the description of the newest backup cannot be read: %w", lake.ErrInvalid)
	}
	return c, nil
}
