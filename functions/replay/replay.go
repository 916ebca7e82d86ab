// Package replay has arrivals derived anew after the metadata was put right. A request is an entry of the log; its number
// is the epoch of all that comes of it. Which arrivals it is about, and what each outcome replaces, follows from the
// entries before it alone, so a replay can be taken up by anybody at any time. It opens no upload and touches no table:
// package ingest derives, and package commit takes the old rows out when the new ones come.
package replay

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"sync"

	"medlake/shared/lake"
	"medlake/shared/pace"
	"medlake/shared/store/journal"
	"medlake/shared/store/journal/lives"
)

// Config is what a Replayer works with. Journal, Metadata and Derive must be set; other zero fields take the defaults.
type Config struct {
	Journal *journal.Journal
	// Metadata is the version that Derive works with.
	Metadata string
	// Derive derives an arrival for the replay p.Epoch and leaves it pending, as often as it is asked to. lake.ErrInvalid
	// means that the upload is not there any more.
	Derive   func(ctx context.Context, p lake.Pending) error
	Name     func() string // a name never given before, for a request; default random
	Parallel int           // arrivals at once; default 4
	Hold     int           // arrivals held in memory at once; default 100,000: the log is read once for each so many
	Log      *slog.Logger
}

// Replayer replays. It is safe for concurrent use, and so are several.
type Replayer struct {
	cfg Config
}

// New makes a Replayer.
func New(cfg Config) (*Replayer, error) {
	if cfg.Journal == nil || cfg.Metadata == "" || cfg.Derive == nil {
		return nil, errors.New("replay: journal, metadata and derive must be set")
	}
	if cfg.Name == nil {
		cfg.Name = rand.Text
	}
	if cfg.Parallel == 0 {
		cfg.Parallel = 4
	}
	if cfg.Hold == 0 {
		cfg.Hold = 100_000
	}
	if cfg.Log == nil {
		cfg.Log = slog.Default()
	}
	return &Replayer{cfg}, nil
}

// Request asks for a replay with the metadata at hand and returns its epoch. It ends the replays before it. After an error
// the request may stand or not: asking again is right.
func (r *Replayer) Request(ctx context.Context, q lake.ReplayRequest) (epoch int64, err error) {
	if q.Reason == "" {
		return 0, fmt.Errorf("a replay needs a reason: %w", lake.ErrInvalid)
	}
	if q.Customer != "" && !lake.ValidCustomer(q.Customer) {
		return 0, fmt.Errorf("replay: %q cannot be a customer: %w", q.Customer, lake.ErrInvalid)
	}
	q.Metadata = r.cfg.Metadata
	e, err := r.cfg.Journal.Add(ctx, lake.Entry{ID: r.cfg.Name(), Replay: &q})
	if err != nil {
		return 0, fmt.Errorf("replay: %w", err)
	}
	r.cfg.Log.InfoContext(ctx, "replay requested", "epoch", e.N, "feed", q.Feed, "customer", q.Customer, "metadata", q.Metadata)
	return e.N, nil
}

// Report counts the arrivals of a replay.
type Report struct {
	Epoch    int64
	Arrivals int // it is about: loaded before, or in quarantine
	Done     int // of these, in the log already
	Derived  int // now: they are pending, or were
	Gone     int // their uploads are not there any more
	Excluded int // their rows were left out of every table by restores, and stay out
}

// Resume goes on with the latest replay. It can be called at any time and by several at once; when it returns nil, all that
// the replay is about is in the log or on its way. A restore meanwhile stops what is on its way: once Resume returns nil,
// commit was done, and another Resume finds nothing to derive, the replay is over. lake.ErrNotFound means that there is no replay, lake.ErrConflict that
// the latest asks for other metadata, or that another one came meanwhile.
func (r *Replayer) Resume(ctx context.Context) (Report, error) {
	epoch, q, err := r.latest(ctx)
	if err != nil {
		return Report{}, fmt.Errorf("replay: %w", err)
	}
	report := Report{Epoch: epoch}
	if q.Metadata != r.cfg.Metadata {
		return report, fmt.Errorf("replay %d asks for metadata %s and this is %s: %w", epoch, q.Metadata, r.cfg.Metadata, lake.ErrConflict)
	}
	for from := int64(1); from > 0; {
		s := newScope(*q, r.cfg.Hold)
		if err := s.Read(ctx, r.cfg.Journal, from, epoch); err != nil {
			return report, fmt.Errorf("replay %d: %w", epoch, err)
		}
		if err := r.run(ctx, epoch, *q, s, &report); err != nil {
			return report, fmt.Errorf("replay %d: %w", epoch, err)
		}
		from = s.Next
	}
	r.cfg.Log.InfoContext(ctx, "replayed", "epoch", epoch, "arrivals", report.Arrivals, "done", report.Done,
		"derived", report.Derived, "gone", report.Gone, "excluded", report.Excluded)
	return report, nil
}

// latest finds the last request in the log.
func (r *Replayer) latest(ctx context.Context) (int64, *lake.ReplayRequest, error) {
	tail, err := r.cfg.Journal.Tail(ctx)
	if err != nil {
		return 0, nil, err
	}
	for n := tail; n > 0; n-- {
		e, err := r.cfg.Journal.Entry(ctx, n)
		if err != nil {
			return 0, nil, err
		}
		if e.Replay != nil {
			return n, e.Replay, nil
		}
	}
	return 0, nil, fmt.Errorf("none was requested: %w", lake.ErrNotFound)
}

// run derives what a scope holds and the log does not have yet.
func (r *Replayer) run(ctx context.Context, epoch int64, q lake.ReplayRequest, s *lives.Lives, report *Report) error {
	done, seen, err := r.done(ctx, epoch, s)
	if err != nil {
		return err
	}
	var todo []lake.Pending
	for _, l := range s.Order {
		p, out := pending(l, epoch, seen, q)
		switch {
		case out == outside:
			continue
		case out == excluded:
			report.Excluded++
		case done[l.Arrival.ID()]:
			report.Done++
		default:
			todo = append(todo, p)
		}
		report.Arrivals++
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var first error
	var mu sync.Mutex
	pace.Each(len(todo), r.cfg.Parallel, func(i int) {
		if ctx.Err() != nil {
			return
		}
		err := r.cfg.Derive(ctx, todo[i])
		mu.Lock()
		defer mu.Unlock()
		switch {
		case errors.Is(err, lake.ErrInvalid):
			report.Gone++
		case err == nil:
			report.Derived++
		case first == nil:
			first = err
			stop() // most likely the others would fail too
		}
	})
	if first == nil {
		return ctx.Err()
	}
	return first
}

// done reads which arrivals have their receipt of this replay, and what restores and erasures have decided since it was
// asked for, up to entry seen.
func (r *Replayer) done(ctx context.Context, epoch int64, s *lives.Lives) (done map[string]bool, seen int64, err error) {
	tail, err := r.cfg.Journal.Tail(ctx)
	if err != nil {
		return nil, 0, err
	}
	done = map[string]bool{}
	for n := epoch + 1; n <= tail; n++ {
		e, err := r.cfg.Journal.Entry(ctx, n)
		if err != nil {
			return nil, 0, err
		}
		if e.Replay != nil {
			return nil, 0, fmt.Errorf("replay %d takes its place: %w", n, lake.ErrConflict)
		}
		s.Settle(&e.Entry)
		for i := range e.Receipts {
			if e.Receipts[i].Epoch == epoch {
				done[e.Receipts[i].ID] = true
			}
		}
	}
	return done, tail, nil
}
