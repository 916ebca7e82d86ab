package replay

import (
	"context"
	"slices"

	"medlake/shared/lake"
	"medlake/shared/store/journal"
)

// scope is what the log says about the arrivals of a request, or of a part of them.
type scope struct {
	request lake.ReplayRequest
	hold    int
	known   map[string]*life // by arrival
	order   []*life          // of their first receipts
}

// life is what became of one arrival, up to some entry.
type life struct {
	arrival lake.Arrival
	feed    string // that its last receipt names
	status  lake.Status
	loads   []brought // each took the place of the one before
}

// brought is a load in the log.
type brought struct {
	load   string
	entry  int64
	tables []string         // that it has files in
	out    map[string]int64 // tables that were restored without it, by which entry
}

func newScope(q lake.ReplayRequest, hold int) *scope {
	return &scope{request: q, hold: hold, known: map[string]*life{}}
}

// read takes in the arrivals whose first receipts stand in entries after from-1, as many as are held, and follows them up
// to entry `to`. It returns the entry whose arrivals come next.
func (s *scope) read(ctx context.Context, j *journal.Journal, from, to int64) (next int64, err error) {
	next = to + 1
	for n := from; n <= to; n++ {
		e, err := j.Entry(ctx, n)
		if err != nil {
			return 0, err
		}
		if len(s.order) >= s.hold {
			next = min(next, n)
		}
		loads := make(map[string]*lake.Load, len(e.Loads))
		for i := range e.Loads {
			loads[e.Loads[i].Load] = &e.Loads[i]
		}
		for i := range e.Receipts {
			s.receipt(n, &e.Receipts[i], loads, n < next)
		}
		if e.Restore != nil {
			s.restore(n, e.Restore)
		}
	}
	return next, nil
}

// receipt takes in one receipt of an entry with these loads. Arrivals that are not known yet are only taken in if fresh.
func (s *scope) receipt(n int64, r *lake.Receipt, loads map[string]*lake.Load, fresh bool) {
	l := s.known[r.ID]
	if l == nil {
		if !fresh || r.Epoch > 0 || !s.holds(r.Arrival) {
			return
		}
		l = &life{arrival: r.Arrival}
		s.known[r.ID], s.order = l, append(s.order, l)
	}
	l.feed = r.Feed
	if r.Status != lake.Loaded {
		if len(l.loads) == 0 { // else a replay was refused: what was there stays
			l.status = r.Status
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
	l.status, l.loads = r.Status, append(l.loads, b)
}

// restore notes which loads a table is without after entry n. The restore decides about what came after its snapshot; about
// what came before, restores decide that were before the snapshot too.
func (s *scope) restore(n int64, r *lake.Restore) {
	for _, l := range s.order {
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

// left tells, of the tables that any load of the arrival has files in, all, and those that were restored without each of
// these loads.
func (l *life) left() (tables, without []string) {
	in := map[string]int{}
	for _, b := range l.loads {
		for _, t := range b.tables {
			if !slices.Contains(tables, t) {
				tables = append(tables, t)
			}
			if b.out[t] == 0 {
				in[t]++
			}
		}
	}
	for _, t := range tables {
		if in[t] == 0 {
			without = append(without, t)
		}
	}
	return tables, without
}

// holds reports whether an upload can be one of the request's, whatever its feed.
func (s *scope) holds(a lake.Arrival) bool {
	q := &s.request
	return (q.Customer == "" || q.Customer == a.Customer()) && !a.At.Before(q.Since) && (q.Until.IsZero() || a.At.Before(q.Until))
}

// outcome says what a replay does with an arrival.
type outcome int

const (
	derived  outcome = iota
	outside          // of another feed, or a duplicate: its rows stand with the arrival that was first
	excluded         // from every table it had rows in
)

// pending is what is to be derived of an arrival.
func (l *life) pending(epoch int64, q lake.ReplayRequest) (lake.Pending, outcome) {
	p := lake.Pending{Arrival: l.arrival, Epoch: epoch}
	switch {
	case q.Feed != "" && q.Feed != l.feed, len(l.loads) == 0 && l.status != lake.Quarantined:
		return p, outside
	case len(l.loads) == 0:
		return p, derived
	}
	p.Drops, p.Without = l.left()
	stays := func(table string) bool { return table != lake.OpsRejects && !slices.Contains(p.Without, table) }
	if len(p.Without) > 0 && !slices.ContainsFunc(p.Drops, stays) {
		return p, excluded
	}
	last := len(l.loads) - 1
	p.Replaces = l.loads[last].load
	for _, b := range l.loads[:last] { // a restore that comes before this does may show any of them
		p.Older = append(p.Older, b.load)
	}
	return p, derived
}
