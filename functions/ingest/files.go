package ingest

import (
	"context"
	"errors"
	"fmt"

	"medlake/shared/datafile"
	"medlake/shared/lake"
	"medlake/shared/pace"
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
	writers := make([]*writer, 0, len(tables))
	defer func() {
		for _, w := range writers {
			err = errors.Join(err, w.close())
		}
	}()
	for _, t := range tables {
		target, err := f.targets.of(ctx, r.Metadata, t.Schema)
		if err != nil {
			return err
		}
		writers = append(writers, f.newWriter(target, r, attempt, t.FileSize))
	}
	out, err := content.Run(Origin{Load: r.Load, ArrivedAt: r.ArrivedAt, Flush: func(table int, b *column.Batch) error {
		return writers[table].append(ctx, b)
	}})
	if err != nil {
		return err
	}
	if len(out.Tables) != len(writers) {
		return fmt.Errorf("feed %s counts %d of %d tables", r.Feed, len(out.Tables), len(writers))
	}
	if err := f.finishAll(ctx, writers); err != nil {
		return err
	}
	r.Entries, r.Unmatched, r.Warnings = out.Entries, out.Unmatched, out.Warnings
	for i, w := range writers {
		t := out.Tables[i]
		t.Schema, t.Files = w.target.schema.N, w.files
		if t.Table != lake.OpsRejects || t.Read > 0 {
			r.Tables = append(r.Tables, t)
		}
	}
	return nil
}

// finishAll stores the last files of all tables, several at once.
func (f *Ingest) finishAll(ctx context.Context, writers []*writer) error {
	errs := make([]error, len(writers))
	pace.Each(len(writers), f.cfg.Parallel, func(i int) { errs[i] = writers[i].finish(ctx) })
	return errors.Join(errs...)
}
