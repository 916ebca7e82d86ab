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
	loads   map[string]*life // by any load an arrival had
	order   []*life          // of their first receipts
}

// life is what became of one arrival, up to some entry.
type life struct {
	arrival lake.Arrival
	feed    string // that its last receipt names
	status  lake.Status
	load    string   // whose rows stand in the tables; empty: none
	older   []string // loads before it
	tables  []string // that any of these has files in
	without []string // tables that were restored without any of these
	undone  bool     // a table was restored without the last load, and so with one before it
}

func newScope(q lake.ReplayRequest, hold int) *scope {
	return &scope{request: q, hold: hold, known: map[string]*life{}, loads: map[string]*life{}}
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
			s.receipt(&e.Receipts[i], loads, n < next)
		}
		if e.Restore != nil {
			s.restore(e.Restore)
		}
	}
	return next, nil
}

// receipt takes in one receipt of an entry with these loads. Arrivals that are not known yet are only taken in if fresh.
func (s *scope) receipt(r *lake.Receipt, loads map[string]*lake.Load, fresh bool) {
	l := s.known[r.ID]
	if l == nil {
		if !fresh || r.Epoch > 0 || !s.holds(r.Arrival) {
			return
		}
		l = &life{arrival: r.Arrival}
		s.known[r.ID], s.order = l, append(s.order, l)
	}
	l.feed = r.Feed
	switch {
	case r.Status != lake.Loaded && l.load != "": // a replay that was refused: what was there stays
		return
	case r.Status == lake.Loaded:
		if l.load != "" {
			l.older = append(l.older, l.load)
		}
		l.load = r.Load
		s.loads[r.Load] = l
		if x := loads[r.Load]; x != nil {
			l.fills(x)
		}
	}
	l.status = r.Status
}

func (l *life) fills(x *lake.Load) {
	for _, t := range x.Tables {
		if len(t.Files) > 0 && !slices.Contains(l.tables, t.Table) {
			l.tables = append(l.tables, t.Table)
		}
	}
}

// restore notes which loads a table was restored without. Where a load replaced another one, that one is back.
func (s *scope) restore(r *lake.Restore) {
	for _, load := range r.Exclude {
		l := s.loads[load]
		if l == nil || l.load != load || slices.Contains(l.without, r.Table) {
			continue
		}
		back := func(older string) bool { return !slices.Contains(r.Exclude, older) }
		if slices.ContainsFunc(l.older, back) {
			l.undone = true
		} else {
			l.without = append(l.without, r.Table)
		}
	}
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
	case q.Feed != "" && q.Feed != l.feed, l.load == "" && l.status != lake.Quarantined:
		return p, outside
	case l.load == "":
		return p, derived
	}
	stays := func(table string) bool { return table != lake.OpsRejects && !slices.Contains(l.without, table) }
	if len(l.without) > 0 && !slices.ContainsFunc(l.tables, stays) {
		return p, excluded
	}
	p.Replaces, p.Drops, p.Without = l.load, l.tables, l.without
	if l.undone {
		p.Older = l.older
	}
	return p, derived
}
