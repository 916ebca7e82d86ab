package warehouse

import (
	"context"
	"errors"
	"fmt"

	"medlake/shared/lake"
	"medlake/shared/store"
)

// selfTestPrefix begins the names of throw-away tables. One that a crash left behind is not listed.
const selfTestPrefix = "ops.selftest_"

// SelfTest proves on a throw-away table that of two commits made from one head exactly one takes effect. Without that the
// lake would lose rows or double them. It removes what it made.
func (w *Warehouse) SelfTest(ctx context.Context) (err error) {
	name := selfTestPrefix + w.cat.name()
	defer func() { err = errors.Join(err, w.drop(ctx, name)) }()
	want := lake.Schema{Table: name, Columns: []lake.Column{{Name: "n", Type: lake.Type{Kind: lake.Long}}}}
	if _, err := w.create(ctx, want, 0); err != nil {
		return fmt.Errorf("self-test of the catalog: %w", err)
	}
	for round := int64(0); round < 2; round++ { // from no snapshot, then from one
		h, err := w.Batch(ctx, name)
		if err != nil {
			return fmt.Errorf("self-test of the catalog: %w", err)
		}
		outcome := make(chan error, 2)
		commit := func(i int) {
			f := lake.DataFile{Path: fmt.Sprintf("%s/data/%d-%d.parquet", h.tbl.Location(), round, i), Rows: 1, Bytes: 1}
			outcome <- w.Apply(ctx, h, Change{Add: []lake.DataFile{f}, Batch: h.Batch + 1})
		}
		for i := range 2 {
			if w.cat.single {
				commit(i) // one after the other: only the pin is proved
			} else {
				go commit(i)
			}
		}
		first, second := <-outcome, <-outcome
		p, err := w.Plan(ctx, name, "")
		if err != nil {
			return fmt.Errorf("self-test of the catalog: %w", err)
		}
		if (first == nil) == (second == nil) || len(p.Files) != int(round)+1 || p.Batch != round+1 {
			return fmt.Errorf("the catalog does not compare and swap: two commits from one head left %d files at number %d (%v, %v); use another catalog",
				len(p.Files), p.Batch, first, second)
		}
	}
	return nil
}

// drop removes a table that never had data.
func (w *Warehouse) drop(ctx context.Context, name string) error {
	ident, err := w.cat.identifier(name)
	if err != nil {
		return err
	}
	if err := w.cat.DropTable(w.files.with(ctx), ident); err != nil {
		return fmt.Errorf("drop %s: %w", name, err)
	}
	for o, err := range w.files.bucket.List(ctx, store.TablePrefix(name)) {
		if err == nil {
			err = w.files.bucket.Delete(ctx, o.Key)
		}
		if err != nil {
			return fmt.Errorf("drop %s: %w", name, err)
		}
	}
	return nil
}
