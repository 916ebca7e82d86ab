package erase

import (
	"context"
	"iter"
	"strconv"

	"medlake/shared/datafile"
	"medlake/shared/lake"
	"medlake/shared/store"
	"medlake/shared/transform/column"
	"medlake/shared/warehouse"
)

// Catalog is the tables of the lake; *warehouse.Warehouse is one.
type Catalog interface {
	// Tables lists the tables there are.
	Tables(ctx context.Context) ([]string, error)
	// Batch pins a table's current state.
	Batch(ctx context.Context, table string) (warehouse.Head, error)
	// Live lists the data files at h that can hold rows of a customer, "" means all, by path.
	Live(ctx context.Context, h warehouse.Head, customer string) ([]warehouse.LiveFile, error)
	// Forget drops all states of a table but the newest. No file is deleted.
	Forget(ctx context.Context, table string) error
}

// Stored is the Tables of a warehouse. A row is the patient's if an identifying column holds the patient's id; those of
// tables that change are in their logs.
type Stored struct {
	Bucket  *store.Bucket
	Tables  Catalog
	Columns map[string][]string // that identify, by table as it is stored
}

// Rows implements Tables. Rows that are hidden are among them.
func (s Stored) Rows(ctx context.Context, customer, patient string) iter.Seq2[Row, error] {
	return func(yield func(Row, error) bool) {
		for table := range s.Columns {
			rows, err := s.table(ctx, table, customer, patient)
			if err != nil {
				yield(Row{}, err)
				return
			}
			for _, row := range rows {
				if !yield(row, nil) {
					return
				}
			}
		}
	}
}

// Names lists all tables as they are stored.
func (s Stored) Names(ctx context.Context) ([]string, error) { return s.Tables.Tables(ctx) }

// Forget drops all states of a table but the newest.
func (s Stored) Forget(ctx context.Context, table string) error { return s.Tables.Forget(ctx, table) }

// table finds the rows in one table.
func (s Stored) table(ctx context.Context, table, customer, patient string) (found []Row, err error) {
	head, err := s.Tables.Batch(ctx, table)
	if err != nil {
		return nil, err
	}
	files, err := s.Tables.Live(ctx, head, customer)
	if err != nil || len(files) == 0 {
		return nil, err
	}
	schema, err := warehouse.PublishedSchema(ctx, s.Bucket, table)
	if err != nil {
		return nil, err
	}
	names := []string{lake.ColCustomer, lake.ColLoad, lake.ColEntry, lake.ColRow}
	names = append(names, s.Columns[table]...)
	var columns []lake.Column
	for _, name := range names {
		for _, c := range schema.Columns {
			if c.Name == name {
				columns = append(columns, c)
			}
		}
	}
	b := column.New(columns)
	for i := range files {
		key, err := s.Bucket.Key(files[i].Path)
		if err != nil {
			return nil, err
		}
		r, err := datafile.OpenReader(s.Bucket.ReaderAt(ctx, key, files[i].Bytes), files[i].Bytes, schema)
		if err != nil {
			return nil, err
		}
		for g := range r.Groups() {
			b.Reset()
			if err := r.Read(g, names, b); err != nil {
				return nil, err
			}
			for row := range about(b, patient) {
				if string(b.Columns[0].Text(row)) == customer {
					found = append(found, Row{Load: string(b.Columns[1].Text(row)), Entry: int(b.Columns[2].Ints[row]), Row: b.Columns[3].Ints[row]})
				}
			}
		}
	}
	return found, nil
}

// about yields the rows of a batch in which a column after the first four, which have no nulls, is the id.
func about(b *column.Batch, id string) iter.Seq[int] {
	return func(yield func(int) bool) {
		next := make([]int, len(b.Columns)) // value, of those that are not null
		for row := range b.Rows {
			is := false
			for i := 4; i < len(b.Columns); i++ {
				c := &b.Columns[i]
				if c.Valid[row] == 0 {
					continue
				}
				switch n := next[i]; c.Type.Kind {
				case lake.String:
					is = is || string(c.Text(n)) == id
				case lake.Long:
					is = is || strconv.FormatInt(c.Ints[n], 10) == id
				}
				next[i]++
			}
			if is && !yield(row) {
				return
			}
		}
	}
}
