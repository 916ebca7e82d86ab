package datafile

import (
	"encoding/binary"
	"io"

	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"
)

// maxExtent is the longest value that a footer repeats, in bytes. It must be exact there, so a longer one is left out.
const maxExtent = 128

// footer ends the file. parquet-go would write a page index that gives columns without bounds the smallest and largest
// value "": engines that use it would then skip every page of such a column. So the footer is written here, from
// parquet-go's own metadata, without a page index (a chunk has a page or few) and with our extents as statistics.
func (e *Encoder) footer() (*format.FileMetaData, error) {
	e.out.muted = e.out.n > 0 // without rows there is nothing to correct
	if err := e.writer.Close(); err != nil {
		return nil, err
	}
	md := e.writer.File().Metadata()
	if !e.out.muted {
		return md, nil
	}
	e.out.muted = false
	for g := range md.RowGroups {
		for i := range md.RowGroups[g].Columns {
			c := &md.RowGroups[g].Columns[i]
			c.ColumnIndexOffset, c.ColumnIndexLength, c.OffsetIndexOffset, c.OffsetIndexLength = 0, 0, 0, 0
			c.MetaData.SizeStatistics = format.SizeStatistics{}
			if x := e.extents[g*len(e.leaves)+i]; max(len(x.lo), len(x.hi)) <= maxExtent {
				c.MetaData.Statistics.MinValue, c.MetaData.Statistics.MaxValue = x.lo, x.hi
			}
		}
	}
	e.tail.Reset()
	if err := thrift.NewEncoder(new(thrift.CompactProtocol).NewWriter(&e.tail)).Encode(md); err != nil {
		return nil, err
	}
	n := e.tail.Len()
	e.tail.Write(binary.LittleEndian.AppendUint32(e.tail.AvailableBuffer(), uint32(n)))
	e.tail.WriteString("PAR1")
	_, err := e.out.Write(e.tail.Bytes())
	return md, err
}

// output counts what goes through. Muted it swallows what it gets.
type output struct {
	w     io.Writer
	n     int64
	muted bool
}

func (o *output) Write(b []byte) (int, error) {
	if o.muted {
		return len(b), nil
	}
	n, err := o.w.Write(b)
	o.n += int64(n)
	return n, err
}

// WriteString spares the many names of a footer a copy each.
func (o *output) WriteString(s string) (int, error) {
	if o.muted {
		return len(s), nil
	}
	n, err := io.WriteString(o.w, s)
	o.n += int64(n)
	return n, err
}
