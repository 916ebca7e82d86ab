package journal

import (
	"encoding/json"
	"fmt"

	"medlake/shared/lake"
)

// Entry is a log entry with an index of what stands in it.
type Entry struct {
	lake.Entry
	arrivals map[arrival]struct{}
	loads    map[string]struct{}
	size     int
}

type arrival struct {
	id    string
	epoch int64
}

func parse(n int64, data []byte) (*Entry, error) {
	e := &Entry{size: len(data)}
	if err := json.Unmarshal(data, &e.Entry); err != nil {
		return nil, fmt.Errorf("not readable: %w", err)
	}
	if err := known(n, e.Format, e.N, e.Erase != nil); err != nil {
		return nil, err
	}
	e.arrivals = make(map[arrival]struct{}, len(e.Receipts))
	for i := range e.Receipts {
		e.arrivals[arrival{e.Receipts[i].ID, e.Receipts[i].Epoch}] = struct{}{}
	}
	e.loads = make(map[string]struct{}, len(e.Loads))
	for i := range e.Loads {
		e.loads[e.Loads[i].Load] = struct{}{}
	}
	return e, nil
}

// known checks that what claims to be entry n is of a form that we know.
func known(n int64, format int, is int64, erases bool) error {
	if format != formatOf(erases) || is != n {
		return fmt.Errorf("format %d, number %d: written by another version", format, is)
	}
	return nil
}

// HasArrival reports whether the entry is the receipt of an arrival for a replay, 0 if it came by itself.
func (e *Entry) HasArrival(id string, epoch int64) bool {
	_, ok := e.arrivals[arrival{id, epoch}]
	return ok
}

// HasLoad reports whether the entry takes in a load.
func (e *Entry) HasLoad(id string) bool { _, ok := e.loads[id]; return ok }

// formatOf is the format of entries that erase, or of all others.
func formatOf(erases bool) int {
	if erases {
		return lake.EraseFormat
	}
	return lake.Format
}
