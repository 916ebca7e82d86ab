// Package datafile turns column batches into the bytes of one Parquet file, and the file's footer into the lake.DataFile
// that an Iceberg manifest needs. It opens no file and knows no bucket and no catalog.
package datafile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/format"

	"medlake/shared/lake"
	"medlake/shared/transform/column"
)

// Encoder writes Parquet files of one schema, one after the other: Begin, any number of Append, Finish. Its buffers are
// kept from file to file. It is not safe for concurrent use. The bytes depend on the batches alone, not on what the
// encoder wrote before.
type Encoder struct {
	schema  lake.Schema
	leaves  []leaf
	writers map[string]*parquet.GenericWriter[any] // by layout: the encodings of a file are fixed by its first batch
	layout  []byte                                 // a letter a column: the layout of the file at hand
	writer  *parquet.GenericWriter[any]            // nil before the first batch
	columns []*parquet.ColumnWriter
	out     output
	tail    bytes.Buffer
	values  []parquet.Value
	sampler sampler
	order   []int     // batch column by schema column
	extents []extents // of the file so far: one a column for every row group
	arena   arena     // holds them
	broken  bool
}

// maxWriters bounds the layouts an encoder keeps buffers for. A feed's files nearly always share one or two.
const maxWriters = 3

// NewEncoder makes an encoder for the published schema s: every column has its field id.
func NewEncoder(s lake.Schema) (*Encoder, error) {
	if len(s.Columns) == 0 {
		return nil, fmt.Errorf("schema %d of %s has no columns: %w", s.N, s.Table, lake.ErrInvalid)
	}
	e := &Encoder{schema: s, writers: map[string]*parquet.GenericWriter[any]{}, broken: true}
	for _, c := range s.Columns {
		l, err := newLeaf(c)
		if err != nil {
			return nil, fmt.Errorf("schema %d of %s: %w", s.N, s.Table, err)
		}
		e.leaves = append(e.leaves, l)
	}
	e.layout = make([]byte, len(e.leaves))
	return e, nil
}

// Begin starts a file; whatever the encoder was writing before is forgotten. Everything goes to w as it is made; w needs no
// buffer.
func (e *Encoder) Begin(w io.Writer) {
	if e.writer != nil { // a file without an end: see release
		delete(e.writers, string(e.layout))
	}
	if e.arena == nil {
		e.arena = make(arena, 0, 1024)
	}
	e.writer, e.columns, e.broken = nil, nil, false
	e.extents, e.arena = e.extents[:0], e.arena[:0]
	e.out = output{w: w}
}

// Append writes a batch as one row group and keeps nothing of it. Columns are matched by name, wherever they stand.
// After an error the file is lost: Begin again.
func (e *Encoder) Append(b *column.Batch) error {
	if e.broken {
		return errors.New("datafile: append without begin")
	}
	if b.Rows == 0 {
		return nil
	}
	err := e.append(b)
	if err != nil {
		e.broken = true
		return fmt.Errorf("write data file of %s: %w", e.schema.Table, err)
	}
	return nil
}

func (e *Encoder) append(b *column.Batch) error {
	if err := e.match(b); err != nil {
		return err
	}
	if e.writer == nil {
		e.plan(b)
		if err := e.open(); err != nil {
			return err
		}
	}
	for i := range e.leaves {
		c := &b.Columns[e.order[i]]
		if err := e.fill(i, c, b.Rows); err != nil {
			return err
		}
		var x extents
		if e.leaves[i].Bounds {
			x = e.arena.extentsOf(c)
		}
		e.extents = append(e.extents, x)
	}
	return e.writer.Flush()
}

// match finds each schema column in the batch and checks that the two agree.
func (e *Encoder) match(b *column.Batch) error {
	e.order = e.order[:0]
	for i := range e.leaves {
		l := &e.leaves[i]
		j := i
		if j >= len(b.Columns) || b.Columns[j].Name != l.Name {
			for j = 0; j < len(b.Columns) && b.Columns[j].Name != l.Name; j++ {
			}
			if j == len(b.Columns) {
				return fmt.Errorf("column %s is not in the batch", l.Name)
			}
		}
		if c := &b.Columns[j]; c.Type != l.Column.Type {
			return fmt.Errorf("column %s is %s in the batch and %s in the schema", l.Name, c.Type, l.Column.Type)
		} else if len(c.Valid) != b.Rows {
			return fmt.Errorf("column %s has %d rows, the batch %d", l.Name, len(c.Valid), b.Rows)
		} else if l.Required && c.Nulls > 0 {
			return fmt.Errorf("column %s is required and has %d nulls", l.Name, c.Nulls)
		}
		e.order = append(e.order, j)
	}
	return nil
}

// open takes the writer of the file's layout from the kept ones, or makes it.
func (e *Encoder) open() error {
	w := e.writers[string(e.layout)]
	if w == nil {
		if len(e.writers) == maxWriters {
			clear(e.writers)
		}
		var err error
		if w, err = newWriter(e.leaves, e.layout); err != nil {
			return err
		}
		e.writers[string(e.layout)] = w
	}
	w.Reset(&e.out)
	e.writer, e.columns = w, w.ColumnWriters()
	return nil
}

// Finish completes the file and describes it: all of lake.DataFile but Path, Customer and Month. A file may have no rows.
func (e *Encoder) Finish() (lake.DataFile, error) {
	if e.broken {
		return lake.DataFile{}, errors.New("datafile: finish without begin")
	}
	f, err := e.finish()
	if err != nil {
		e.broken = true
		return lake.DataFile{}, fmt.Errorf("write data file of %s: %w", e.schema.Table, err)
	}
	return f, nil
}

func (e *Encoder) finish() (lake.DataFile, error) {
	if e.writer == nil {
		for i := range e.layout {
			e.layout[i] = plainPages
		}
		if err := e.open(); err != nil {
			return lake.DataFile{}, err
		}
	}
	md, err := e.footer()
	if err != nil {
		return lake.DataFile{}, err
	}
	f := e.describe(md)
	e.release(md)
	return f, nil
}

// release makes the writer ready for another file. parquet-go's Reset wipes the metadata of the last file, and with it the
// columns' paths, which it shares with the writer itself: the next file would have columns without a path. So the paths
// are taken out of the metadata first; a writer whose metadata is out of reach is not used again.
func (e *Encoder) release(md *format.FileMetaData) {
	for g := range md.RowGroups {
		for i := range md.RowGroups[g].Columns {
			md.RowGroups[g].Columns[i].MetaData.PathInSchema = nil
		}
	}
	e.writer.Reset(io.Discard)
	clear(e.values[:cap(e.values)]) // lets go of the batch's bytes
	e.writer, e.columns, e.broken = nil, nil, true
}

// Month is Iceberg's month transform: months since January 1970.
func Month(t time.Time) int32 {
	t = t.UTC()
	return int32((t.Year()-1970)*12 + int(t.Month()) - 1)
}
