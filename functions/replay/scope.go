package replay

import (
	"slices"

	"medlake/shared/lake"
	"medlake/shared/store/journal/lives"
)

// newScope holds the lives of arrivals that a request can be about, whatever their feeds.
func newScope(q lake.ReplayRequest, hold int) *lives.Lives {
	return lives.New(func(a lake.Arrival) bool {
		return (q.Customer == "" || q.Customer == a.Customer()) && !a.At.Before(q.Since) && (q.Until.IsZero() || a.At.Before(q.Until))
	}, hold)
}

// outcome says what a replay does with an arrival.
type outcome int

const (
	derived  outcome = iota
	outside          // of another feed, or a duplicate: its rows stand with the arrival that was first; or erased
	excluded         // from every table it had rows in
)

// pending is what is to be derived of an arrival, by what the log says up to entry seen.
func pending(l *lives.Life, epoch, seen int64, q lake.ReplayRequest) (lake.Pending, outcome) {
	p := lake.Pending{Arrival: l.Arrival, Epoch: epoch, Seen: seen}
	p.Replaces, p.Older = l.Loads()
	switch {
	case l.Erased > 0, q.Feed != "" && q.Feed != l.Feed, p.Replaces == "" && l.Status != lake.Quarantined:
		return p, outside
	case p.Replaces == "":
		return p, derived
	}
	p.Drops, p.Without = l.Tables()
	stays := func(table string) bool { return table != lake.OpsRejects && !slices.Contains(p.Without, table) }
	if len(p.Without) > 0 && !slices.ContainsFunc(p.Drops, stays) {
		return p, excluded
	}
	return p, derived
}
