package bench

import (
	"archive/zip"
	"bytes"
	"encoding/csv"
	"encoding/xml"
	"errors"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress/zstd"

	"medlake/shared/lake"
	"medlake/shared/metadata"
)

// naive is the pipeline as one would write it first, with the standard library and maps: archive/zip, encoding/csv or
// encoding/xml, a map a row, parquet-go's generic writer. It makes the same columns from unlocked zips.
type naive struct {
	columns []lake.Column
	byName  map[string]lake.Column
	text    map[string][]string // xml path -> columns
	joined  map[string][]string
	counted map[string][]string
}

func newNaive(t *metadata.Table, feed *metadata.Feed) *naive {
	n := &naive{columns: t.Schema().Columns, byName: map[string]lake.Column{}, text: map[string][]string{}, joined: map[string][]string{}, counted: map[string][]string{}}
	for _, c := range n.columns {
		n.byName[c.Name] = c
	}
	if feed == nil { // CSV: the header names the columns
		return n
	}
	for _, f := range feed.Into[0].Fields {
		switch p := f.Value; {
		case strings.HasPrefix(p, "count("):
			p = strings.TrimSuffix(strings.TrimPrefix(p, "count("), ")")
			n.counted[p] = append(n.counted[p], f.Name)
		case strings.HasPrefix(p, "join("):
			p = strings.TrimSuffix(strings.TrimPrefix(p, "join("), `, "|")`)
			n.joined[p] = append(n.joined[p], f.Name)
		default:
			n.text[p] = append(n.text[p], f.Name)
		}
	}
	return n
}

// convert turns zip bytes into Parquet bytes.
func (n *naive) convert(data []byte) ([]byte, error) {
	zr, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return nil, err
	}
	var rows []any
	for i, f := range zr.File {
		r, err := f.Open()
		if err != nil {
			return nil, err
		}
		read := n.csv
		if strings.HasSuffix(f.Name, ".xml") {
			read = n.xml
		} else if strings.HasSuffix(f.Name, ".txt") {
			read = n.pipe
		}
		members, err := read(r)
		if err != nil {
			return nil, err
		}
		for k, row := range members {
			row["customer"], row["_load"], row["_entry"], row["_row"] = "acme", "abcdefghijklmnopqrstuvwxyz", int64(i), int64(k+1)
			row["_arrived_at"] = time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC).UnixMicro()
			rows = append(rows, row)
		}
		if err := r.Close(); err != nil {
			return nil, err
		}
	}
	var out bytes.Buffer
	w := parquet.NewGenericWriter[any](&out, n.schema(), parquet.Compression(&zstd.Codec{Level: zstd.SpeedFastest}))
	if _, err := w.Write(rows); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

func (n *naive) csv(r io.Reader) ([]map[string]any, error)  { return n.delimited(r, ',') }
func (n *naive) pipe(r io.Reader) ([]map[string]any, error) { return n.delimited(r, '|') }

func (n *naive) delimited(r io.Reader, comma rune) ([]map[string]any, error) {
	c := csv.NewReader(r)
	c.Comma = comma
	c.LazyQuotes = comma == '|'
	head, err := c.Read()
	if err != nil {
		return nil, err
	}
	head[0] = strings.TrimPrefix(head[0], "\ufeff")
	var rows []map[string]any
	for {
		rec, err := c.Read()
		if errors.Is(err, io.EOF) {
			return rows, nil
		}
		if err != nil {
			return nil, err
		}
		row := make(map[string]any, len(head)+5)
		for i, name := range head {
			if row[name], err = n.cast(name, rec[i]); err != nil {
				return nil, err
			}
		}
		rows = append(rows, row)
	}
}

func (n *naive) xml(r io.Reader) ([]map[string]any, error) {
	d := xml.NewDecoder(r)
	row, path, text := map[string]any{}, "", ""
	for {
		t, err := d.Token()
		if errors.Is(err, io.EOF) {
			return []map[string]any{row}, nil
		}
		if err != nil {
			return nil, err
		}
		switch t := t.(type) {
		case xml.StartElement:
			path += "/" + t.Name.Local
			text = ""
			for _, c := range n.counted[path] {
				have, _ := row[c].(int64)
				row[c] = have + 1
			}
			for _, a := range t.Attr {
				for _, c := range n.text[path+"/@"+a.Name.Local] {
					if row[c], err = n.cast(c, a.Value); err != nil {
						return nil, err
					}
				}
			}
		case xml.CharData:
			text += string(t)
		case xml.EndElement:
			for _, c := range n.joined[path] {
				if have, ok := row[c].(string); ok {
					row[c] = have + "|" + text
				} else {
					row[c] = text
				}
			}
			for _, c := range n.text[path] {
				if row[c] == nil {
					if row[c], err = n.cast(c, text); err != nil {
						return nil, err
					}
				}
			}
			path = path[:strings.LastIndexByte(path, '/')]
			text = ""
		}
	}
}

func (n *naive) cast(column, s string) (any, error) {
	if s == "" {
		return nil, nil
	}
	switch c := n.byName[column]; c.Type.Kind {
	case lake.Long:
		return strconv.ParseInt(s, 10, 64)
	case lake.Double:
		return strconv.ParseFloat(s, 64)
	case lake.Decimal:
		f, err := strconv.ParseFloat(s, 64)
		return int64(f*100 + 0.5), err
	case lake.Date:
		t, err := time.Parse("2006-01-02", s)
		return int32(t.Unix() / 86400), err
	case lake.Timestamp:
		t, err := time.Parse(time.RFC3339, s)
		return t.UnixMicro(), err
	case lake.Boolean:
		return strconv.ParseBool(s)
	default:
		return s, nil
	}
}

func (n *naive) schema() *parquet.Schema {
	node := map[lake.Kind]func(lake.Type) parquet.Node{
		lake.String:    func(lake.Type) parquet.Node { return parquet.Encoded(parquet.String(), &parquet.RLEDictionary) },
		lake.Long:      func(lake.Type) parquet.Node { return parquet.Int(64) },
		lake.Double:    func(lake.Type) parquet.Node { return parquet.Leaf(parquet.DoubleType) },
		lake.Decimal:   func(t lake.Type) parquet.Node { return parquet.Decimal(t.Scale, t.Precision, parquet.Int64Type) },
		lake.Date:      func(lake.Type) parquet.Node { return parquet.Date() },
		lake.Timestamp: func(lake.Type) parquet.Node { return parquet.Timestamp(parquet.Microsecond) },
		lake.Boolean:   func(lake.Type) parquet.Node { return parquet.Leaf(parquet.BooleanType) },
	}
	g := parquet.Group{}
	for _, name := range slices.Sorted(maps.Keys(n.byName)) {
		c := n.byName[name]
		g[name] = parquet.Optional(node[c.Type.Kind](c.Type))
	}
	return parquet.NewSchema("encounters", g)
}
