package node

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"medlake/local/door"
	"medlake/shared/faas"
	"medlake/shared/lake"
	"medlake/shared/store"
)

// lastRound is what the last commits get when the lake stops.
const lastRound = 30 * time.Second

// Run processes arrivals, commits and sweeps until ctx ends. Then it lets running work finish, commits it, and returns.
func (n *Node) Run(ctx context.Context) {
	commits, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	var group sync.WaitGroup
	group.Go(func() { n.sweeper.Run(ctx) })
	var committer sync.WaitGroup
	committer.Go(func() { n.Committer.Run(commits) })
	n.bus.Run(ctx)
	group.Wait()
	stop()
	committer.Wait()
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastRound)
	defer cancel()
	round, err := n.Committer.Round(last)
	if err != nil {
		n.log.ErrorContext(ctx, "last commit failed: it is made at the next start", "error", err)
		return
	}
	n.done(last, round)
}

// Store makes an upload a new arrival, durably. Nobody is told: the caller or the next sweep has it processed.
func (n *Node) Store(ctx context.Context, customer, name string, body io.Reader) (lake.Arrival, error) {
	if !n.known(customer) {
		return lake.Arrival{}, fmt.Errorf("there is no customer %q in the metadata: %w", customer, lake.ErrInvalid)
	}
	o, err := n.bucket.Upload(ctx, store.LandingKey(customer, time.Now(), name, strings.ToLower(rand.Text())), body)
	if err != nil {
		return lake.Arrival{}, fmt.Errorf("store upload of %s: %w", customer, err)
	}
	return n.bucket.Arrival(o), nil
}

// Arrive stores an upload and sends its event. It returns door.ErrBusy, storing nothing, while too many of the customer's
// wait.
func (n *Node) Arrive(ctx context.Context, customer, name string, body io.Reader) (lake.Arrival, error) {
	if n.bus.Full(customer) {
		return lake.Arrival{}, door.ErrBusy
	}
	a, err := n.Store(ctx, customer, name, body)
	if err != nil {
		return a, err
	}
	e, err := faas.NewArrival(a, false)
	if err != nil {
		return a, err
	}
	n.recent.expect(a.ID())
	if !n.bus.Offer(e) { // stored is stored: the sweep sends it
		n.log.WarnContext(ctx, "arrival waits for the sweep", "arrival", a.ID())
	}
	return a, nil
}

func (n *Node) known(customer string) bool {
	for _, c := range n.Library.Set().Customers {
		if c.ID == customer {
			return true
		}
	}
	return false
}
