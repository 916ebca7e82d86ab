package maintain

import (
	"bytes"
	"cmp"
	"context"
	"io"
	"path"
	"slices"

	"medlake/shared/datafile"
	"medlake/shared/lake"
	"medlake/shared/transform/column"
)

// groupRows is how many rows make a row group.
const groupRows = 1 << 17

// output is the new file of a group. Rows are gathered, and written sorted whenever they fill the memory given: each such
// run makes row groups of its own, so that a file is never whole in memory but as it is stored.
type output struct {
	work    *work
	layout  *layout
	encoder *datafile.Encoder
	key     string // of the object, without its suffix
	group   *Group

	run     *column.Batch // rows read
	keep    []int32       // which of them are to be written
	ghost   []bool        // by row of run, as far as it goes: written to be hidden
	out     *column.Batch
	data    spool
	written int64
	hide    []datafile.Position
	where   map[string][]int32 // see result
	from    []source           // of run
}

// source is where rows from one on of a run come from.
type source struct {
	first int32
	where []int32 // of the file, from the row on that first is
}

func (w *work) newOutput(t *layout, g *Group) (*output, error) {
	e, err := datafile.NewEncoder(t.schema)
	if err != nil {
		return nil, err
	}
	first, err := w.cfg.Bucket.Key(g.Files[0].Path)
	if err != nil {
		return nil, err
	}
	o := &output{
		work: w, layout: t, encoder: e, group: g, where: map[string][]int32{},
		key: path.Dir(first) + "/" + prefix + w.cfg.Attempt(),
		run: column.New(t.schema.Columns), out: column.New(t.schema.Columns),
	}
	e.Begin(&o.data)
	return o, nil
}

// take takes in the rows of a file that are not hidden, and of those that are the ghosts. Both are in rising order.
func (o *output) take(f opened, hidden, ghosts []int64) error {
	where := make([]int32, f.Rows())
	for i := range where {
		where[i] = -1
	}
	o.where[f.Path] = where
	next := int64(0)
	for g := range f.Groups() {
		first := next
		next += f.GroupRows(g)
		hidden, ghosts := between(hidden, first, next), between(ghosts, first, next)
		if int64(len(hidden)) == next-first && len(ghosts) == 0 {
			continue
		}
		base := int32(o.run.Rows)
		o.from = append(o.from, source{base, where[first:next]})
		if err := f.Read(g, o.layout.names, o.run); err != nil {
			return err
		}
		for row := first; row < next; row++ {
			at := base + int32(row-first)
			if len(hidden) > 0 && hidden[0] == row {
				hidden = hidden[1:]
				if len(ghosts) == 0 || ghosts[0] != row {
					continue
				}
				ghosts = ghosts[1:]
				o.ghost = append(o.ghost, make([]bool, o.run.Rows-len(o.ghost))...)
				o.ghost[at] = true
			}
			o.keep = append(o.keep, at)
		}
		if size(o.run) >= o.work.cfg.Memory {
			if err := o.flush(); err != nil {
				return err
			}
		}
	}
	return nil
}

// between is the part of a sorted list that lies in [from, to).
func between(list []int64, from, to int64) []int64 {
	i, _ := slices.BinarySearch(list, from)
	j, _ := slices.BinarySearch(list, to)
	return list[i:j]
}

// flush writes the rows gathered so far.
func (o *output) flush() error {
	arrange(o.keep, o.run, o.layout.sort)
	var places []int32
	for rows := range slices.Chunk(o.keep, groupRows) {
		o.out.Reset()
		for i := range o.run.Columns {
			if c := &o.run.Columns[i]; o.work.erase.names(o.layout.schema.Table, c.Name) {
				places = o.work.erase.scrub(&o.out.Columns[i], o.run, rows, places)
			} else {
				places = gather(&o.out.Columns[i], c, rows, places)
			}
		}
		o.out.Rows = len(rows)
		for i, row := range rows {
			to := o.written + int64(i)
			if int(row) < len(o.ghost) && o.ghost[row] {
				o.hide = append(o.hide, datafile.Position{Path: o.work.cfg.Bucket.URL(o.key + ".parquet"), Row: to})
				continue
			}
			at, exact := slices.BinarySearchFunc(o.from, row, func(s source, row int32) int { return cmp.Compare(s.first, row) })
			if !exact {
				at--
			}
			o.from[at].where[row-o.from[at].first] = int32(to)
		}
		if err := o.encoder.Append(o.out); err != nil {
			return err
		}
		o.written += int64(len(rows))
	}
	o.run.Reset()
	o.keep, o.ghost, o.from = o.keep[:0], o.ghost[:0], o.from[:0]
	return nil
}

// finish stores the file, and a delete file for the rows in it that are hidden. A file without rows is none.
func (o *output) finish(ctx context.Context) (add, deletes []lake.DataFile, err error) {
	if err := o.flush(); err != nil || o.written == 0 {
		return nil, nil, err
	}
	o.run, o.out = nil, nil
	f, err := o.encoder.Finish()
	if err != nil {
		return nil, nil, err
	}
	if f, err = o.work.upload(ctx, o.key+".parquet", &o.data, f, o.group); err != nil || len(o.hide) == 0 {
		return []lake.DataFile{f}, nil, err
	}
	var data spool
	d, err := datafile.WriteDeletes(&data, o.hide)
	if err != nil {
		return nil, nil, err
	}
	d, err = o.work.upload(ctx, o.key+"-deletes.parquet", &data, d, o.group)
	return []lake.DataFile{f}, []lake.DataFile{d}, err
}

// upload stores a file of a group's partition and names it.
func (w *work) upload(ctx context.Context, key string, data *spool, f lake.DataFile, g *Group) (lake.DataFile, error) {
	var err error
	for range uploads {
		if _, err = w.cfg.Bucket.Upload(ctx, key, data.reader()); err == nil || ctx.Err() != nil {
			break
		}
	}
	f.Path, f.Customer, f.Month = w.cfg.Bucket.URL(key), g.Customer, g.Month
	return f, err
}

// uploads is how often a file is sent to the store before its group is left to the next round.
const uploads = 3

// spool holds a file in pieces, each twice as large as the one before: one buffer would be copied as it grows.
type spool struct{ pieces [][]byte }

const firstBytes, pieceBytes = 4 << 10, 1 << 20

func (s *spool) Write(b []byte) (int, error) {
	n := len(b)
	for len(b) > 0 {
		last := len(s.pieces) - 1
		if last < 0 || len(s.pieces[last]) == cap(s.pieces[last]) {
			s.pieces = append(s.pieces, make([]byte, 0, min(firstBytes<<len(s.pieces), pieceBytes)))
			last++
		}
		p := s.pieces[last]
		m := min(len(b), cap(p)-len(p))
		s.pieces[last] = append(p, b[:m]...)
		b = b[m:]
	}
	return n, nil
}

func (s *spool) reader() io.Reader {
	readers := make([]io.Reader, len(s.pieces))
	for i, p := range s.pieces {
		readers[i] = bytes.NewReader(p)
	}
	return io.MultiReader(readers...)
}
