package sim

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cloudevents/sdk-go/v2/event"

	"medlake/shared/store/faulty"
)

type options struct {
	kind    *kind // nil: small
	chance  float64
	plan    func(call int) faulty.Fault
	broken  *variant
	busy    bool // much is merged, maintained and restored
	more    more
	catalog string // URL; empty: in memory
	trace   func(string)
}

// more is what happens in a world that few others would come to.
type more struct {
	copies   int // of the lake, by one process, after one before anything else
	restores int // processes that restore
	sleep    int // one in so many calls puts its process to sleep, not in 150
}

// simulate runs one world: uploads of all kinds, events lost and doubled, workers, committers, mergers and all others at
// once; then all faults end, what slept wakes up, sweeps and commits bring it to rest, and it is checked.
func simulate(ctx context.Context, seed uint64, o options) (done tally, bad string, err error) {
	k := small(seed)
	if o.kind != nil {
		k = *o.kind
	}
	w, err := newWorld(ctx, seed, k, o.broken, o.catalog)
	if err != nil {
		return tally{}, "", err
	}
	defer func() { err = errors.Join(err, w.end()) }()
	w.trace, w.more, w.busy = o.trace, o.more, o.busy || seed%4 == 1
	var old []event.Event
	if o.plan == nil && len(k.folds) > 0 && (w.busy || w.rng.IntN(2) == 0) {
		if w.rng.IntN(2) == 0 {
			w.chance = o.chance
		}
		if old, err = w.history(k); err != nil {
			return tally{}, "", err
		}
		w.now = w.now.Add(time.Duration(w.rng.IntN(2)) * 100 * time.Hour) // what its dead left behind is old
	}
	if w.more.copies > 0 {
		w.drive(w.spawn("first backup", backups(1)))
	}
	w.chance, w.plan = o.chance, o.plan
	if o.plan == nil {
		if w.url != "" && (w.rng.IntN(2) == 0 || w.broken != nil && w.broken.rebuilt != nil) {
			w.lost = w.calls + 1 + w.rng.IntN(300)
		}
		w.sleepy, w.until = cmp.Or(w.more.sleep, 150), w.now.Add(15*time.Hour)
	}
	processes, err := w.populate(k, old)
	if err != nil {
		return tally{}, "", err
	}
	w.drive(processes...)
	faults := w.calls
	w.chance, w.plan, w.sleepy = 0, nil, 0
	if w.lost > 0 {
		kill(w.asleep)
		w.asleep = nil
		if err := w.rebuild(o.catalog + ".again"); err != nil {
			return w.tally, "", err
		}
	}
	if w.rng.IntN(2) == 0 {
		w.wake(k)
	}
	w.rest(k)
	if len(w.asleep) > 0 {
		w.wake(k)
		w.rest(k)
	}
	if len(k.folds) > 0 && o.plan == nil {
		w.now = w.now.Add(100 * time.Hour)
		if k.patients != nil {
			if err := w.change(); err != nil {
				return w.tally, "", err
			}
		}
		w.drive(w.elder(maintainRounds(1)))
	}
	if w.copied != nil && w.bad == "" {
		if err := w.again(k, o.catalog); err != nil {
			w.bad = err.Error()
		}
	}
	if k.patients != nil {
		w.erased = false
		if w.drive(w.spawn("erase", eraseOnce(k.patients))); !w.erased && w.bad == "" {
			w.bad = "a patient cannot be erased"
		}
	}
	w.tally.calls = faults
	return w.tally, w.check(k.goal), nil
}

// wake lets those that sleep go on, a day later and after much maintenance.
func (w *world) wake(k kind) {
	if len(w.asleep) == 0 {
		return
	}
	if w.now = w.now.Add(26 * time.Hour); len(k.folds) > 0 { // all in all less than a file without a record is safe for
		w.drive(w.elder(maintainRounds(3)))
	}
	w.woken = true
	w.drive(w.asleep...)
	w.asleep = nil
}

// again is the world that comes back from its backup: the last one of before, or a last one.
func (w *world) again(k kind, catalog string) error {
	if !w.verified || w.broken == nil && w.rng.IntN(2) == 0 {
		if err := w.complete(); err != nil {
			return err
		}
	}
	if err := w.bringBack(catalog + ".back"); err != nil {
		return err
	}
	w.rest(k)
	w.drive(w.elder(maintainRounds(1)))
	return nil
}

// history takes some uploads in, one after the other, before anything fails.
func (w *world) history(k kind) (events []event.Event, err error) {
	for _, u := range k.uploads[:2+w.rng.IntN(4)] {
		e, err := w.upload(u[0], u[1], false)
		if err != nil {
			return nil, err
		}
		events = append(events, e)
		w.drive(w.elder(processEvents(e)))
		w.drive(w.elder(commitRounds(1)))
		if w.rng.IntN(3) > 0 {
			w.drive(w.elder(mergeRounds(1, w.folds[0])))
		}
		if w.busy && w.rng.IntN(3) == 0 {
			w.drive(w.elder(maintainRounds(1)))
		}
	}
	return events, nil
}

// populate makes the uploads and the processes of a world, in which there are some uploads already.
func (w *world) populate(k kind, events []event.Event) (processes []*process, err error) {
	for _, u := range k.uploads[len(events):] {
		e, err := w.upload(u[0], u[1], w.rng.IntN(4) == 0)
		if err != nil {
			return nil, err
		}
		events = append(events, e)
	}
	events = append(events, events[0], events[1], events[3], events[4]) // events come twice
	w.rng.Shuffle(len(events), func(i, j int) { events[i], events[j] = events[j], events[i] })
	for i := 0; i < len(events); {
		n := min(1+w.rng.IntN(2), len(events)-i)
		if w.rng.IntN(5) > 0 { // else lost
			processes = append(processes, w.spawn(fmt.Sprintf("ingest%d", i), processEvents(events[i:i+n]...)))
		}
		i += n
	}
	some := func(name string, most int, job func() func(*process) error) {
		for i := range w.rng.IntN(most + 1) {
			processes = append(processes, w.spawn(fmt.Sprint(name, i), job()))
		}
	}
	some("commit", 4, func() func(*process) error { return commitRounds(1 + w.rng.IntN(3)) })
	some("sweep", 1, func() func(*process) error { return sweepOnce })
	if len(k.folds) > 0 {
		more := 1
		if w.busy {
			more = 2
		}
		some("merge", 3, func() func(*process) error { return mergeRounds(more+w.rng.IntN(3), w.folds[w.rng.IntN(len(w.folds))]) })
		some("maintain", 1+more, func() func(*process) error { return maintainRounds(more + w.rng.IntN(2)) })
		some("restore", 2*w.rng.IntN(1+more), func() func(*process) error { return restoreSome })
	}
	if k.replays {
		some("replay", w.rng.IntN(2), func() func(*process) error { return replayAll })
	}
	if w.more.copies > 0 {
		processes = append(processes, w.spawn("backup", backups(w.more.copies)))
	} else if w.url != "" {
		some("backup", 1, func() func(*process) error { return backups(1 + w.rng.IntN(2)) })
	}
	for i := range w.more.restores {
		processes = append(processes, w.spawn(fmt.Sprint("more", i), restoreSome))
	}
	if k.patients != nil {
		some("erase", 2, func() func(*process) error { return eraseOnce(k.patients) })
	}
	return processes, nil
}

// rest brings a world to rest: nothing fails any more.
func (w *world) rest(k kind) {
	rounds, start := 1, w.elder
	if w.rng.IntN(2) == 0 {
		start = func(job func(*process) error) *process { return w.spawn("rest", job) }
	}
	if k.goal.quarantine["crashed"] > 0 {
		rounds = 4 // it must have died three times
	}
	for range rounds {
		w.drive(start(sweepOnce))
	}
	w.drive(start(commitRounds(1)))
	if k.replays {
		w.replayed = false
		for i := 0; !w.replayed && w.bad == ""; i++ { // what a restore overtook is derived again
			if w.drive(start(resumeReplay)); i == 10 {
				w.bad = "a replay has no end"
			}
			w.drive(start(commitRounds(1)))
		}
	}
	if len(k.folds) > 0 {
		w.drive(start(mergeRounds(1, w.folds[len(w.folds)-1])))
	}
	if k.patients != nil {
		// An ingest that slept since before may write once more what it had read: its file is deleted as every loser's is.
		if w.drive(start(eraseOnce(k.patients))); !w.erased && !w.woken && w.bad == "" {
			w.bad = "a patient cannot be erased while nothing else is done"
		}
	}
}
