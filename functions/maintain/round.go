package maintain

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"medlake/shared/faas/meter"
	"medlake/shared/lake"
	"medlake/shared/warehouse"
)

// Order says what a round is to do.
type Order struct {
	Dry    bool     // nothing is changed: the report says what would be
	Delete bool     // also list the files of the tables and delete what is left over
	Tables []string // only these; empty: all
}

// Report is what a round did, or what it would do.
type Report struct {
	Tables []Table
	Folded int64 // log entries up to here lie folded
	Left   int   // tables and groups of files that no budget was left for
}

// Table is the report on one table.
type Table struct {
	Table     string
	Groups    []Group // of files to compact
	Compacted int     // how many of the groups were
	GaveUp    int     // how many were not, because others changed their files meanwhile
	Manifests bool    // whether they were rewritten
	Deleted   Deleted
}

// Deleted counts objects that were left over.
type Deleted struct {
	Files int
	Bytes int64
}

// Round looks after every table. A table that fails does not hold up the others and is met again by the next round.
func (m *Maintainer) Round(ctx context.Context, o Order) (r Report, err error) {
	m.rounds.Lock()
	defer m.rounds.Unlock()
	if !o.Dry {
		defer func(start time.Time) { m.measure(ctx, r, start, err) }(time.Now())
	}
	now, err := m.now(ctx, o.Dry)
	if err != nil {
		return r, err
	}
	names, err := m.cfg.Tables.Tables(ctx)
	if err != nil {
		return r, fmt.Errorf("list tables: %w", err)
	}
	w := &work{Maintainer: m, Order: o, now: now, names: names, bytes: m.cfg.Budget.Bytes, until: time.Now().Add(m.cfg.Budget.Time)}
	var errs []error
	for i := range names {
		name := names[(i+int(now.Unix()/60))%len(names)] // from another one each time, lest the last are never reached
		if len(o.Tables) > 0 && !slices.Contains(o.Tables, name) {
			continue
		}
		if w.over(ctx) {
			r.Left++
			continue
		}
		t := Table{Table: name}
		if err := w.table(ctx, &t); err != nil {
			errs = append(errs, fmt.Errorf("table %s: %w", name, err))
		}
		r.Tables = append(r.Tables, t)
	}
	slices.SortFunc(r.Tables, func(a, b Table) int { return strings.Compare(a.Table, b.Table) })
	r.Left += w.left
	if !o.Dry {
		if r.Folded, err = w.fold(ctx); err != nil {
			errs = append(errs, err)
		}
		if len(o.Tables) == 0 {
			errs = append(errs, w.measure(ctx, r.Tables))
		}
	}
	m.report(ctx, r)
	return r, errors.Join(errs...)
}

func (m *Maintainer) measure(ctx context.Context, r Report, start time.Time, err error) {
	for _, t := range r.Tables {
		m.cfg.Meter.Add(ctx, meter.Compacted, int64(t.Compacted), t.Table)
		m.cfg.Meter.Add(ctx, meter.GaveUp, int64(t.GaveUp), t.Table)
		m.cfg.Meter.Add(ctx, meter.Deleted, int64(t.Deleted.Files), t.Table)
		m.cfg.Meter.Add(ctx, meter.Freed, t.Deleted.Bytes, t.Table)
	}
	m.cfg.Meter.Set(ctx, meter.LeftOver, float64(r.Left))
	m.cfg.Meter.Set(ctx, meter.Folded, float64(r.Folded))
	m.cfg.Meter.Round(ctx, "maintain", start, err)
}

func (m *Maintainer) report(ctx context.Context, r Report) {
	for _, t := range r.Tables {
		if t.Compacted+t.GaveUp+t.Deleted.Files > 0 {
			m.log.InfoContext(ctx, "maintained", "table", t.Table, "compacted", t.Compacted, "gave_up", t.GaveUp,
				"deleted", t.Deleted.Files, "deleted_bytes", t.Deleted.Bytes)
		}
	}
}

// work is one round.
type work struct {
	*Maintainer
	Order
	now   time.Time
	names []string // all tables

	bytes int64     // left to be read by compaction
	until time.Time // no new piece of work is begun after this
	left  int

	erase *Purge // nil: the round is no purge
}

// over reports whether the time of the round is up.
func (w *work) over(ctx context.Context) bool { return ctx.Err() != nil || !time.Now().Before(w.until) }

// current reports whether a table is made from its log by merge.
func (w *work) current(ctx context.Context, name string) (bool, error) {
	head, err := w.cfg.Tables.Batch(ctx, name)
	return head.Fold != "", err
}

// made is the table that is made from a log table; empty if there is none, or merge has not made it yet.
func (w *work) made(ctx context.Context, name string) (string, error) {
	base, ok := strings.CutSuffix(name, logSuffix)
	if !ok || !slices.Contains(w.names, base) {
		return "", nil
	}
	if made, err := w.current(ctx, base); err != nil || !made {
		return "", err
	}
	return base, nil
}

const logSuffix = "_log"

// table does all there is to do for one table.
func (w *work) table(ctx context.Context, t *Table) error {
	var errs []error
	if !w.Dry {
		errs = append(errs, w.unlessMoved(ctx, t.Table, func(warehouse.Head) error { return w.cfg.Tables.TagMonths(ctx, t.Table, w.now) }))
	}
	errs = append(errs, w.compactAll(ctx, t))
	if !w.Dry {
		errs = append(errs, w.unlessMoved(ctx, t.Table, func(h warehouse.Head) (err error) {
			if h.Snapshot != 0 {
				t.Manifests, err = w.cfg.Tables.RewriteManifests(ctx, h)
			}
			return err
		}), w.unlessMoved(ctx, t.Table, func(warehouse.Head) error { return w.cfg.Tables.Expire(ctx, t.Table) }))
	}
	if w.Delete && ctx.Err() == nil {
		errs = append(errs, w.clean(ctx, t))
	}
	return errors.Join(errs...)
}

// unlessMoved does something that fails if the table moves meanwhile: then it is left to the next round.
func (w *work) unlessMoved(ctx context.Context, name string, f func(warehouse.Head) error) error {
	head, err := w.cfg.Tables.Batch(ctx, name)
	if err != nil {
		return err
	}
	if err = f(head); err != nil {
		if now, again := w.cfg.Tables.Batch(ctx, name); again == nil && now.Snapshot != head.Snapshot {
			return nil
		}
	}
	return err
}

// compactAll plans a table and compacts its groups, each in a transaction of its own: whoever dies loses one at most.
func (w *work) compactAll(ctx context.Context, t *Table) error {
	if t.Table == lake.OpsHealth {
		return nil
	}
	_, files, err := w.live(ctx, t.Table)
	if err != nil {
		return err
	}
	if t.Groups, err = w.plan(ctx, files); err != nil || w.Dry {
		return err
	}
	for i := range t.Groups {
		g := &t.Groups[i]
		if w.bytes < g.Bytes() || w.over(ctx) {
			w.left += len(t.Groups) - i
			break
		}
		w.bytes -= g.Bytes()
		done, err := w.compact(ctx, t.Table, g)
		switch {
		case err != nil:
			return fmt.Errorf("compact %d files: %w", len(g.Files), err)
		case done:
			t.Compacted++
		default:
			t.GaveUp++
		}
	}
	return nil
}
