package commit

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"

	"medlake/shared/lake"
	"medlake/shared/store"
)

// gapsKey is an object that tells a new process where the log holds nothing for a table, so that it need not read years
// of it for a table that is filled once a month.
const gapsKey = "gaps"

// saveGaps is how many entries are worth a new gaps object.
const saveGaps = 256

// gap says that the entries after From up to To hold no file for a table. That is a fact about the log alone: it stays
// true whatever happens to the table, and an old gap is only a shorter one.
type gap struct {
	From int64 `json:"from"`
	To   int64 `json:"to"`
}

// gaps are the known gaps, the last one of each table.
type gaps struct {
	mu    sync.Mutex
	last  map[string]gap
	to    int64 // the highest To
	saved int64 // to when it was last saved
}

// skip returns the entry after which a table that has taken in up to batch must be read.
func (g *gaps) skip(table string, batch int64) int64 {
	g.mu.Lock()
	defer g.mu.Unlock()
	if l, ok := g.last[table]; ok && l.From <= batch && batch <= l.To {
		return l.To
	}
	return batch
}

// add notes that the entries after what skip said for batch, up to `to`, hold nothing for the table.
func (g *gaps) add(table string, batch, to int64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.last == nil {
		g.last = map[string]gap{}
	}
	if l, ok := g.last[table]; ok && l.From <= batch && batch <= l.To {
		batch, to = l.From, max(to, l.To)
	}
	g.last[table] = gap{batch, to}
	g.to = max(g.to, to)
}

type savedGaps struct {
	Format int            `json:"format"`
	Tables map[string]gap `json:"tables"`
}

func (g *gaps) read(ctx context.Context, b *store.Bucket) error {
	data, err := b.Get(ctx, gapsKey)
	if errors.Is(err, lake.ErrNotFound) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("gaps of the log: %w", err)
	}
	var s savedGaps
	if err := json.Unmarshal(data, &s); err != nil {
		return fmt.Errorf("gaps of the log: %w", err)
	}
	if err := lake.CheckFormat(s.Format); err != nil {
		return fmt.Errorf("gaps of the log: %w", err)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.last = s.Tables
	for _, l := range s.Tables {
		g.to = max(g.to, l.To)
	}
	g.saved = g.to
	return nil
}

// save writes the gaps if they have grown enough. Who writes last wins: any older gaps are right.
func (g *gaps) save(ctx context.Context, b *store.Bucket) error {
	g.mu.Lock()
	if g.to < g.saved+saveGaps {
		g.mu.Unlock()
		return nil
	}
	data, err := json.Marshal(savedGaps{Format: lake.Format, Tables: g.last})
	to := g.to
	g.mu.Unlock()
	if err == nil {
		err = b.Put(ctx, gapsKey, data)
	}
	if err != nil {
		return fmt.Errorf("gaps of the log: %w", err)
	}
	g.mu.Lock()
	g.saved = to
	g.mu.Unlock()
	return nil
}
