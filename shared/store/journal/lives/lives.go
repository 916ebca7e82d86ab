// Package lives reads from the log what became of arrivals: which loads each has brought into which tables, one in the place
// of the other, and what restores have left out of them. It is what replays and erasures go by.
package lives

import (
	"context"
	"slices"

	"medlake/shared/lake"
	"medlake/shared/store/journal"
)

// Lives are the lives of arrivals, or of a part of them.
type Lives struct {
	Order []*Life // of their first receipts
	Next  int64   // the entry whose arrivals come next, after all that were to be held; 0: there is none

	of    func(lake.Arrival) bool
	hold  int
	known map[string]*Life // by arrival
}

// Life is what became of one arrival, up to some entry.
type Life struct {
	ID      string
	Arrival lake.Arrival // without its name, once it is erased
	Feed    string       // that its last receipt names
	Status  lake.Status  // of its last load, or while it has none, of its last receipt
	Entries []int64      // of the log that have receipts of it
	Erased  int64        // the erasure that has taken it out; 0: none

	loads []brought // each took the place of the one before
}

// brought is a load in the log.
type brought struct {
	load   string
	entry  int64
	tables []string         // that it has files in
	out    map[string]int64 // tables that were restored without it, by which entry
}

// New holds the lives of arrivals that `of` says yes to, as many as hold, or all if that is 0.
func New(of func(lake.Arrival) bool, hold int) *Lives {
	return &Lives{of: of, hold: hold, known: map[string]*Life{}}
}

// Of is the life of an arrival, by id; nil if it is not held.
func (s *Lives) Of(arrival string) *Life { return s.known[arrival] }

// Read takes in the entries from one to another: arrivals whose first receipts stand there, as long as there is room, and
// what becomes of those that are held.
func (s *Lives) Read(ctx context.Context, j *journal.Journal, from, to int64) error {
	for n := from; n <= to; n++ {
		e, err := j.Entry(ctx, n)
		if err != nil {
			return err
		}
		s.Take(&e.Entry)
	}
	return nil
}

// Take takes in one entry.
func (s *Lives) Take(e *lake.Entry) {
	if s.Next == 0 && s.hold > 0 && len(s.Order) >= s.hold {
		s.Next = e.N
	}
	loads := make(map[string]*lake.Load, len(e.Loads))
	for i := range e.Loads {
		loads[e.Loads[i].Load] = &e.Loads[i]
	}
	for i := range e.Receipts {
		s.receipt(e.N, &e.Receipts[i], loads)
	}
	s.Settle(e)
}

// Settle takes in what an entry decides about arrivals that are held, but no receipts.
func (s *Lives) Settle(e *lake.Entry) {
	if e.Restore != nil {
		s.restore(e.N, e.Restore)
	}
	if e.Erase != nil {
		for i := range e.Erase.Uploads {
			if l := s.known[e.Erase.Uploads[i].Arrival]; l != nil {
				l.Erased = e.N
			}
		}
	}
}

// receipt takes in one receipt of an entry with these loads. The first receipt of an upload that an erasure has put in the
// place of another bears the erasure's number, that of any other none.
func (s *Lives) receipt(n int64, r *lake.Receipt, loads map[string]*lake.Load) {
	l := s.known[r.ID]
	if l == nil {
		erasure, _, _ := r.Arrival.Rewritten()
		if s.Next > 0 || r.Epoch > 0 && r.Epoch != erasure || !s.of(r.Arrival) {
			return
		}
		l = &Life{ID: r.ID, Arrival: r.Arrival}
		s.known[r.ID], s.Order = l, append(s.Order, l)
	}
	l.Feed, l.Entries = r.Feed, append(l.Entries, n)
	if r.Status != lake.Loaded {
		if len(l.loads) == 0 { // else a replay was refused: what was there stays
			l.Status = r.Status
		}
		return
	}
	b := brought{load: r.Load, entry: n, out: map[string]int64{}}
	if x := loads[r.Load]; x != nil {
		for _, t := range x.Tables {
			if len(t.Files) > 0 {
				b.tables = append(b.tables, t.Table)
			}
		}
	}
	l.Status, l.loads = r.Status, append(l.loads, b)
}

// restore notes which loads a table is without after entry n. The restore decides about what came after its snapshot; about
// what came before, restores decide that were before the snapshot too.
func (s *Lives) restore(n int64, r *lake.Restore) {
	for _, l := range s.Order {
		for i := range l.loads {
			b := &l.loads[i]
			switch {
			case b.entry > r.Batch && slices.Contains(r.Exclude, b.load):
				b.out[r.Table] = n
			case b.entry > r.Batch, b.out[r.Table] > r.Batch:
				delete(b.out, r.Table)
			}
		}
	}
}

// Loads lists what the arrival has brought: the load whose rows are there now, empty if there is none, and those before it,
// which a restore may bring back.
func (l *Life) Loads() (now string, older []string) {
	for i, b := range l.loads {
		if i == len(l.loads)-1 {
			return b.load, older
		}
		older = append(older, b.load)
	}
	return "", nil
}

// Tables lists the tables that any load of the arrival has files in: all, and those that were restored without each of
// these loads.
func (l *Life) Tables() (all, without []string) {
	in := map[string]int{}
	for _, b := range l.loads {
		for _, t := range b.tables {
			if !slices.Contains(all, t) {
				all = append(all, t)
			}
			if b.out[t] == 0 {
				in[t]++
			}
		}
	}
	for _, t := range all {
		if in[t] == 0 {
			without = append(without, t)
		}
	}
	return all, without
}
