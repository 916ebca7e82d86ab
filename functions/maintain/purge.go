package maintain

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"medlake/shared/datafile"
	"medlake/shared/lake"
	"medlake/shared/store"
	"medlake/shared/transform/column"
	"medlake/shared/warehouse"
)

// Purge names what is to leave the files of tables, and not only the tables.
type Purge struct {
	Customer string
	Tables   []string        // that had rows of Loads; the tables made of them are cleaned too
	Loads    map[string]bool // loads of the customer that stand in the log and whose rows have left the tables
	Arrivals map[string]bool // whose uploads' names leave ops.loads
}

// Erased is the reason of a group of files that a purge rewrites.
const Erased Reason = "erased"

// purges is how often the files of a table are looked through: again if others changed them meanwhile.
const purges = 10

// Rewrite writes anew the files that still hold hidden rows of the loads, without them, and those of ops.loads with the
// uploads' names, without those. Older states still name the old files.
func (m *Maintainer) Rewrite(ctx context.Context, p Purge) error {
	w, names, err := m.purging(ctx, p)
	if err != nil {
		return err
	}
	defer m.rounds.Unlock()
	for _, name := range names {
		left := -1
		for range purges {
			if left, err = w.purge(ctx, name); err != nil || left == 0 {
				break
			}
		}
		if err == nil && left > 0 {
			err = errors.New("rows have not left yet, or others change its files again and again")
		}
		if err != nil {
			return fmt.Errorf("erase from the files of table %s: %w", name, err)
		}
	}
	return nil
}

// Discard deletes the files that no state names any more and that hold rows of the loads or names of the uploads, at once.
func (m *Maintainer) Discard(ctx context.Context, p Purge) (Deleted, error) {
	w, names, err := m.purging(ctx, p)
	if err != nil {
		return Deleted{}, err
	}
	defer m.rounds.Unlock()
	t := Table{}
	for _, name := range names {
		t.Table = name
		if err := w.clean(ctx, &t); err != nil {
			return t.Deleted, fmt.Errorf("delete files of table %s: %w", name, err)
		}
	}
	return t.Deleted, nil
}

// purging begins a round that erases, and keeps others out of it.
func (m *Maintainer) purging(ctx context.Context, p Purge) (*work, []string, error) {
	now, err := m.now(ctx, false)
	if err != nil {
		return nil, nil, err
	}
	all, err := m.cfg.Tables.Tables(ctx)
	if err != nil {
		return nil, nil, fmt.Errorf("list tables: %w", err)
	}
	var names []string
	for _, name := range all {
		if name == lake.OpsLoads || slices.Contains(p.Tables, name) || slices.Contains(p.Tables, name+logSuffix) {
			names = append(names, name)
		}
	}
	m.rounds.Lock()
	return &work{Maintainer: m, now: now, names: all, until: now.AddDate(1, 0, 0), erase: &p}, names, nil
}

// purge rewrites a table's files once, and tells how many it rewrote or could not.
func (w *work) purge(ctx context.Context, name string) (int, error) {
	_, files, err := w.live(ctx, name)
	if err != nil {
		return 0, err
	}
	schema, err := warehouse.PublishedSchema(ctx, w.cfg.Bucket, name)
	if err != nil {
		return 0, err
	}
	parts := map[int32][]warehouse.LiveFile{}
	found := 0
	for i := range files {
		f := &files[i]
		key, err := w.cfg.Bucket.Key(f.Path)
		if err != nil {
			return found, err
		}
		holds, err := w.holds(ctx, schema, key, f.Bytes)
		if err != nil {
			return found, err
		}
		if holds {
			found++
			parts[f.Month] = append(parts[f.Month], *f)
		}
	}
	for _, month := range slices.Sorted(maps.Keys(parts)) {
		for _, g := range w.pack(nil, Erased, 1, parts[month]) {
			g.Customer, g.Month = g.Files[0].Customer, month
			if _, err := w.compact(ctx, name, &g); err != nil {
				return found, err
			}
		}
	}
	return found, nil
}

// holds reports whether a data file of the table with this schema holds what is to be erased.
func (w *work) holds(ctx context.Context, schema lake.Schema, key string, size int64) (bool, error) {
	customer := "/customer="
	if i := strings.Index(key, customer); i >= 0 && !strings.HasPrefix(key[i+len(customer):], w.erase.Customer+"/") {
		return false, nil
	}
	r, err := datafile.OpenReader(w.cfg.Bucket.ReaderAt(ctx, key, size), size, schema)
	if err != nil {
		return false, err
	}
	text := func(name string) lake.Column { return lake.Column{Name: name, Type: lake.Type{Kind: lake.String}} }
	columns, is := []lake.Column{text(lake.ColLoad)}, func(b *column.Batch, i int) bool {
		return w.erase.Loads[string(b.Columns[0].Text(i))]
	}
	if schema.Table == lake.OpsLoads {
		columns, is = []lake.Column{text(colArrival), text(colObject)}, func(b *column.Batch, i int) bool {
			_, named := w.erase.nameless(&b.Columns[0], &b.Columns[1], i)
			return named
		}
	}
	b := column.New(columns)
	names := make([]string, len(columns))
	for i := range columns {
		names[i] = columns[i].Name
	}
	for g := range r.Groups() {
		b.Reset()
		if err := r.Read(g, names, b); err != nil {
			return false, err
		}
		for i := range b.Rows {
			if is(b, i) {
				return true, nil
			}
		}
	}
	return false, nil
}

// The columns of ops.loads that say which upload it was, and what its sender called it.
const (
	colArrival = "arrival"
	colObject  = "object"
	colVersion = "version"
)

// names reports whether a column may tell what a sender called an upload that is erased.
func (p *Purge) names(table, column string) bool {
	return p != nil && table == lake.OpsLoads && (column == colObject || column == colVersion)
}

// nameless gives the key that stands for an upload's in row i of ops.loads, if the upload is erased and its key is still
// there. Both columns have no nulls.
func (p *Purge) nameless(arrivals, objects *column.Column, i int) (key string, named bool) {
	id := string(arrivals.Text(i))
	if !p.Arrivals[id] {
		return "", false
	}
	key = lake.Arrival{Key: string(objects.Text(i))}.Nameless(id).Key
	return key, key != string(objects.Text(i))
}

// scrub is gather of a column of ops.loads that tells what senders called their uploads, without what is erased.
func (p *Purge) scrub(to *column.Column, from *column.Batch, rows, memory []int32) []int32 {
	at := func(name string) *column.Column {
		return &from.Columns[slices.IndexFunc(from.Columns, func(c column.Column) bool { return c.Name == name })]
	}
	arrivals, objects, values := at(colArrival), at(colObject), at(to.Name)
	memory = places(values, memory)
	for _, row := range rows {
		key, named := p.nameless(arrivals, objects, int(row))
		switch {
		case named && to.Name == colObject:
			to.AppendText([]byte(key))
		case named || memory[row] < 0:
			to.AppendNull()
		default:
			to.AppendFrom(values, int(memory[row]))
		}
	}
	return memory
}

// holding reports whether an object that nobody names holds erased rows. Their load stands in the log and is out of the
// table, so it can come into it no more: a commit, a merge or a compaction that is under way with it was pinned to a state
// that is gone, or made of files that are.
func (j *judge) holding(ctx context.Context, o store.Object) (bool, error) {
	if !strings.HasSuffix(o.Key, ".parquet") || strings.HasPrefix(path.Base(o.Key), "deletes-") || strings.HasSuffix(o.Key, "-deletes.parquet") {
		return false, nil
	}
	holds, err := j.holds(ctx, j.schema, o.Key, o.Size)
	if errors.Is(err, lake.ErrNotFound) { // deleted meanwhile
		return false, nil
	}
	return holds, err
}
