package warehouse

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"medlake/shared/lake"
)

// Plan is what a reader of one table at one snapshot must read: exactly these files, columns by field id, without the rows
// that the position deletes name.
type Plan struct {
	Table    string
	Schema   lake.Schema // the table's current columns with their ids
	Snapshot int64       // id, 0 if the table is empty
	At       time.Time   // when the snapshot was committed
	Batch    int64       // the last log entry whose files are in
	Files    []File      // by path
	Deletes  []string    // URLs of position delete files that touch Files
	Hidden   int64       // positions in them: rows of Files that are deleted, or of files that are gone
}

// File is one data file of a plan.
type File struct {
	Path     string // URL
	Rows     int64  // before deletes
	Bytes    int64
	Customer string // the partition's; empty if the table has no such partition
	Deletes  bool   // position deletes touch it
}

// Rows counts the rows of all files, before deletes.
func (p Plan) Rows() int64 {
	var n int64
	for _, f := range p.Files {
		n += f.Rows
	}
	return n
}

// planKey names one state of a table, by its metadata file, and what was asked of it.
type planKey struct{ location, customer string }

// maxPlans bounds the plans kept. A plan of one state never changes.
const maxPlans = 256

// Plan lists the files of the table's newest snapshot that can hold rows of a customer; "" means all customers. It leaves
// out other customers' files, but a file of a table that is not partitioned by customer may hold rows of several: the
// reader still filters. The caller must not change the plan.
func (w *Warehouse) Plan(ctx context.Context, name, customer string) (Plan, error) {
	t, err := w.load(ctx, name)
	if err != nil {
		return Plan{}, err
	}
	n, err := batchOf(t)
	if err != nil {
		return Plan{}, err
	}
	key := planKey{t.MetadataLocation(), customer}
	if p, ok := w.kept(key); ok {
		return p, nil
	}
	p := Plan{Table: name, Batch: n}
	if p.Schema, err = current(name, t); err != nil {
		return Plan{}, err
	}
	if s := t.CurrentSnapshot(); s != nil {
		p.Snapshot = s.SnapshotID
		p.At = time.UnixMilli(s.TimestampMs).UTC()
		c, err := w.contents(ctx, t, p.Snapshot)
		if err != nil {
			return Plan{}, fmt.Errorf("plan %s: %w", name, err)
		}
		p.of(c.of(t.Schema(), customer))
	}
	w.keep(key, p)
	return p, nil
}

// of takes in the files that may hold a customer's rows.
func (p *Plan) of(files []LiveFile) {
	deletes := map[string]int64{}
	for i := range files {
		f := &files[i]
		p.Files = append(p.Files, File{Path: f.Path, Rows: f.Rows, Bytes: f.Bytes, Customer: f.Customer, Deletes: len(f.Deletes) > 0})
		for j := range f.Deletes {
			deletes[f.Deletes[j].Path] = f.Deletes[j].Rows
		}
	}
	p.Deletes = slices.Sorted(maps.Keys(deletes))
	for _, n := range deletes {
		p.Hidden += n
	}
}

func (w *Warehouse) kept(key planKey) (Plan, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	p, ok := w.plans[key]
	return p, ok
}

func (w *Warehouse) keep(key planKey, p Plan) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.plans) >= maxPlans {
		clear(w.plans)
	}
	w.plans[key] = p
}
