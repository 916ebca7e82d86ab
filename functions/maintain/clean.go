package maintain

import (
	"context"
	"errors"
	"strings"
	"time"

	"medlake/shared/lake"
	"medlake/shared/pace"
	"medlake/shared/store"
	"medlake/shared/warehouse"
)

// Deletion by proof. An object below a table's folder that no kept state names may still be on its way into the table, so
// it goes only if it is proved that nobody can name it any more. Below, "named" means by Referenced, which is read after
// all that a proof compares with; when the listing comes does not matter.
//
// A data file of load L is named by the one record loads/<L>, which never changes, or never at all. So if the record is
// there and does not list it, it is a loser's and goes. If the record lists it, only the log entry that takes L in lets
// anybody use it; let that be entry j, which there is but one of.
//   - A commit adds it to a table whose number is below j, in a transaction that is pinned to such a state. If the table's
//     number, read before Referenced, is at least j, then a commit that has added it was done before and shows in
//     Referenced unless the file has left the kept states again, and one that is still under way fails by its pin.
//   - A merge reads it while the number of the table that it makes is below j. One that read that number before it was j
//     or more fails by its pin, and with the file gone already it fails earlier.
//   - A restore to a kept state with a number below j adds it again. So j must not be above the number of the oldest state
//     that can be restored. That number only rises: a state that is no longer kept never is again, and one that waits for
//     its restore is kept till then. If that state is the table's first, a restore to the empty table adds all loads.
//
// All other objects (by commit to ops.loads, merge, compaction and restore, delete files, Iceberg's metadata, and data
// files without a record) are named in a transaction whose writer pinned a state before it wrote them, or within pinFor
// after. They go when they are older than Foreign and the table's newest state is younger than they are by settled: then
// it is not the state they were pinned to, and no transaction that names them can take effect. Ages are the store's;
// settled is far longer than clocks differ. What is left over in a table that does not change stays, and does not grow.
//
// A reader may still be reading what only an expired state names. A file in a table for more than an hour is named by the
// state that is kept for that hour, for two days after. So a file that leaves at once, and whose states expire at once, is
// younger than an hour then, and Grace leaves its readers the rest.
const settled = 24 * time.Hour

// page is how many objects are judged at once.
const page = 1000

// judge knows what the objects of one table are compared with.
type judge struct {
	*work
	schema lake.Schema // of a purge: the table's
	limit  int64       // winners' files of entries up to here may go
	oldest time.Time   // of the state that limits it
	newest time.Time   // state of the table
	named  map[string]bool
}

// clean deletes what is left over in a table's folder.
func (w *work) clean(ctx context.Context, t *Table) error {
	j, err := w.judge(ctx, t.Table)
	if err != nil {
		return err
	}
	var errs []error
	var objects []store.Object
	flush := func() error {
		gone, err := j.condemned(ctx, objects)
		if err != nil {
			return err
		}
		errs = append(errs, w.delete(ctx, gone, &t.Deleted))
		objects = objects[:0]
		return nil
	}
	prefix := store.TablePrefix(t.Table)
	for o, err := range w.cfg.Bucket.List(ctx, prefix) {
		if err != nil {
			return errors.Join(append(errs, err)...)
		}
		ours := strings.HasPrefix(o.Key, prefix+"data/") || strings.HasPrefix(o.Key, prefix+"metadata/")
		if !ours || j.named[o.Key] || w.erase == nil && w.now.Sub(o.ModTime) < w.cfg.Grace {
			continue
		}
		if objects = append(objects, o); len(objects) < page {
			continue
		}
		if err := flush(); err != nil {
			return errors.Join(append(errs, err)...)
		}
		if w.over(ctx) {
			return errors.Join(errs...)
		}
	}
	return errors.Join(append(errs, flush())...)
}

// judge reads what the proofs need, Referenced last.
func (w *work) judge(ctx context.Context, name string) (*judge, error) {
	j := &judge{work: w}
	if w.erase != nil {
		var err error
		if j.schema, err = warehouse.PublishedSchema(ctx, w.cfg.Bucket, name); err != nil {
			return nil, err
		}
	}
	kept, err := w.cfg.Tables.Snapshots(ctx, name)
	if err != nil {
		return nil, err
	}
	head, err := w.cfg.Tables.Batch(ctx, name)
	if err != nil {
		return nil, err
	}
	j.limit = head.Batch
	made, err := w.made(ctx, name)
	if err != nil {
		return nil, err
	}
	if made != "" {
		h, err := w.cfg.Tables.Batch(ctx, made)
		if err != nil {
			return nil, err
		}
		j.limit = min(j.limit, h.Batch)
	}
	for i := range kept {
		j.newest = kept[i].At
	}
	first := oldest(kept)
	if first.First {
		first.Batch = 0
	}
	j.limit, j.oldest = min(j.limit, first.Batch), first.At
	j.named, err = w.cfg.Tables.Referenced(ctx, name)
	return j, err
}

// oldest is the oldest state that can be restored; the zero one if there is none.
func oldest(kept []warehouse.Snapshot) warehouse.Snapshot {
	for _, s := range kept {
		if !s.Month {
			return s
		}
	}
	return warehouse.Snapshot{}
}

// delete deletes objects, or only counts them.
func (w *work) delete(ctx context.Context, objects []store.Object, d *Deleted) error {
	errs := make([]error, len(objects))
	if !w.Dry {
		pace.Each(len(objects), w.cfg.Parallel, func(i int) { errs[i] = w.cfg.Bucket.Delete(ctx, objects[i].Key) })
	}
	for i, o := range objects {
		if errs[i] == nil {
			d.Files++
			d.Bytes += o.Size
		}
	}
	return errors.Join(errs...)
}
