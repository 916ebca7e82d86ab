package journal

import (
	"encoding/json"
	"fmt"

	"medlake/shared/lake"
)

// Entry is a log entry with an index of what stands in it.
type Entry struct {
	lake.Entry
	arrivals map[string]struct{}
	loads    map[string]struct{}
	size     int
}

func parse(n int64, data []byte) (*Entry, error) {
	e := &Entry{size: len(data)}
	if err := json.Unmarshal(data, &e.Entry); err != nil {
		return nil, fmt.Errorf("not readable: %w", err)
	}
	if e.Format != lake.Format || e.N != n {
		return nil, fmt.Errorf("format %d, number %d: written by another version", e.Format, e.N)
	}
	e.arrivals = make(map[string]struct{}, len(e.Receipts))
	for _, r := range e.Receipts {
		e.arrivals[r.ID] = struct{}{}
	}
	e.loads = make(map[string]struct{}, len(e.Loads))
	for _, l := range e.Loads {
		e.loads[l.Load] = struct{}{}
	}
	return e, nil
}

// HasArrival reports whether the entry is the receipt of an arrival.
func (e *Entry) HasArrival(id string) bool { _, ok := e.arrivals[id]; return ok }

// HasLoad reports whether the entry takes in a load.
func (e *Entry) HasLoad(id string) bool { _, ok := e.loads[id]; return ok }
