package node

import (
	"context"
	"time"

	"medlake/local/status"
	"medlake/shared/lake"
)

// Status is what the page shows, with started as the time the process did.
func (n *Node) Status(ctx context.Context, started time.Time) (status.Status, error) {
	tail, err := n.journal.Tail(ctx)
	if err != nil {
		return status.Status{}, err
	}
	s := status.Status{Now: time.Now(), Started: started, Waiting: n.bus.Waiting(), Entry: tail}
	for _, r := range n.recent.latest(25) {
		s.Recent = append(s.Recent, status.Arrival{
			ID: r.ID, Customer: r.Arrival.Customer(), Feed: r.Feed, Status: r.Status, Reason: r.Reason,
			Rows: r.Committed, Rejects: r.Rejected, At: r.Arrival.At,
		})
	}
	for _, name := range n.sources {
		p, err := n.Reader.warehouse.Plan(ctx, name, "")
		if err != nil {
			return s, err
		}
		t := status.Table{Name: name, Rows: max(0, p.Rows()-p.Hidden), Files: len(p.Files), Entry: p.Batch}
		if t.Rows > 0 || name == lake.OpsLoads {
			s.Tables = append(s.Tables, t)
		}
	}
	return s, nil
}
