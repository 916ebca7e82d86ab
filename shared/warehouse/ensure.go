package warehouse

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/catalog"
	"github.com/apache/iceberg-go/table"

	"medlake/shared/lake"
	"medlake/shared/store"
)

// attempts bounds how often a step that lost a race is done again.
const attempts = 10

// Ensure makes the table want.Table, or brings it up to want, and publishes the schema that ingest writes by; it returns
// the published one. A new table starts at log entry tail. Columns are only ever added, and as optional ones, since the
// rows that are there have no value; a column that want no longer has stays and reads as null. A type never changes.
// It may run at any number of places at once, and again after a crash anywhere.
func (w *Warehouse) Ensure(ctx context.Context, want lake.Schema, tail int64) (lake.Schema, error) {
	t, err := w.create(ctx, want, tail)
	for range attempts {
		if err != nil {
			return lake.Schema{}, err
		}
		sc := t.Schema() // each call copies it, and its indexes are made anew
		var done bool
		if done, err = w.evolve(ctx, t, sc, want); done {
			s, err := published(t, sc, want)
			if err != nil {
				return lake.Schema{}, err
			}
			return publish(ctx, w.files.bucket, s)
		}
		if errors.Is(err, lake.ErrInvalid) {
			return lake.Schema{}, err
		}
		t, err = w.load(ctx, want.Table) // committed, lost the race or unknown: look again
	}
	return lake.Schema{}, fmt.Errorf("evolve table %s: it kept changing: %w", want.Table, lake.ErrConflict)
}

// create returns the table, which it makes if it is not there. A schema is published only after its table was made: where
// there is one, a new empty table would hide the old one's rows.
func (w *Warehouse) create(ctx context.Context, want lake.Schema, tail int64) (*table.Table, error) {
	t, err := w.load(ctx, want.Table)
	if !errors.Is(err, lake.ErrNotFound) {
		return t, err
	}
	if _, err := PublishedSchema(ctx, w.files.bucket, want.Table); !errors.Is(err, lake.ErrNotFound) {
		return nil, errors.Join(err, lost(want.Table))
	}
	ident, err := w.cat.identifier(want.Table)
	if err != nil {
		return nil, err
	}
	if ns, _, _ := strings.Cut(want.Table, "."); !slices.Contains(namespaces[:], ns) {
		return nil, fmt.Errorf("table %s: namespace is not one of %s: %w", want.Table, strings.Join(namespaces[:], ", "), lake.ErrInvalid)
	}
	sc, err := icebergSchema(want)
	if err != nil {
		return nil, fmt.Errorf("create table %s: %w", want.Table, err)
	}
	spec, err := partitionSpec(sc, want.Partition)
	if err != nil {
		return nil, fmt.Errorf("create table %s: %w", want.Table, err)
	}
	order, err := sortOrder(sc, want.Sort)
	if err != nil {
		return nil, fmt.Errorf("create table %s: %w", want.Table, err)
	}
	props := properties(want)
	props[propBatch] = strconv.FormatInt(tail, 10)
	_, err = w.cat.CreateTable(keeping(w.files.with(ctx)), ident, sc, catalog.WithProperties(props), catalog.WithPartitionSpec(&spec),
		catalog.WithSortOrder(order), catalog.WithLocation(w.files.bucket.URL(strings.TrimSuffix(store.TablePrefix(want.Table), "/"))))
	if t, again := w.load(ctx, want.Table); again == nil { // made, here or elsewhere, whatever the answer was
		return t, nil
	}
	return nil, fmt.Errorf("create table %s: %w", want.Table, err)
}

// evolve commits what want has and t has not, and reports whether there was nothing to do.
func (w *Warehouse) evolve(ctx context.Context, t *table.Table, sc *iceberg.Schema, want lake.Schema) (done bool, err error) {
	if have := spelled(t.Spec()); !slices.Equal(have, want.Partition) && len(have)+len(want.Partition) > 0 {
		return false, fmt.Errorf("table %s is partitioned by %s and cannot become partitioned by %s: give the new layout another table: %w",
			want.Table, list(have), list(want.Partition), lake.ErrInvalid)
	}
	tx := sync.OnceValue(t.NewTransaction) // only if there is something to do: it copies the metadata
	up := sync.OnceValue(func() *table.UpdateSchema { return tx().UpdateSchema(true, false) })
	changed := false
	for _, c := range want.Columns {
		typ, err := icebergType(c.Type)
		if err != nil {
			return false, fmt.Errorf("table %s, column %s: %w", want.Table, c.Name, err)
		}
		f, ok := sc.FindFieldByName(c.Name)
		switch {
		case !ok:
			up().AddColumn([]string{c.Name}, typ, c.Doc, false, nil)
		case !f.Type.Equals(typ):
			have, err := lakeType(f.Type)
			if err != nil {
				return false, fmt.Errorf("table %s, column %s: %w", want.Table, c.Name, err)
			}
			return false, fmt.Errorf("table %s: column %s is %s and cannot become %s: give the new column another name: %w",
				want.Table, c.Name, have, c.Type, lake.ErrInvalid)
		case f.Required && !c.Required:
			up().UpdateColumn([]string{c.Name}, table.ColumnUpdate{Required: optional(false), Doc: optional(c.Doc)})
		case f.Doc != c.Doc:
			up().UpdateColumn([]string{c.Name}, table.ColumnUpdate{Doc: optional(c.Doc)})
		default:
			continue
		}
		changed = true
	}
	for _, f := range sc.Fields() { // a column that is no longer written must not be required
		if f.Required && !slices.ContainsFunc(want.Columns, func(c lake.Column) bool { return c.Name == f.Name }) {
			up().UpdateColumn([]string{f.Name}, table.ColumnUpdate{Required: optional(false)})
			changed = true
		}
	}
	if changed {
		if err := up().Commit(); err != nil {
			return false, fmt.Errorf("evolve table %s: %w", want.Table, err)
		}
	}
	props, have := properties(want), t.Properties() // a copy too
	maps.DeleteFunc(props, func(k, v string) bool { return have[k] == v || k == table.PropertyFormatVersion })
	if len(props) > 0 {
		changed = true
		if err := tx().SetProperties(props); err != nil {
			return false, fmt.Errorf("evolve table %s: %w", want.Table, err)
		}
	}
	if !changed {
		return true, nil
	}
	_, err = tx().Commit(w.files.with(ctx))
	return false, err
}

func optional[T any](v T) iceberg.Optional[T] { return iceberg.Optional[T]{Valid: true, Val: v} }

func list(names []string) string {
	if len(names) == 0 {
		return "nothing"
	}
	return strings.Join(names, ", ")
}
