package maintain

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"medlake/shared/datafile"
	"medlake/shared/lake"
	"medlake/shared/store"
	"medlake/shared/transform/column"
	"medlake/shared/warehouse"
)

// health writes ops.health.
type health struct {
	bucket  *store.Bucket
	attempt func() string
	schema  lake.Schema
	encoder *datafile.Encoder
}

func (h *health) use(published lake.Schema) (err error) {
	h.schema = published
	h.encoder, err = datafile.NewEncoder(published)
	return err
}

// measure replaces the rows of ops.health. Each try writes a file of its own, once it has pinned the table: see clean.
func (w *work) measure(ctx context.Context, tables []Table) error {
	if w.health.encoder == nil {
		return errors.New("ops.health: its schema is not known: Ensure must come first")
	}
	tail, err := w.cfg.Journal.Tail(ctx)
	if err != nil {
		return err
	}
	for try := 1; ; try++ {
		if err = w.replace(ctx, tables, tail); err == nil || try >= w.cfg.Tries || ctx.Err() != nil {
			return err
		}
	}
}

func (w *work) replace(ctx context.Context, tables []Table, tail int64) error {
	head, files, err := w.live(ctx, lake.OpsHealth)
	if err != nil {
		return err
	}
	before, err := w.compactions(ctx, files)
	if err != nil {
		return err
	}
	for _, t := range tables {
		if t.Compacted > 0 {
			before[t.Table] = w.now.UnixMicro()
		}
	}
	b := column.New(w.health.schema.Columns)
	for _, name := range w.names {
		if err := w.row(ctx, b, name, tail, before); err != nil {
			return fmt.Errorf("measure %s: %w", name, err)
		}
	}
	f, err := w.health.write(ctx, b)
	if err != nil {
		return err
	}
	c := warehouse.Change{Add: []lake.DataFile{f}, Batch: head.Batch}
	for i := range files {
		c.Remove = append(c.Remove, files[i].Path)
	}
	return w.cfg.Tables.Apply(ctx, head, c)
}

// live pins a table and lists its files.
func (w *work) live(ctx context.Context, name string) (warehouse.Head, []warehouse.LiveFile, error) {
	head, err := w.cfg.Tables.Batch(ctx, name)
	if err != nil {
		return head, nil, err
	}
	files, err := w.cfg.Tables.Live(ctx, head, "")
	return head, files, err
}

// compactions reads from files of ops.health when each table was compacted, in microseconds.
func (w *work) compactions(ctx context.Context, files []warehouse.LiveFile) (map[string]int64, error) {
	names := []string{"table_name", "last_compaction"}
	b := column.New([]lake.Column{{Name: names[0], Type: lake.Type{Kind: lake.String}}, {Name: names[1], Type: lake.Type{Kind: lake.Timestamp}}})
	for f, err := range w.open(ctx, &layout{schema: w.health.schema}, files) {
		if err != nil {
			return nil, err
		}
		for g := range f.Groups() {
			if err := f.Read(g, names, b); err != nil {
				return nil, err
			}
		}
	}
	at := map[string]int64{}
	numbers := places(&b.Columns[1], nil)
	for row, i := range numbers {
		if i >= 0 {
			at[string(b.Columns[0].Text(row))] = b.Columns[1].Ints[i]
		}
	}
	return at, nil
}

// row adds the row of a table.
func (w *work) row(ctx context.Context, b *column.Batch, name string, tail int64, compacted map[string]int64) error {
	head, files, err := w.live(ctx, name)
	if err != nil {
		return err
	}
	kept, err := w.cfg.Tables.Snapshots(ctx, name)
	if err != nil {
		return err
	}
	var small, rows, deleted, size int64
	deletes := map[string]bool{}
	for i := range files {
		rows += files[i].Rows
		size += files[i].Bytes
		if files[i].Bytes < w.smallBelow() {
			small++
		}
		for _, d := range files[i].Deletes {
			if !deletes[d.Path] {
				deletes[d.Path] = true
				deleted += d.Rows
				size += d.Bytes
			}
		}
	}
	long := map[string]int64{
		"files": int64(len(files)), "small_files": small, "rows": rows, "delete_files": int64(len(deletes)), "bytes": size,
		"snapshots": int64(len(kept)), "batch": head.Batch, "log_tail": tail, "measured_at": w.now.UnixMicro(),
	}
	if at, ok := compacted[name]; ok {
		long["last_compaction"] = at
	}
	for i := range b.Columns {
		c := &b.Columns[i]
		switch n, ok := long[c.Name]; {
		case c.Name == "table_name":
			c.AppendString(name)
		case c.Name == "deleted_share":
			c.AppendFloat(min(1, float64(deleted)/float64(max(rows, 1))))
		case ok:
			c.AppendInt(n)
		default:
			c.AppendNull()
		}
	}
	b.EndRow()
	return nil
}

func (h *health) write(ctx context.Context, b *column.Batch) (lake.DataFile, error) {
	var data bytes.Buffer
	h.encoder.Begin(&data)
	if err := h.encoder.Append(b); err != nil {
		return lake.DataFile{}, err
	}
	f, err := h.encoder.Finish()
	if err != nil {
		return lake.DataFile{}, err
	}
	key := store.TablePrefix(lake.OpsHealth) + "data/health-" + h.attempt() + ".parquet"
	f.Path = h.bucket.URL(key)
	return f, h.bucket.Put(ctx, key, data.Bytes())
}
