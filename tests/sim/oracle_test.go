package sim

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"path"
	"strings"

	"medlake/shared/lake"
	"medlake/shared/store"
)

// goal is what a world must come to.
type goal struct {
	loads      int            // different loads
	quarantine map[string]int // arrivals by reason
}

// check compares a world at rest with what it should have come to; "" if all is well.
func (w *world) check(want goal) string {
	if w.bad != "" {
		return w.bad
	}
	entries, err := w.entries()
	if err != nil {
		return err.Error()
	}
	for _, c := range []func([]lake.Entry, goal) string{w.checkLog, w.checkTables, w.checkLedger, w.checkLeftovers} {
		if bad := c(entries, want); bad != "" {
			return bad
		}
	}
	return ""
}

func (w *world) entries() ([]lake.Entry, error) {
	var all []lake.Entry
	for n := int64(1); ; n++ {
		data, err := w.base.Get(w.ctx, store.LogKey(n))
		if errors.Is(err, lake.ErrNotFound) {
			return all, nil
		}
		if err != nil {
			return nil, err
		}
		var e lake.Entry
		if err := json.Unmarshal(data, &e); err != nil {
			return nil, err
		}
		all = append(all, e)
	}
}

// checkLog: every upload has one receipt, every load stands in one entry, receipts balance.
func (w *world) checkLog(entries []lake.Entry, want goal) string {
	receipts, loads, quarantine := map[string]int{}, map[string]int{}, map[string]int{}
	for _, e := range entries {
		for _, r := range e.Receipts {
			receipts[r.Arrival.Key]++
			if r.Read != r.Committed+r.Filtered+r.Rejected {
				return "a receipt does not balance"
			}
			if r.Status == lake.Quarantined {
				quarantine[string(r.Reason)]++
			}
		}
		for _, l := range e.Loads {
			if loads[l.Load]++; loads[l.Load] > 1 {
				return "a load stands in the log twice"
			}
		}
	}
	if len(loads) != want.loads {
		return fmt.Sprintf("%d loads in the log, want %d", len(loads), want.loads)
	}
	uploads := 0
	for o, err := range w.base.List(w.ctx, store.LandingPrefix) {
		if err != nil {
			return err.Error()
		}
		uploads++
		if n := receipts[o.Key]; n != 1 {
			return fmt.Sprintf("upload %s has %d receipts", path.Base(o.Key), n)
		}
	}
	if uploads != len(receipts) {
		return fmt.Sprintf("%d uploads, %d receipts", uploads, len(receipts))
	}
	if !maps.Equal(quarantine, want.quarantine) {
		return fmt.Sprintf("in quarantine %v, want %v", quarantine, want.quarantine)
	}
	return ""
}

// checkTables: every load of the log stands in each of its tables once, and the rows are those of the receipts.
func (w *world) checkTables(entries []lake.Entry, want goal) string {
	committed := int64(0)
	for _, e := range entries {
		for _, r := range e.Receipts {
			committed += r.Committed
		}
	}
	rows := int64(0)
	for name, t := range w.catalog.tables {
		if name == lake.OpsLoads {
			continue
		}
		loads := map[string]int{}
		for _, f := range t.files {
			loads[strings.SplitN(path.Base(f.Path), "-", 2)[0]]++
			if name != lake.OpsRejects {
				rows += f.Rows
			}
		}
		for _, e := range entries {
			for _, l := range e.Loads {
				for _, lt := range l.Tables {
					if lt.Table == name && len(lt.Files) > 0 && loads[l.Load] != len(lt.Files) {
						return fmt.Sprintf("table %s has a load %d times", name, loads[l.Load])
					}
				}
			}
		}
		if name != lake.OpsRejects && len(loads) != want.loads {
			return fmt.Sprintf("table %s has %d loads, want %d", name, len(loads), want.loads)
		}
	}
	if rows != committed {
		return fmt.Sprintf("%d rows in the tables, %d in the receipts", rows, committed)
	}
	return ""
}

// checkLedger: the files of ops.loads cover the log without gap or overlap, with a row a receipt.
func (w *world) checkLedger(entries []lake.Entry, _ goal) string {
	next := int64(1)
	for _, f := range w.catalog.tables[lake.OpsLoads].files {
		var from, to int64
		if _, err := fmt.Sscanf(path.Base(f.Path), "%d-%d-", &from, &to); err != nil {
			return err.Error()
		}
		if from != next {
			return fmt.Sprintf("ops.loads goes on with entry %d, want %d", from, next)
		}
		receipts := 0
		for _, e := range entries[from-1 : to] {
			receipts += len(e.Receipts)
		}
		if int64(receipts) != f.Rows {
			return fmt.Sprintf("ops.loads has %d rows for %d receipts", f.Rows, receipts)
		}
		next = to + 1
	}
	if next != int64(len(entries))+1 {
		return fmt.Sprintf("ops.loads ends before entry %d of %d", next, len(entries))
	}
	return ""
}

// checkLeftovers: nothing is pending any more.
func (w *world) checkLeftovers([]lake.Entry, goal) string {
	for o, err := range w.base.List(w.ctx, store.PendingPrefix) {
		if err != nil {
			return err.Error()
		}
		return "left pending: " + o.Key
	}
	return ""
}
