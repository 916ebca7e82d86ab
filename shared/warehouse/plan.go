package warehouse

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/table"

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
		if err := p.scan(w.files.with(ctx), t, customer); err != nil {
			return Plan{}, fmt.Errorf("plan %s: %w", name, err)
		}
	}
	w.keep(key, p)
	return p, nil
}

func (p *Plan) scan(ctx context.Context, t *table.Table, customer string) error {
	opts := []table.ScanOption{table.WithSnapshotID(p.Snapshot)}
	if customer != "" {
		opts = append(opts, table.WithRowFilter(iceberg.EqualTo(iceberg.Reference(lake.ColCustomer), customer)))
	}
	tasks, err := t.Scan(opts...).PlanFiles(ctx)
	if err != nil {
		return err
	}
	field := 0
	spec := t.Spec()
	for _, f := range spec.Fields() {
		if f.Name == partitions[byCustomer].name {
			field = f.FieldID
		}
	}
	deletes := map[string]bool{}
	for _, task := range tasks {
		if len(task.EqualityDeleteFiles)+len(task.DeletionVectorFiles) > 0 {
			return fmt.Errorf("snapshot %d has equality deletes or deletion vectors, which Medlake never writes", p.Snapshot)
		}
		f := File{Path: task.File.FilePath(), Rows: task.File.Count(), Bytes: task.File.FileSizeBytes(), Deletes: len(task.DeleteFiles) > 0}
		f.Customer, _ = task.File.Partition()[field].(string)
		p.Files = append(p.Files, f)
		for _, d := range task.DeleteFiles {
			if !deletes[d.FilePath()] {
				deletes[d.FilePath()] = true
				p.Deletes = append(p.Deletes, d.FilePath())
			}
		}
	}
	slices.SortFunc(p.Files, func(a, b File) int { return cmp.Compare(a.Path, b.Path) })
	p.Files = slices.CompactFunc(p.Files, func(a, b File) bool { return a.Path == b.Path }) // a task may be part of a file
	slices.Sort(p.Deletes)
	return nil
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
