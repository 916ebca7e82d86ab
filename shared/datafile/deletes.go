package datafile

import (
	"cmp"
	"fmt"
	"io"
	"slices"

	"medlake/shared/lake"
	"medlake/shared/transform/column"
)

// Position names one row of a data file that is deleted.
type Position struct {
	Path string // URL of the data file
	Row  int64  // from 0, through the whole file
}

// Field ids that the Iceberg specification reserves for position delete files.
const (
	pathID = 2147483546
	rowID  = 2147483545
)

// deletes is the schema of position delete files.
func deletes() lake.Schema {
	return lake.Schema{Table: "position deletes", Columns: []lake.Column{
		{ID: pathID, Name: "file_path", Type: lake.Type{Kind: lake.String}, Required: true, Bounds: true},
		{ID: rowID, Name: "pos", Type: lake.Type{Kind: lake.Long}, Required: true, Bounds: true},
	}}
}

// WriteDeletes writes an Iceberg position delete file and describes it: all of lake.DataFile but Path, Customer and Month.
// The positions, of which there must be some, are sorted in place. The bounds of the data files' paths are exact, by
// their reserved field id: engines match delete files to data files by them.
func WriteDeletes(w io.Writer, at []Position) (lake.DataFile, error) {
	if len(at) == 0 {
		return lake.DataFile{}, fmt.Errorf("position deletes of no rows: %w", lake.ErrInvalid)
	}
	slices.SortFunc(at, func(a, b Position) int { return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.Row, b.Row)) })
	s := deletes()
	e, err := NewEncoder(s)
	if err != nil {
		return lake.DataFile{}, err
	}
	b := column.New(s.Columns)
	for _, p := range at {
		b.Columns[0].AppendString(p.Path)
		b.Columns[1].AppendInt(p.Row)
		b.EndRow()
	}
	e.Begin(w)
	if err := e.Append(b); err != nil {
		return lake.DataFile{}, err
	}
	f, err := e.Finish()
	if err != nil {
		return lake.DataFile{}, err
	}
	f.Lower[pathID], f.Upper[pathID] = []byte(at[0].Path), []byte(at[len(at)-1].Path)
	return f, nil
}

// ReadDeletes calls each for every position of a position delete file, in the file's order. The path is valid during the
// call only.
func ReadDeletes(r io.ReaderAt, size int64, each func(path []byte, row int64)) error {
	s := deletes()
	f, err := OpenReader(r, size, s)
	if err != nil {
		return err
	}
	b := column.New(s.Columns)
	for g := range f.Groups() {
		b.Reset()
		if err := f.Read(g, []string{"file_path", "pos"}, b); err != nil {
			return err
		}
		if b.Columns[0].Nulls+b.Columns[1].Nulls > 0 {
			return fmt.Errorf("position deletes with nulls: %w", lake.ErrInvalid)
		}
		for i, row := range b.Columns[1].Ints {
			each(b.Columns[0].Text(i), row)
		}
	}
	return nil
}
