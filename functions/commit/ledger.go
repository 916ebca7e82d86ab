package commit

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"medlake/shared/datafile"
	"medlake/shared/lake"
	"medlake/shared/store"
	"medlake/shared/store/journal"
	"medlake/shared/transform/column"
)

// ledger writes the files of ops.loads, one row a receipt, from the log. It is used by one goroutine at a time.
type ledger struct {
	bucket  *store.Bucket
	attempt func() string
	folder  string // key of the table's folder
	batch   *column.Batch
	encoder *datafile.Encoder
}

// use sets the schema to write with. Columns that LoadsSchema does not know are left out.
func (l *ledger) use(published lake.Schema) error {
	ids := map[string]int{}
	for _, c := range published.Columns {
		ids[c.Name] = c.ID
	}
	s := lake.LoadsSchema()
	s.N, s.Location = published.N, published.Location
	for i := range s.Columns {
		s.Columns[i].ID = ids[s.Columns[i].Name]
	}
	folder, err := l.bucket.Key(s.Location)
	if err != nil {
		return fmt.Errorf("table %s: %w", s.Table, err)
	}
	if l.encoder, err = datafile.NewEncoder(s); err != nil {
		return fmt.Errorf("table %s: %w", s.Table, err)
	}
	l.folder, l.batch = strings.TrimSuffix(folder, "/"), column.New(s.Columns)
	return nil
}

// write stores the receipts of the entries (from, to], one file a month of arrival.
func (l *ledger) write(ctx context.Context, from, to int64, entries []*journal.Entry) ([]lake.DataFile, error) {
	if l.encoder == nil {
		return nil, errors.New("its schema is not known: Ensure must come first")
	}
	type row struct {
		entry   int64
		receipt *lake.Receipt
	}
	months := map[int32][]row{}
	for _, e := range entries {
		for i := range e.Receipts {
			m := datafile.Month(e.Receipts[i].Arrival.At)
			months[m] = append(months[m], row{e.N, &e.Receipts[i]})
		}
	}
	name := fmt.Sprintf("%d-%d-%s.parquet", from+1, to, l.attempt())
	var files []lake.DataFile
	for _, month := range slices.Sorted(maps.Keys(months)) {
		l.batch.Reset()
		for _, r := range months[month] {
			l.row(r.entry, r.receipt)
		}
		var out bytes.Buffer
		l.encoder.Begin(&out)
		if err := l.encoder.Append(l.batch); err != nil {
			return nil, err
		}
		f, err := l.encoder.Finish()
		if err != nil {
			return nil, err
		}
		key := fmt.Sprintf("%s/data/month=%s/%s", l.folder, spellMonth(month), name)
		stored, err := l.bucket.Claim(ctx, key, out.Bytes())
		if err != nil {
			return nil, err
		}
		if !bytes.Equal(stored, out.Bytes()) {
			return nil, fmt.Errorf("object %s is another's: %w", key, lake.ErrConflict)
		}
		f.Path, f.Month = l.bucket.URL(key), month
		files = append(files, f)
	}
	return files, nil
}

// row appends one receipt, in the order of lake.LoadsSchema.
func (l *ledger) row(entry int64, r *lake.Receipt) {
	columns := l.batch.Columns
	next := func() *column.Column {
		c := &columns[0]
		columns = columns[1:]
		return c
	}
	text := func(s string) { next().AppendText([]byte(s)) }
	long := func(n int64) { next().AppendInt(n) }
	optional := func(s string) {
		if s == "" {
			next().AppendNull()
			return
		}
		text(s)
	}
	place := func(n int64, known bool) {
		if !known {
			next().AppendNull()
			return
		}
		long(n)
	}
	bad := r.Status == lake.Quarantined
	text(r.Arrival.Customer())
	text(r.Load)
	long(r.Arrival.At.UnixMicro())
	text(r.ID)
	optional(r.Feed)
	text(string(r.Status))
	optional(string(r.Reason))
	place(int64(r.Where.Entry), bad && r.Where.Entry >= 0)
	place(int64(r.Where.Line), bad && r.Where.Line > 0)
	optional(r.Where.Column)
	optional(r.Where.Rule)
	text(r.Arrival.Key)
	optional(r.Arrival.Version)
	long(r.Arrival.Size)
	long(r.Read)
	long(r.Committed)
	long(r.Filtered)
	long(r.Rejected)
	optional(r.Metadata)
	long(entry)
	long(r.Epoch)
	optional(r.Replaces)
	l.batch.EndRow()
}

// spellMonth writes an Iceberg month as its partition folders do: 2026-11.
func spellMonth(m int32) string {
	return time.Date(1970, time.January+time.Month(m), 1, 0, 0, 0, 0, time.UTC).Format("2006-01")
}
