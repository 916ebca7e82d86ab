package maintain

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"iter"
	"slices"

	"medlake/shared/datafile"
	"medlake/shared/lake"
	"medlake/shared/pace"
	"medlake/shared/warehouse"
)

// layout is how the files of a table are read and written.
type layout struct {
	schema lake.Schema
	names  []string // of all columns
	sort   []string // columns that rows are sorted by
	key    []string // of a table that merge makes: the columns of its key
}

// layout reads the newest published schema. It has every column of files that were live before it was read: a schema is
// published before files are written by it.
func (w *work) layout(ctx context.Context, name string) (*layout, error) {
	s, err := warehouse.PublishedSchema(ctx, w.cfg.Bucket, name)
	if err != nil {
		return nil, err
	}
	t := &layout{schema: s}
	for _, c := range s.Columns {
		t.names = append(t.names, c.Name)
	}
	first := s.Sort
	current, err := w.current(ctx, name)
	if err != nil {
		return nil, err
	}
	if current {
		t.key = append([]string{lake.ColCustomer}, s.Sort...)
	}
	made, err := w.made(ctx, name)
	if err != nil {
		return nil, err
	}
	if made != "" { // a key's rows lie together, so that it is found when it is folded anew
		of, err := warehouse.PublishedSchema(ctx, w.cfg.Bucket, made)
		if err != nil {
			return nil, err
		}
		first = slices.Concat(of.Sort, s.Sort)
	}
	for _, c := range slices.Concat(first, []string{lake.ColArrivedAt, lake.ColLoad, lake.ColEntry, lake.ColRow}) {
		if slices.Contains(t.names, c) && !slices.Contains(t.sort, c) {
			t.sort = append(t.sort, c)
		}
	}
	for _, k := range t.key {
		if !slices.Contains(t.names, k) {
			return nil, fmt.Errorf("table %s has no column %s: %w", name, k, lake.ErrInvalid)
		}
	}
	return t, nil
}

// opened is a data file that is being read.
type opened struct {
	*warehouse.LiveFile
	*datafile.Reader
}

// wholeBelow is the size of files that are fetched whole, several at once: for them the way to the store is what takes time.
const wholeBelow = 4 << 20

// open yields the files in order.
func (w *work) open(ctx context.Context, t *layout, files []warehouse.LiveFile) iter.Seq2[opened, error] {
	return func(yield func(opened, error) bool) {
		for chunk := range slices.Chunk(files, w.cfg.Parallel) {
			data := make([]io.ReaderAt, len(chunk))
			errs := make([]error, len(chunk))
			pace.Each(len(chunk), w.cfg.Parallel, func(i int) { data[i], errs[i] = w.fetch(ctx, &chunk[i]) })
			for i := range chunk {
				f := opened{LiveFile: &chunk[i]}
				err := errs[i]
				if err == nil {
					f.Reader, err = datafile.OpenReader(data[i], f.Bytes, t.schema)
				}
				if !yield(f, err) || err != nil {
					return
				}
			}
		}
	}
}

func (w *work) fetch(ctx context.Context, f *warehouse.LiveFile) (io.ReaderAt, error) {
	key, err := w.cfg.Bucket.Key(f.Path)
	if err != nil {
		return nil, err
	}
	if f.Bytes >= wholeBelow {
		return w.cfg.Bucket.ReaderAt(ctx, key, f.Bytes), nil
	}
	data, err := w.cfg.Bucket.Get(ctx, key)
	if err == nil && int64(len(data)) != f.Bytes {
		err = fmt.Errorf("data file has %d of %d bytes", len(data), f.Bytes)
	}
	return bytes.NewReader(data), err
}
