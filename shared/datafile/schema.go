package datafile

import (
	"fmt"
	"slices"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress/zstd"
	"github.com/parquet-go/parquet-go/encoding"

	"medlake/shared/lake"
)

// leaf is one column of the file.
type leaf struct {
	lake.Column
	node parquet.Node // without its encoding
}

// newLeaf maps a column to Parquet as the Iceberg specification says.
func newLeaf(c lake.Column) (leaf, error) {
	if c.ID <= 0 {
		return leaf{}, fmt.Errorf("column %s has no field id: %w", c.Name, lake.ErrInvalid)
	}
	var n parquet.Node
	switch c.Type.Kind {
	case lake.String:
		n = parquet.String()
	case lake.Long:
		n = parquet.Leaf(parquet.Int64Type)
	case lake.Double:
		n = parquet.Leaf(parquet.DoubleType)
	case lake.Decimal:
		n = parquet.Decimal(c.Type.Scale, c.Type.Precision, decimalType(c.Type))
	case lake.Date:
		n = parquet.Date()
	case lake.Timestamp:
		n = parquet.Timestamp(parquet.Microsecond)
	case lake.Boolean:
		n = parquet.Leaf(parquet.BooleanType)
	default:
		return leaf{}, fmt.Errorf("column %s: no type %s in data files: %w", c.Name, c.Type, lake.ErrInvalid)
	}
	return leaf{Column: c, node: n}, nil
}

// decimalType is int32 up to 9 digits and int64 above, as Iceberg wants.
func decimalType(t lake.Type) parquet.Type {
	if t.Precision <= 9 {
		return parquet.Int32Type
	}
	return parquet.Int64Type
}

// ordered is a group whose fields stand in the schema's order, not in the order of their names.
type ordered struct {
	parquet.Group
	fields []parquet.Field
}

func (o ordered) Fields() []parquet.Field { return o.fields }

const (
	// pageBytes is the size at which a page is cut. Small files have one page a column.
	pageBytes = 512 << 10
	// codecLevel: the fastest level costs half of the default one and its files are a tenth larger.
	codecLevel = zstd.SpeedFastest
)

// codec is one for all writers: it keeps what it compresses with, a megabyte each, for whoever compresses next.
var codec = &zstd.Codec{Level: codecLevel}

// encodings by letter of the layout: the two that every reader knows.
var encodings = map[byte]encoding.Encoding{plainPages: &parquet.Plain, dictionary: &parquet.RLEDictionary}

// newWriter makes a writer with one encoding a column, as the layout says.
func newWriter(leaves []leaf, layout []byte) (*parquet.GenericWriter[any], error) {
	g := parquet.Group{}
	opts := []parquet.WriterOption{
		parquet.Compression(codec),
		parquet.CreatedBy("medlake", "1.0.0", "0"),
		parquet.DataPageStatistics(false), // the column chunk's are enough
		parquet.PageBufferSize(pageBytes),
		parquet.WriteBufferSize(0),
	}
	position := map[string]int{}
	for i, l := range leaves {
		n := l.node
		n = parquet.Encoded(n, encodings[layout[i]])
		if !l.Required {
			n = parquet.Optional(n)
		}
		opts = append(opts, parquet.SkipPageBounds(l.Name)) // the footer gets ours: see footer.go
		if _, twice := g[l.Name]; twice {
			return nil, fmt.Errorf("column %s stands twice in the schema: %w", l.Name, lake.ErrInvalid)
		}
		g[l.Name] = parquet.FieldID(n, l.ID)
		position[l.Name] = i
	}
	root := ordered{Group: g, fields: g.Fields()}
	slices.SortFunc(root.fields, func(a, b parquet.Field) int { return position[a.Name()] - position[b.Name()] })
	return parquet.NewGenericWriter[any](nil, append(opts, parquet.NewSchema("table", root))...), nil
}
