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
	group.Go(func() { n.Merger.Run(ctx) })
	group.Go(func() { n.Maintainer.Run(ctx) })
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
	if _, err := n.Merger.Round(last); err != nil {
		n.log.ErrorContext(ctx, "last merge failed: it is made at the next start", "error", err)
	}
}

// Settle brings all that was processed into the tables, and the tables that change up to their logs.
func (n *Node) Settle(ctx context.Context) error {
	if _, err := n.Committer.Round(ctx); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	if _, err := n.Merger.Round(ctx); err != nil {
		return fmt.Errorf("merge: %w", err)
	}
	return nil
}

// Upload is a file to arrive. With the same fields and the same bytes it is the same arrival, however often it is stored.
type Upload struct {
	Customer string
	Name     string    // path below the customer's landing folder
	At       time.Time // its date is a folder in landing
	ID       string    // as NewID makes them
}

// NewID makes an id that no other upload has.
func NewID() string { return strings.ToLower(rand.Text()) }

// Store makes an upload an arrival, durably. Nobody is told: the caller or the next sweep has it processed.
func (n *Node) Store(ctx context.Context, customer, name string, body io.Reader) (lake.Arrival, error) {
	return n.store(ctx, Upload{customer, name, time.Now(), NewID()}, body)
}

func (n *Node) store(ctx context.Context, u Upload, body io.Reader) (lake.Arrival, error) {
	if !n.Known(u.Customer) {
		return lake.Arrival{}, fmt.Errorf("there is no customer %q in the metadata: %w", u.Customer, lake.ErrInvalid)
	}
	o, err := n.bucket.Upload(ctx, store.LandingKey(u.Customer, u.At, u.Name, u.ID), body)
	if err != nil {
		return lake.Arrival{}, fmt.Errorf("store upload of %s: %w", u.Customer, err)
	}
	return n.bucket.Arrival(o), nil
}

// Arrive stores a new upload and sends its event. It returns door.ErrBusy, storing nothing, while too many of the
// customer's wait.
func (n *Node) Arrive(ctx context.Context, customer, name string, body io.Reader) (lake.Arrival, error) {
	return n.ArriveAs(ctx, Upload{customer, name, time.Now(), NewID()}, body)
}

// ArriveAs is Arrive of an upload that may have been stored before.
func (n *Node) ArriveAs(ctx context.Context, u Upload, body io.Reader) (lake.Arrival, error) {
	if n.bus.Full(u.Customer) {
		return lake.Arrival{}, door.ErrBusy
	}
	a, err := n.store(ctx, u, body)
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

// Known reports whether the metadata has a customer.
func (n *Node) Known(customer string) bool { return n.Library.Set().Customer(customer) != nil }
