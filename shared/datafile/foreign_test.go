package datafile

import (
	"bytes"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/decimal128"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/compress"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"
	"github.com/google/go-cmp/cmp"

	"medlake/shared/lake"
)

// TestReaderReadsOtherWriters: Arrow is what iceberg-go and PyIceberg write with. It stores decimals as fixed bytes.
func TestReaderReadsOtherWriters(t *testing.T) {
	t.Parallel()
	id := func(n string) arrow.Metadata { return arrow.NewMetadata([]string{"PARQUET:field_id"}, []string{n}) }
	fields := []arrow.Field{
		{Name: "a", Type: arrow.BinaryTypes.String, Nullable: true, Metadata: id("1")},
		{Name: "b", Type: arrow.PrimitiveTypes.Int64, Metadata: id("2")},
		{Name: "c", Type: &arrow.Decimal128Type{Precision: 18, Scale: 2}, Nullable: true, Metadata: id("3")},
		{Name: "d", Type: arrow.FixedWidthTypes.Date32, Nullable: true, Metadata: id("4")},
		{Name: "e", Type: &arrow.TimestampType{Unit: arrow.Microsecond, TimeZone: "UTC"}, Nullable: true, Metadata: id("5")},
		{Name: "f", Type: arrow.FixedWidthTypes.Boolean, Nullable: true, Metadata: id("6")},
		{Name: "g", Type: arrow.PrimitiveTypes.Float64, Nullable: true, Metadata: id("7")},
	}
	s := lake.Schema{Table: "lake.t", Columns: []lake.Column{
		{ID: 1, Name: "a", Type: typ("string")},
		{ID: 2, Name: "b", Type: typ("long"), Required: true},
		{ID: 3, Name: "c", Type: typ("decimal(18,2)")},
		{ID: 4, Name: "d", Type: typ("date")},
		{ID: 5, Name: "e", Type: typ("timestamp")},
		{ID: 6, Name: "f", Type: typ("boolean")},
		{ID: 7, Name: "g", Type: typ("double")},
	}}
	rows := [][]any{
		{"x", int64(1), int64(-12345), int64(-3), int64(5), true, 1.5},
		{nil, int64(2), nil, nil, nil, nil, nil},
		{"", int64(3), int64(99), int64(20000), int64(-7), false, -0.5},
	}
	for name, props := range map[string][]parquet.WriterProperty{
		"snappy, dictionary": {parquet.WithCompression(compress.Codecs.Snappy)},
		"zstd, plain":        {parquet.WithCompression(compress.Codecs.Zstd), parquet.WithDictionaryDefault(false)},
		"pages of version 2": {parquet.WithDataPageVersion(parquet.DataPageV2), parquet.WithCompression(compress.Codecs.Gzip)},
	} {
		b := array.NewRecordBuilder(memory.DefaultAllocator, arrow.NewSchema(fields, nil))
		want := make([][]any, len(fields))
		for range 500 {
			for _, row := range rows {
				for i, v := range row {
					want[i] = append(want[i], v)
					build(b.Field(i), v)
				}
			}
		}
		var out bytes.Buffer
		w, err := pqarrow.NewFileWriter(b.Schema(), &out, parquet.NewWriterProperties(props...), pqarrow.DefaultWriterProps())
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Write(b.NewRecordBatch()); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, contents(reread(t, out.Bytes(), s))); d != "" {
			t.Errorf("%s: %s", name, d)
		}
	}
}

// build appends a value to an Arrow column.
func build(to array.Builder, v any) {
	switch b := to.(type) {
	case *array.StringBuilder:
		if v != nil {
			b.Append(v.(string))
			return
		}
	case *array.Int64Builder:
		b.Append(v.(int64))
		return
	case *array.Decimal128Builder:
		if v != nil {
			b.Append(decimal128.FromI64(v.(int64)))
			return
		}
	case *array.Date32Builder:
		if v != nil {
			b.Append(arrow.Date32(v.(int64)))
			return
		}
	case *array.TimestampBuilder:
		if v != nil {
			b.Append(arrow.Timestamp(v.(int64)))
			return
		}
	case *array.BooleanBuilder:
		if v != nil {
			b.Append(v.(bool))
			return
		}
	case *array.Float64Builder:
		if v != nil {
			b.Append(v.(float64))
			return
		}
	}
	to.AppendNull()
}

func TestDeletesAreSortedAndRead(t *testing.T) {
	t.Parallel()
	long := "s3://a-bucket-with-a-long-name/tables/lake/visits/data/customer=acme/00000001-000000000007-0123456789abcdef0123456789abcdef0123456789abcdef-"
	at := []Position{{long + "2", 5}, {long + "1", 7}, {long + "2", 0}, {long + "1", 6}}
	want := []Position{{long + "1", 6}, {long + "1", 7}, {long + "2", 0}, {long + "2", 5}}
	var out bytes.Buffer
	f, err := WriteDeletes(&out, at)
	if err != nil {
		t.Fatal(err)
	}
	var got []Position
	if err := ReadDeletes(bytes.NewReader(out.Bytes()), int64(out.Len()), func(path []byte, row int64) {
		got = append(got, Position{string(path), row})
	}); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if f.Rows != 4 || f.Bytes != int64(out.Len()) || string(f.Lower[2147483546]) != long+"1" || string(f.Upper[2147483546]) != long+"2" {
		t.Errorf("got %+v", f)
	}
	if _, err := WriteDeletes(&out, nil); err == nil {
		t.Error("a delete file of no rows was written")
	}
}
