package node

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"medlake/functions/commit"
	"medlake/shared/lake"
	"medlake/shared/query"
)

// recent holds the receipts of the latest arrivals: what was committed since this process started.
type recent struct {
	mu      sync.Mutex
	max     int
	byID    map[string]lake.Receipt
	order   []string        // oldest first
	due     map[string]bool // arrivals of this process that have no receipt yet
	changed chan struct{}

	rounds     sync.Mutex
	entry      int64          // of the log: receipts up to here were taken, or are in ops.loads since before the start
	unfinished []lake.Receipt // their rows are not in all tables yet
}

func newRecent(n int) *recent {
	return &recent{max: n, byID: map[string]lake.Receipt{}, due: map[string]bool{}, changed: make(chan struct{})}
}

func (r *recent) add(receipts []lake.Receipt) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, x := range receipts {
		if _, ok := r.byID[x.ID]; !ok {
			r.order = append(r.order, x.ID)
		}
		r.byID[x.ID] = x
		delete(r.due, x.ID)
	}
	for len(r.order) > r.max {
		delete(r.byID, r.order[0])
		r.order = r.order[1:]
	}
	close(r.changed)
	r.changed = make(chan struct{})
}

// expect notes that an arrival will have a receipt, unless it has one already.
func (r *recent) expect(id string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, ok := r.byID[id]; !ok {
		r.due[id] = true
	}
}

// get returns a receipt; or whether one is due, and a channel that closes when there are new ones.
func (r *recent) get(id string) (x lake.Receipt, ok, due bool, changed <-chan struct{}) {
	r.mu.Lock()
	defer r.mu.Unlock()
	x, ok = r.byID[id]
	return x, ok, r.due[id], r.changed
}

// latest returns up to n receipts, newest first.
func (r *recent) latest(n int) []lake.Receipt {
	r.mu.Lock()
	defer r.mu.Unlock()
	var out []lake.Receipt
	for i := len(r.order) - 1; i >= 0 && len(out) < n; i-- {
		out = append(out, r.byID[r.order[i]])
	}
	return out
}

// done takes the receipts of a round whose rows can be queried now. One that has rows in a table that is behind waits for
// the next round.
func (n *Node) done(ctx context.Context, round commit.Round) {
	r := n.recent
	r.rounds.Lock()
	defer r.rounds.Unlock()
	for ; r.entry < round.Entry; r.entry++ {
		e, err := n.journal.Entry(ctx, r.entry+1)
		if err != nil {
			n.log.WarnContext(ctx, "receipts of log entries come later", "entry", r.entry+1, "error", err)
			break
		}
		r.unfinished = append(r.unfinished, e.Receipts...)
	}
	var ready []lake.Receipt
	r.unfinished = slices.DeleteFunc(r.unfinished, func(x lake.Receipt) bool {
		if slices.ContainsFunc(round.Behind, func(table string) bool { return x.Rows[table] > 0 }) {
			return false
		}
		ready = append(ready, x)
		return true
	})
	r.add(ready)
}

// Receipt is what became of an arrival, once its rows can be queried. It waits up to wait for one that is due; then, or for
// an arrival nobody knows, it is lake.ErrNotFound.
func (n *Node) Receipt(ctx context.Context, id string, wait time.Duration) (lake.Receipt, error) {
	late := time.NewTimer(wait)
	defer late.Stop()
	for {
		r, ok, due, changed := n.recent.get(id)
		switch {
		case ok:
			r.Rows = n.ByName(r.Rows)
			return r, nil
		case !due:
			return n.Reader.receipt(ctx, id)
		}
		select {
		case <-ctx.Done():
			return lake.Receipt{}, ctx.Err()
		case <-late.C:
			return lake.Receipt{}, lake.ErrNotFound
		case <-changed:
		}
	}
}

// ByName gives tables the names people query them by, instead of those they are stored by.
func (n *Node) ByName(rows map[string]int64) map[string]int64 {
	out := map[string]int64{}
	for _, t := range n.Library.Set().Tables {
		if k, ok := rows[t.Target()]; ok {
			out[strings.TrimPrefix(t.ID(), query.Namespace+".")] = k
		}
	}
	return out
}

// Stored is the full name of a table as people write it.
func Stored(name string) string {
	if strings.Contains(name, ".") {
		return name
	}
	return query.Namespace + "." + name
}

// receipt looks an arrival up in ops.loads.
func (r *Reader) receipt(ctx context.Context, id string) (receipt lake.Receipt, err error) {
	if len(id) != lake.IDLen {
		return receipt, lake.ErrNotFound
	}
	res, err := r.Query(ctx, query.Request{SQL: `SELECT object, _load, status, reason, feed, rejected, coalesce(entry, -1), coalesce(line, 0), column_name, rule
		FROM ops.loads WHERE arrival = ` + query.Literal(id) + ` ORDER BY epoch DESC LIMIT 1`})
	if err != nil {
		return receipt, err
	}
	defer func() { err = errors.Join(err, res.Close()) }()
	for row, err := range res.Rows {
		if err != nil {
			return receipt, err
		}
		receipt = lake.Receipt{
			ID: id, Load: row[1].Text, Status: lake.Status(row[2].Text), Reason: lake.Reason(row[3].Text), Feed: row[4].Text,
			Arrival: lake.Arrival{Key: row[0].Text}, Where: lake.Where{Column: row[8].Text, Rule: row[9].Text},
		}
		if _, err := fmt.Sscan(row[5].Text+" "+row[6].Text+" "+row[7].Text, &receipt.Rejected, &receipt.Where.Entry, &receipt.Where.Line); err != nil {
			return receipt, fmt.Errorf("receipt %s: %w", id, err)
		}
		return receipt, nil
	}
	return receipt, lake.ErrNotFound
}
