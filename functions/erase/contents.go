package erase

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"context"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strconv"
	"strings"

	"medlake/shared/datafile"
	"medlake/shared/lake"
	"medlake/shared/transform/column"
	"medlake/shared/warehouse"
)

// parquet searches the values of a data file, or the paths of a file of position deletes. Its schema is the table's.
func (s Scan) parquet(ctx context.Context, key string, data []byte, look *search) error {
	in := bytes.NewReader(data)
	if deletes(key) {
		if err := datafile.ReadDeletes(in, in.Size(), func(path []byte, _ int64) { look.block(path) }); err != nil {
			return &unread{err}
		}
		return nil
	}
	parts := strings.Split(key, "/") // tables/<namespace>/<table>/…
	if len(parts) < 4 {
		return &unread{errors.New("a data file that belongs to no table")}
	}
	schema, err := warehouse.PublishedSchema(ctx, s.Bucket, parts[1]+"."+parts[2])
	if errors.Is(err, lake.ErrNotFound) {
		return &unread{err}
	}
	if err != nil {
		return err
	}
	if err := s.values(in, schema, look); err != nil {
		return &unread{err}
	}
	return nil
}

// deletes reports whether a data file is one of position deletes: commit's are named otherwise than merge's.
func deletes(key string) bool {
	return strings.HasPrefix(path.Base(key), "deletes-") || strings.HasSuffix(key, "-deletes.parquet")
}

// values searches the columns that hold text or whole numbers.
func (s Scan) values(in *bytes.Reader, schema lake.Schema, look *search) error {
	r, err := datafile.OpenReader(in, in.Size(), schema)
	if err != nil {
		return err
	}
	var names []string
	var columns []lake.Column
	for _, c := range schema.Columns {
		if c.Type.Kind == lake.String || c.Type.Kind == lake.Long {
			names, columns = append(names, c.Name), append(columns, c)
		}
	}
	number, bad := strconv.ParseInt(look.value, 10, 64)
	numbers := bad == nil && strings.HasPrefix(schema.Table, "lake.") // those of ledgers count
	batch := column.New(columns)
	for g := range r.Groups() {
		batch.Reset()
		if err := r.Read(g, names, batch); err != nil {
			return err
		}
		mine := s.mine(batch)
		for i := range batch.Columns {
			c := &batch.Columns[i]
			if columns[i].Required && c.Nulls > 0 {
				return errors.New("the file lacks columns of its table") // what it has instead was not read
			}
			value := 0 // among those that are not null
			for row, valid := range c.Valid {
				if valid == 0 {
					continue
				}
				switch {
				case !mine(row):
				case columns[i].Type.Kind == lake.String && schema.Table == lake.OpsLoads: // it has keys
					look.key(string(c.Text(value)))
				case columns[i].Type.Kind == lake.String:
					look.text(c.Text(value))
				default:
					look.found = look.found || numbers && !strings.HasPrefix(c.Name, "_") && c.Ints[value] == number
				}
				value++
			}
		}
	}
	return nil
}

// mine tells which rows are the customer's.
func (s Scan) mine(b *column.Batch) func(row int) bool {
	i := slices.IndexFunc(b.Columns, func(c column.Column) bool { return c.Name == lake.ColCustomer })
	if s.Customer == "" || i < 0 || b.Columns[i].Nulls > 0 {
		return func(int) bool { return true }
	}
	return func(row int) bool { return string(b.Columns[i].Text(row)) == s.Customer }
}

// folded searches a group of log entries.
func (s Scan) folded(key string, data []byte, look *search) error {
	z, err := gzip.NewReader(bytes.NewReader(data))
	if err == nil {
		data, err = io.ReadAll(z)
	}
	if err != nil {
		return errors.New("a group of log entries that cannot be unpacked")
	}
	return s.document(key, data, look)
}

// document searches the strings of JSON, one document after the other, but keys that are others'.
func (s Scan) document(key string, data []byte, look *search) error {
	own := func(string) bool { return false }
	if strings.HasSuffix(key, ".metadata.json") { // of a table
		own = ownFigure.MatchString
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	for depth := 0; ; {
		t, err := d.Token()
		if err == io.EOF && depth == 0 {
			return nil
		}
		if err != nil {
			return errors.New("the object begins like JSON and is none") // the cause may quote values
		}
		switch t := t.(type) {
		case json.Delim:
			if depth++; t == '}' || t == ']' {
				depth -= 2
			}
		case string:
			if s.others(t) || own(t) {
				continue
			}
			look.key(t)
			if b, err := base64.StdEncoding.DecodeString(t); err == nil {
				look.bytes(b)
			}
		}
	}
}

const avroMark = "Obj\x01"

var errAvro = errors.New("corrupt Avro file")

// avro searches the blocks of an Avro container file (Avro specification, "Object Container Files").
func avro(data []byte, look *search) error {
	r := avroReader(data[len(avroMark):])
	codec := ""
	for {
		n, err := r.long()
		if err != nil {
			return err
		}
		if n == 0 {
			break
		}
		if n < 0 { // its size in bytes follows
			if _, err := r.long(); err != nil {
				return err
			}
			n = -n
		}
		for range n {
			name, err := r.block()
			if err != nil {
				return err
			}
			value, err := r.block()
			if err != nil {
				return err
			}
			if string(name) == "avro.codec" {
				codec = string(value)
			}
		}
	}
	sync, err := r.take(16)
	if err != nil {
		return err
	}
	for len(r) > 0 {
		if _, err := r.long(); err != nil {
			return err
		}
		b, err := r.block()
		if err != nil {
			return err
		}
		switch codec {
		case "", "null":
		case "deflate":
			if b, err = io.ReadAll(flate.NewReader(bytes.NewReader(b))); err != nil {
				return errAvro
			}
		default:
			return fmt.Errorf("an Avro file of a codec that is not read: %w", lake.ErrInvalid)
		}
		look.block(b)
		if after, err := r.take(16); err != nil || !bytes.Equal(after, sync) {
			return errAvro
		}
	}
	return nil
}

// avroReader reads Avro's numbers and byte strings.
type avroReader []byte

func (r *avroReader) long() (int64, error) {
	v, n := binary.Varint(*r)
	if n <= 0 {
		return 0, errAvro
	}
	*r = (*r)[n:]
	return v, nil
}

func (r *avroReader) block() ([]byte, error) {
	n, err := r.long()
	if err != nil {
		return nil, err
	}
	return r.take(n)
}

func (r *avroReader) take(n int64) ([]byte, error) {
	if n < 0 || n > int64(len(*r)) {
		return nil, errAvro
	}
	b := (*r)[:n]
	*r = (*r)[n:]
	return b, nil
}
