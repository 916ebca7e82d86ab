package sim

import (
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
	loads      int            // different loads of the uploads themselves
	quarantine map[string]int // arrivals by reason
}

// check compares a world at rest with what it should have come to; "" if all is well.
func (w *world) check(want goal) string {
	w.truth = newTruth(w) // whatever was read before may have been changed since
	clear(w.seen)
	if err := w.truth.to(1 << 40); err != nil {
		return err.Error()
	}
	for _, c := range []func(goal) string{w.checkLog, w.checkReplays, w.checkTables, w.checkLeftovers, w.checkErased, w.checkOthers} {
		if w.bad != "" {
			return w.bad
		}
		if bad := c(want); bad != "" {
			return bad
		}
	}
	return w.bad
}

// checkLog: every upload has one receipt of its own and at most one for each replay, every load stands in one entry,
// receipts balance, and nothing comes after the replay that ended it.
func (w *world) checkLog(want goal) string {
	type receipt struct {
		key   string
		epoch int64
	}
	receipts, loads, quarantine, own, replay := map[receipt]int{}, map[string]int{}, map[string]int{}, 0, int64(0)
	erasures := map[int64]bool{}
	for _, e := range w.truth.entries {
		if e.Replay != nil {
			replay = e.N
		}
		erasures[e.N] = e.Erase != nil
		for _, r := range e.Receipts {
			receipts[receipt{r.Arrival.Key, r.Epoch}]++
			if r.Read != r.Committed+r.Filtered+r.Rejected {
				return "a receipt does not balance"
			}
			if r.Epoch != 0 && r.Epoch != replay && !erasures[r.Epoch] {
				return fmt.Sprintf("entry %d has a receipt of replay %d, which %d ended", e.N, r.Epoch, replay)
			}
			if r.Status == lake.Quarantined && r.Epoch == 0 {
				quarantine[string(r.Reason)]++
			}
		}
		for _, l := range e.Loads {
			if loads[l.Load]++; loads[l.Load] > 1 {
				return "a load stands in the log twice"
			}
			if l.Epoch == 0 {
				own++
			}
		}
	}
	if own != want.loads {
		return fmt.Sprintf("%d loads in the log, want %d", own, want.loads)
	}
	for o, err := range w.base.List(w.ctx, store.LandingPrefix) {
		if err != nil {
			return err.Error()
		}
		epoch, _, _ := w.base.Arrival(o).Rewritten()
		if receipts[receipt{o.Key, epoch}] == 0 {
			return fmt.Sprintf("upload %s has no receipt", path.Base(o.Key))
		}
	}
	for r, n := range receipts {
		if n > 1 {
			return fmt.Sprintf("upload %s has %d receipts for replay %d", path.Base(r.key), n, r.epoch)
		}
	}
	if !maps.Equal(quarantine, want.quarantine) {
		return fmt.Sprintf("in quarantine %v, want %v", quarantine, want.quarantine)
	}
	return ""
}

// checkReplays: every arrival before the last replay has its receipt, but those whose rows stand with another arrival and
// those that restores left out.
func (w *world) checkReplays(goal) string {
	last, restored := int64(0), false
	for _, e := range w.truth.entries {
		if e.Replay != nil {
			last = e.N
		}
		restored = restored || e.Restore != nil && len(e.Restore.Exclude) > 0
	}
	if last == 0 || restored { // a load that was left out of all tables stays out
		return ""
	}
	todo := map[string]bool{}
	for _, e := range w.truth.entries {
		for _, r := range e.Receipts {
			switch {
			case r.Epoch == last:
				delete(todo, r.ID)
			case e.N < last && r.Epoch == 0 && r.Status != lake.Duplicate:
				todo[r.ID] = true
			}
		}
	}
	for id := range todo {
		return fmt.Sprintf("replay %d left out the upload %q", last, w.uploads[id])
	}
	return ""
}

// checkTables: every table shows all that the log says, as if it held the last entry.
func (w *world) checkTables(goal) string {
	names, err := w.lake.Tables(w.ctx)
	if err != nil {
		return err.Error()
	}
	tail := int64(len(w.truth.entries))
	for _, name := range names {
		h, err := w.lake.Batch(w.ctx, name)
		if err != nil {
			return err.Error()
		}
		files, err := w.lake.Live(w.ctx, h, "")
		if err != nil {
			return err.Error()
		}
		s, err := w.schema(name)
		if err == nil {
			err = w.shows(s, files, tail, h.Fold)
		}
		if err == nil && name == changing.Current.Table && w.small && h.Snapshot != 0 && h.Fold != w.folds[len(w.folds)-1].Fold.Version() {
			err = errors.New("it is not folded by the last metadata")
		}
		if err == nil {
			err = w.kept(name)
		}
		if err != nil {
			return fmt.Sprintf("in the end table %s, at entry %d of %d: %v", name, h.Batch, tail, err)
		}
	}
	return ""
}

// kept looks for the files that the kept states of a table name: a reader of any of them must find all.
func (w *world) kept(table string) error {
	keys, err := w.lake.Referenced(w.ctx, table)
	for key := range keys {
		if strings.HasSuffix(key, ".metadata.json") { // of the past, which nobody reads and no backup has
			continue
		}
		if _, lost := w.objects.get(key); lost != nil {
			return fmt.Errorf("a kept state names %s, which is not there", key)
		}
	}
	return err
}

// checkLeftovers: nothing is pending any more.
func (w *world) checkLeftovers(goal) string {
	for o, err := range w.base.List(w.ctx, store.PendingPrefix) {
		if err != nil {
			return err.Error()
		}
		return "left pending: " + o.Key
	}
	return ""
}
