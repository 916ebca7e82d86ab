package datafile

import (
	"encoding/binary"
	"errors"
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
	md := e.writer.File().Metadata() // filled in by Close
	if e.out.n > 0 {                 // without rows there is nothing to correct
		e.out.muted = md
	}
	if err := e.writer.Close(); err != nil && !errors.Is(err, errReady) {
		return nil, err
	}
	if e.out.muted == nil {
		return md, nil
	}
	e.out.muted = nil
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

// errReady ends parquet-go's Close when its metadata is complete and all that is left is to write it.
var errReady = errors.New("metadata is ready")

// output counts what goes through. Muted it swallows what it gets until the metadata is filled in.
type output struct {
	w     io.Writer
	n     int64
	muted *format.FileMetaData
}

func (o *output) Write(b []byte) (int, error) {
	if o.muted != nil {
		return o.swallow(len(b))
	}
	n, err := o.w.Write(b)
	o.n += int64(n)
	return n, err
}

// WriteString spares the many names of a footer a copy each.
func (o *output) WriteString(s string) (int, error) {
	if o.muted != nil {
		return o.swallow(len(s))
	}
	n, err := io.WriteString(o.w, s)
	o.n += int64(n)
	return n, err
}

func (o *output) swallow(n int) (int, error) {
	if o.muted.NumRows > 0 {
		return 0, errReady
	}
	return n, nil
}
