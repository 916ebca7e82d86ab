package sim

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"medlake/shared/lake"
	"medlake/shared/store/journal"
	"medlake/shared/warehouse"
)

// truth is what the tables must show, from the uploads and the log alone.
type truth struct {
	w       *world
	entries []*journal.Entry             // 1, 2, …
	loads   map[string][]map[string]bool // by table and entry: the loads it must show
	records map[string]record            // by load
	rows    map[string][]row             // by load and table
}

// to reads the log up to entry n at least, or to its end.
func (t *truth) to(n int64) error {
	j := journal.New(t.w.base)
	for int64(len(t.entries)) < n {
		e, err := j.Entry(t.w.ctx, int64(len(t.entries))+1)
		if errors.Is(err, lake.ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		t.entries = append(t.entries, e)
	}
	return nil
}

// shown is which loads a table shows when it holds the entries up to n.
func (t *truth) shown(table string, n int64) (map[string]bool, error) {
	if err := t.to(n); err != nil {
		return nil, err
	}
	if n > int64(len(t.entries)) {
		return nil, fmt.Errorf("table %s says it holds entry %d of %d", table, n, len(t.entries))
	}
	states := t.loads[table]
	if states == nil {
		states = []map[string]bool{{}}
	}
	for i := int64(len(states)); i <= n; i++ {
		e := t.entries[i-1]
		now := maps.Clone(states[i-1])
		if r := e.Restore; r != nil && r.Table == table && (t.w.memory == nil || !t.w.memory.passedOver(r, e.N)) {
			now = maps.Clone(states[r.Batch])
			for _, later := range t.entries[r.Batch : i-1] {
				take(now, later, table, r.Exclude)
			}
		}
		take(now, e, table, nil)
		states = append(states, now)
	}
	t.loads[table] = states
	return states[n], nil
}

// take brings the loads of an entry into a table, in the place of what they replace, but those that are excluded.
func take(now map[string]bool, e *journal.Entry, table string, exclude []string) {
	for _, l := range e.Loads {
		excluded := slices.Contains(exclude, l.Load)
		if slices.Contains(l.Drops, table) && (!excluded || l.Erased) {
			delete(now, l.Replaces)
			for _, older := range l.Older {
				delete(now, older)
			}
		}
		for _, f := range l.Tables {
			if f.Table == table && len(f.Files) > 0 && !excluded {
				now[l.Load] = true
			}
		}
	}
}

// brought are the rows that an upload brings to a table as a load.
func (t *truth) brought(load, table string) ([]row, error) {
	rows, ok := t.rows[load+" "+table]
	if ok {
		return rows, nil
	}
	rec, err := t.record(load)
	if err != nil {
		return nil, err
	}
	text, err := t.w.text(rec.Arrival)
	if err != nil {
		return nil, fmt.Errorf("load %s: %w", load, err)
	}
	engine := smallEngine{later: rec.Metadata == smallEngine{later: true}.Version()}
	if table != lake.OpsRejects {
		rows, _ = engine.read(text, table)
	} else if strings.HasPrefix(text, "reject") {
		for _, s := range smallTables {
			all, _ := engine.read(text, s.Table)
			rows = append(rows, row{Word: s.Table, N: int64(len(all)) + 1})
		}
	}
	for i := range rows {
		rows[i].Customer, rows[i].Load, rows[i].Arrived = rec.Customer, load, rec.ArrivedAt.UnixMicro()
	}
	t.rows[load+" "+table] = rows
	return rows, nil
}

// want are the rows that a table shows when it holds the entries up to n, made by a version of the metadata if it changes.
func (t *truth) want(table string, n int64, version string) (rows []row, err error) {
	switch table {
	case lake.OpsHealth:
		return nil, nil
	case lake.OpsLoads:
		if err := t.to(n); err != nil {
			return nil, err
		}
		for _, e := range t.entries[:n] {
			for _, r := range e.Receipts {
				rows = append(rows, row{
					Customer: r.Arrival.Customer(), Load: r.Load, Arrived: r.Arrival.At.UnixMicro(), Word: r.ID, At: r.Epoch,
				})
			}
		}
		return rows, nil
	case changing.Current.Table:
		if rows, err = t.want(changing.Log.Table, n, ""); err != nil {
			return nil, err
		}
		return fold(rows, version), nil
	}
	loads, err := t.shown(table, n)
	if err != nil {
		return nil, err
	}
	for load := range loads {
		brought, err := t.brought(load, table)
		if err != nil {
			return nil, err
		}
		rows = append(rows, brought...)
	}
	return rows, nil
}

// fold is what lake.v shows of rows of its log, by a version of the metadata. It is not the one that is tried here.
func fold(rows []row, version string) (shown []row) {
	later := version == changingLater.Fold.Version()
	keys := map[[2]string][]row{}
	for _, r := range rows {
		k := [2]string{r.Customer, r.ID}
		keys[k] = append(keys[k], r)
	}
	for _, rows := range keys {
		slices.SortFunc(rows, func(a, b row) int {
			return cmp.Or(cmp.Compare(a.At, b.At), cmp.Compare(a.Arrived, b.Arrived), cmp.Compare(a.Load, b.Load), cmp.Compare(a.N, b.N))
		})
		last := rows[len(rows)-1]
		name, bed := "", ""
		for _, r := range rows {
			name = cmp.Or(r.Name, name)
			if later {
				bed = cmp.Or(r.Bed, bed)
			} else if r.Event == "move" {
				bed = r.Bed
			}
		}
		gone := last.Event == "del"
		if later {
			gone = last.Event == "move"
		}
		if last.Name, last.Bed = name, bed; !gone {
			shown = append(shown, last)
		}
	}
	return shown
}

// look does what a reader does at this moment: a table must show exactly what its number says, and each key once.
func (w *world) look(name string) {
	if w.bad != "" {
		return
	}
	h, err := w.lake.Batch(w.ctx, name)
	if err == nil && h.Snapshot == w.seen[name] {
		return
	}
	w.seen[name] = h.Snapshot
	if err == nil && h.Batch < w.batch[name] {
		err = fmt.Errorf("it held entry %d before", w.batch[name])
	}
	w.batch[name] = h.Batch
	var files []warehouse.LiveFile
	if err == nil {
		files, err = w.lake.Live(w.ctx, h, "")
	}
	var s lake.Schema
	if err == nil {
		s, err = w.schema(name)
	}
	if err == nil {
		err = w.shows(s, files, h.Batch, h.Fold)
	}
	if err != nil {
		w.bad = fmt.Sprintf("table %s at entry %d: %v", name, h.Batch, err)
	}
}

// shows compares what a table of a simulation shows with what it must show at entry n.
func (w *world) shows(s lake.Schema, files []warehouse.LiveFile, n int64, version string) error {
	for _, f := range files {
		if _, read := w.files[f.Path]; read { // is it still there?
			key, err := w.base.Key(f.Path)
			if err == nil {
				_, err = w.base.Head(w.ctx, key)
			}
			if err != nil {
				return fmt.Errorf("names a file that is not there: %w", err)
			}
		}
	}
	got, err := w.visible(s, files)
	if err != nil {
		return err
	}
	if !w.small {
		return w.counts(got, s.Table, n)
	}
	want, err := w.truth.want(s.Table, n, version)
	if err != nil {
		return err
	}
	if s.Table == lake.OpsHealth {
		return nil
	}
	if bad := differ(got, want); bad != "" {
		return errors.New(bad)
	}
	return nil
}

// counts compares the rows of each load with what the log says, where the uploads are not read here.
func (w *world) counts(got []row, table string, n int64) error {
	if table == lake.OpsLoads {
		want, err := w.truth.want(table, n, "")
		if bad := differ(got, want); err == nil && bad != "" {
			err = errors.New(bad)
		}
		return err
	}
	loads, err := w.truth.shown(table, n)
	if err != nil {
		return err
	}
	rows := map[string]int64{}
	for _, r := range got {
		rows[r.Load]++
	}
	for _, e := range w.truth.entries[:n] {
		for _, l := range e.Loads {
			for _, t := range l.Tables {
				if t.Table == table && loads[l.Load] {
					rows[l.Load] -= t.Committed
				}
			}
		}
	}
	for load, more := range rows {
		if more != 0 {
			return fmt.Errorf("load %s has %d rows too many", load, more)
		}
	}
	return nil
}
