package datafile

import (
	"fmt"
	"io"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/format"

	"medlake/shared/lake"
	"medlake/shared/transform/column"
)

// Reader reads columns of one data file, ours or another engine's. It is not safe for concurrent use.
type Reader struct {
	schema lake.Schema
	source *source
	file   *parquet.File
	leaves map[int]int // number of the file's column by field id
}

// OpenReader opens a data file of size bytes. Its columns are those of s, found by field id: a column that the file lacks
// reads as null, whatever the file calls the others.
func OpenReader(r io.ReaderAt, size int64, s lake.Schema) (*Reader, error) {
	src := &source{r: r, size: size}
	if err := src.fetchTail(); err != nil {
		return nil, fmt.Errorf("read data file of %s: %w", s.Table, err)
	}
	f, err := parquet.OpenFile(src, size, parquet.SkipMagicBytes(true), parquet.SkipPageIndex(true), parquet.SkipBloomFilters(true),
		parquet.ReadBufferSize(pageBytes))
	if err != nil {
		return nil, fmt.Errorf("read data file of %s: %w: %w", s.Table, err, lake.ErrInvalid)
	}
	reader := &Reader{schema: s, source: src, file: f, leaves: map[int]int{}}
	for _, c := range f.Root().Columns() {
		if c.Leaf() && !c.Repeated() {
			reader.leaves[c.ID()] = c.Index()
		}
	}
	return reader, nil
}

// Rows is the number of rows of the file.
func (r *Reader) Rows() int64 { return r.file.NumRows() }

// Groups is the number of row groups.
func (r *Reader) Groups() int { return len(r.file.RowGroups()) }

// GroupRows is the number of rows of row group i. Rows are counted through the file in the order of its groups.
func (r *Reader) GroupRows(i int) int64 { return r.file.RowGroups()[i].NumRows() }

// Read appends the named columns of a row group to the columns of those names in `into`, and counts the rows in. Other
// columns of `into` stay as they are; with several calls each must fill all columns, or `into` holds columns of unequal
// length. A name that the schema lacks is an error, and so is a value that does not fit the schema's type.
func (r *Reader) Read(group int, names []string, into *column.Batch) error {
	rows := int(r.GroupRows(group))
	for _, name := range names {
		if err := r.column(group, name, rows, into); err != nil {
			return fmt.Errorf("read data file of %s, column %s: %w", r.schema.Table, name, err)
		}
	}
	into.Rows += rows
	return nil
}

func (r *Reader) column(group int, name string, rows int, into *column.Batch) error {
	at, ok := find(r.schema.Columns, func(c *lake.Column) bool { return c.Name == name })
	if !ok {
		return fmt.Errorf("the table has no such column: %w", lake.ErrInvalid)
	}
	c, ok := find(into.Columns, func(c *column.Column) bool { return c.Name == name })
	if !ok || c.Type != at.Type {
		return fmt.Errorf("the batch has no such column of type %s: %w", at.Type, lake.ErrInvalid)
	}
	leaf, ok := r.leaves[at.ID]
	if !ok {
		for range rows {
			c.AppendNull()
		}
		return nil
	}
	m := &r.file.Metadata().RowGroups[group].Columns[leaf].MetaData
	start := m.DataPageOffset
	if m.DictionaryPageOffset > 0 {
		start = min(start, m.DictionaryPageOffset)
	}
	if err := r.source.fetch(start, m.TotalCompressedSize); err != nil {
		return err
	}
	before := c.Len()
	if err := appendChunk(c, r.file.RowGroups()[group].ColumnChunks()[leaf]); err != nil {
		return err
	}
	if got := c.Len() - before; got != rows {
		return fmt.Errorf("%d values in %d rows: %w", got, rows, lake.ErrInvalid)
	}
	return nil
}

// Bounds tells between which values a column's lie in a row group, as lake.DataFile spells bounds; nil is unknown.
func (r *Reader) Bounds(group int, name string) (lower, upper []byte) {
	c, ok := find(r.schema.Columns, func(c *lake.Column) bool { return c.Name == name })
	if !ok {
		return nil, nil
	}
	leaf, ok := r.leaves[c.ID]
	if !ok {
		return nil, nil
	}
	m := &r.file.Metadata().RowGroups[group].Columns[leaf].MetaData
	lower, upper = m.Statistics.MinValue, m.Statistics.MaxValue
	if plain := m.Type == format.Int32 || m.Type == format.Int64; lower != nil && upper != nil && c.Type.Kind == lake.Decimal && plain {
		var a arena
		return a.fixed(c.Type, lower), a.fixed(c.Type, upper)
	}
	return lower, upper
}

func find[T any](list []T, is func(*T) bool) (*T, bool) {
	for i := range list {
		if is(&list[i]) {
			return &list[i], true
		}
	}
	return nil, false
}
