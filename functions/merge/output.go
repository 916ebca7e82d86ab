package merge

import (
	"bytes"
	"context"
	"fmt"

	"medlake/shared/datafile"
	"medlake/shared/lake"
	"medlake/shared/store"
	"medlake/shared/transform/column"
)

// groupRows is how many rows make a row group of a new file.
const groupRows = 1 << 16

// output is a new data file of a customer in the making.
type output struct {
	bucket  *store.Bucket
	encoder *datafile.Encoder
	key     string // of the object
	batch   *column.Batch
	data    bytes.Buffer
	written int64 // rows in data
}

// path is the file's URL.
func (o *output) path() string { return o.bucket.URL(o.key) }

// room makes room for another row.
func (o *output) room() error {
	if o.batch.Rows < groupRows {
		return nil
	}
	return o.flush()
}

// flush ends a row group.
func (o *output) flush() error {
	if o.written == 0 {
		o.encoder.Begin(&o.data)
	}
	o.written += int64(o.batch.Rows)
	err := o.encoder.Append(o.batch)
	o.batch.Reset()
	return err
}

// finish stores the file, if it has rows.
func (o *output) finish(ctx context.Context, customer string) ([]lake.DataFile, error) {
	if o.batch.Rows > 0 {
		if err := o.flush(); err != nil {
			return nil, err
		}
	}
	if o.written == 0 {
		return nil, nil
	}
	f, err := o.encoder.Finish()
	if err != nil {
		return nil, err
	}
	return stored(ctx, o.bucket, o.key, customer, o.data.Bytes(), f)
}

// stored stores a new file and names it.
func stored(ctx context.Context, b *store.Bucket, key, customer string, data []byte, f lake.DataFile) ([]lake.DataFile, error) {
	got, err := b.Claim(ctx, key, data)
	if err != nil {
		return nil, err
	}
	if !bytes.Equal(got, data) {
		return nil, fmt.Errorf("object %s is another's: %w", key, lake.ErrConflict)
	}
	f.Path, f.Customer = b.URL(key), customer
	return []lake.DataFile{f}, nil
}

// hideRows stores the position deletes of a customer, if there are some.
func hideRows(ctx context.Context, b *store.Bucket, key, customer string, rows []datafile.Position) ([]lake.DataFile, error) {
	if len(rows) == 0 {
		return nil, nil
	}
	var data bytes.Buffer
	f, err := datafile.WriteDeletes(&data, rows)
	if err != nil {
		return nil, err
	}
	return stored(ctx, b, key, customer, data.Bytes(), f)
}
