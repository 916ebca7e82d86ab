package ingest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"medlake/shared/datafile"
	"medlake/shared/lake"
	"medlake/shared/store"
	"medlake/shared/transform/column"
)

// writer writes the data files of one load into one table.
type writer struct {
	bucket  *store.Bucket
	target  *target
	dir     string // for temporary files
	folder  string // key of the partition's folder
	name    string // <load>-<attempt>
	limit   int64  // bytes of a file before the next one begins; 0: none
	file    lake.DataFile
	files   []lake.DataFile
	encoder *datafile.Encoder
	spool   *spool // nil between files
}

// newWriter makes the writer of a load's rows in a table. All rows of a load have one customer and one time of arrival,
// so they lie in one partition.
func (f *Ingest) newWriter(t *target, r *lake.Record, attempt string, limit int64) *writer {
	month := r.ArrivedAt.UTC().Format("2006-01")
	return &writer{
		bucket: f.cfg.Bucket, target: t, dir: f.cfg.TempDir, limit: limit,
		folder: fmt.Sprintf("%s/data/customer=%s/month=%s/", t.folder, r.Customer, month),
		name:   r.Load + "-" + attempt,
		file:   lake.DataFile{Customer: r.Customer, Month: datafile.Month(r.ArrivedAt)},
	}
}

// append adds rows to the current file, or to a new one if there is none or it is full.
func (w *writer) append(ctx context.Context, b *column.Batch) (err error) {
	if b.Rows == 0 {
		return nil
	}
	if w.spool != nil && w.limit > 0 && w.spool.size >= w.limit {
		if err := w.finish(ctx); err != nil {
			return err
		}
	}
	if w.encoder == nil {
		if w.encoder, err = w.target.encoder(); err != nil {
			return err
		}
	}
	if w.spool == nil {
		w.spool = newSpool(w.dir)
		w.encoder.Begin(w.spool)
	}
	return w.encoder.Append(b)
}

// finish stores the current file, if there is one.
func (w *writer) finish(ctx context.Context) error {
	if w.spool == nil {
		return nil
	}
	file, err := w.encoder.Finish()
	if err != nil {
		return err
	}
	key := fmt.Sprintf("%s%s-%d.parquet", w.folder, w.name, len(w.files))
	if err := w.spool.publish(ctx, w.bucket, key); err != nil {
		return err
	}
	file.Path, file.Customer, file.Month = w.bucket.URL(key), w.file.Customer, w.file.Month
	w.files = append(w.files, file)
	err = w.spool.Close()
	w.spool = nil
	return err
}

// close frees what is still held. A file that was not finished is forgotten.
func (w *writer) close() error {
	var err error
	if w.spool != nil {
		err = w.spool.Close()
	}
	if w.encoder != nil {
		w.target.encoders.Put(w.encoder)
	}
	w.spool, w.encoder = nil, nil
	return err
}

// transform reads all rows of an upload into data files and fills in the record.
func (f *Ingest) transform(ctx context.Context, plan Plan, content Content, r *lake.Record) (err error) {
	tables := plan.Tables()
	attempt := f.cfg.Attempt()
	writers := make([]*writer, len(tables), len(tables)+1)
	defer func() {
		for _, w := range writers {
			if w != nil {
				err = errors.Join(err, w.close())
			}
		}
	}()
	for i, t := range tables {
		target, err := f.targets.of(ctx, r.Metadata, t.Schema)
		if err != nil {
			return err
		}
		writers[i] = f.newWriter(target, r, attempt, t.FileSize)
	}
	out, err := content.Run(Origin{Load: r.Load, ArrivedAt: r.ArrivedAt, Flush: func(table int, b *column.Batch) error {
		return writers[table].append(ctx, b)
	}})
	if err != nil {
		return err
	}
	r.Entries, r.Unmatched, r.Warnings, r.Tables = out.Entries, out.Unmatched, out.Warnings, out.Tables
	if len(out.Rejects) > 0 {
		w, err := f.writeRejects(ctx, r, attempt, out.Rejects)
		if err != nil {
			return err
		}
		writers = append(writers, w)
		n := int64(len(out.Rejects))
		r.Tables = append(r.Tables, lake.TableFiles{Table: lake.OpsRejects, Read: n, Committed: n})
	}
	if err := f.finishAll(ctx, writers); err != nil {
		return err
	}
	for i, w := range writers {
		r.Tables[i].Schema, r.Tables[i].Files = w.target.schema.N, w.files
	}
	return nil
}

// finishAll stores the last files of all tables, several at once.
func (f *Ingest) finishAll(ctx context.Context, writers []*writer) error {
	errs := make([]error, len(writers))
	if f.cfg.Parallel == 1 { // in this goroutine, in order: a simulation can repeat it
		for i, w := range writers {
			errs[i] = w.finish(ctx)
		}
		return errors.Join(errs...)
	}
	var wait sync.WaitGroup
	places := make(chan struct{}, f.cfg.Parallel)
	for i, w := range writers {
		places <- struct{}{}
		wait.Go(func() {
			defer func() { <-places }()
			errs[i] = w.finish(ctx)
		})
	}
	wait.Wait()
	return errors.Join(errs...)
}

// writeRejects writes the coordinates of rejected rows as rows of ops.rejects.
func (f *Ingest) writeRejects(ctx context.Context, r *lake.Record, attempt string, rejects []lake.Reject) (*writer, error) {
	t, err := f.targets.of(ctx, r.Metadata, lake.RejectsSchema())
	if err != nil {
		return nil, err
	}
	w := f.newWriter(t, r, attempt, 0)
	b := column.New(t.schema.Columns)
	for _, x := range rejects {
		rejectRow(b, r, x)
	}
	if err := w.append(ctx, b); err != nil {
		return nil, errors.Join(err, w.close())
	}
	return w, nil
}

// rejectRow appends one reject, in the order of lake.RejectsSchema.
func rejectRow(b *column.Batch, r *lake.Record, x lake.Reject) {
	c := b.Columns
	c[0].AppendText([]byte(r.Customer))
	c[1].AppendText([]byte(r.Load))
	c[2].AppendInt(int64(x.Entry))
	c[3].AppendInt(x.Row)
	c[4].AppendInt(r.ArrivedAt.Truncate(time.Microsecond).UnixMicro())
	c[5].AppendText([]byte(x.Table))
	if x.Line > 0 {
		c[6].AppendInt(x.Line)
	} else {
		c[6].AppendNull()
	}
	if x.Column != "" {
		c[7].AppendText([]byte(x.Column))
	} else {
		c[7].AppendNull()
	}
	c[8].AppendText([]byte(x.Rule))
	b.EndRow()
}
