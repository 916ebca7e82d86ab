// Package sweep finds uploads that nobody processed and sends them again. Events are hints and may be lost; the listing
// of landing is the truth: what lies there, and is neither in the log nor on its way into it, was forgotten. It opens no
// upload.
package sweep

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/cloudevents/sdk-go/v2/event"

	"medlake/shared/faas"
	"medlake/shared/faas/meter"
	"medlake/shared/lake"
	"medlake/shared/store"
	"medlake/shared/store/journal"
)

// Config is what a Sweeper works with. Bucket and Send must be set; other zero fields take the defaults.
type Config struct {
	Bucket  *store.Bucket
	Journal *journal.Journal // default: one of its own
	// Send sends an arrival event to ingest, one at a time. It may wait for room.
	Send     faas.Handler
	Every    time.Duration // between two sweeps of recent dates; default 3 min
	Full     time.Duration // between two sweeps of all dates; default 24 h
	Recent   time.Duration // how far back recent dates go; default 48 h
	Grace    time.Duration // uploads younger than this are still on their first way; default 1 min
	Parallel int           // requests at once, for as many folders; default 64
	Now      func() time.Time
	Log      *slog.Logger
	Meter    *meter.Meter
}

// Sweeper sweeps. It is safe for concurrent use: one sweep runs at a time.
type Sweeper struct {
	cfg Config
	log *slog.Logger

	sweeping sync.Mutex
	index    *index
}

// New makes a sweeper.
func New(cfg Config) (*Sweeper, error) {
	if cfg.Bucket == nil || cfg.Send == nil {
		return nil, errors.New("sweep: bucket and send must be set")
	}
	if cfg.Journal == nil {
		cfg.Journal = journal.New(cfg.Bucket)
	}
	if cfg.Every == 0 {
		cfg.Every = 3 * time.Minute
	}
	if cfg.Full == 0 {
		cfg.Full = 24 * time.Hour
	}
	if cfg.Recent == 0 {
		cfg.Recent = 48 * time.Hour
	}
	if cfg.Grace == 0 {
		cfg.Grace = time.Minute
	}
	if cfg.Parallel == 0 {
		cfg.Parallel = 64
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Log == nil {
		cfg.Log = slog.Default()
	}
	return &Sweeper{cfg: cfg, log: cfg.Log, index: newIndex(cfg.Bucket, cfg.Journal, cfg.Parallel)}, nil
}

// All is the subject of a tick that asks for a sweep of all dates.
const All = "all"

// Handle sweeps recent dates, or all if the event's subject is All.
func (s *Sweeper) Handle(ctx context.Context, e event.Event) error {
	_, err := s.Sweep(ctx, e.Subject() == All)
	return err
}

// Run sweeps all dates at once, because the process before may have died, then recent dates every few minutes and all
// dates every day, until ctx ends. Errors are logged and met again by the next sweep.
func (s *Sweeper) Run(ctx context.Context) {
	tick := time.NewTicker(s.cfg.Every)
	defer tick.Stop()
	var full time.Time
	for ctx.Err() == nil {
		all := full.IsZero() || s.cfg.Now().Sub(full) >= s.cfg.Full
		if all {
			full = s.cfg.Now()
		}
		if _, err := s.Sweep(ctx, all); err != nil && ctx.Err() == nil {
			s.log.ErrorContext(ctx, "sweep failed", "all", all, "error", err)
		}
		select {
		case <-ctx.Done():
		case <-tick.C:
		}
	}
}

// Report counts what a sweep saw.
type Report struct {
	Objects int // uploads in the folders it looked at
	Sent    int // uploads sent again
}

// Sweep goes through landing, customer by customer and folder by folder, several at once.
func (s *Sweeper) Sweep(ctx context.Context, all bool) (Report, error) {
	s.sweeping.Lock()
	defer s.sweeping.Unlock()
	start, r := time.Now(), &round{Sweeper: s}
	if !all {
		r.since = s.cfg.Now().Add(-s.cfg.Recent)
	}
	err := r.sweep(ctx)
	report := Report{Objects: int(r.objects.Load()), Sent: r.sent}
	s.cfg.Meter.Round(ctx, "sweep", start, err)
	s.cfg.Meter.Set(ctx, meter.Swept, float64(report.Objects), strconv.FormatBool(all))
	if err != nil {
		return report, fmt.Errorf("sweep: %w", err)
	}
	s.log.InfoContext(ctx, "swept", "all", all, "objects", report.Objects, "sent", report.Sent)
	return report, nil
}

func (r *round) sweep(ctx context.Context) error {
	if err := r.index.catchUp(ctx, true); err != nil {
		return err
	}
	var some []string
	for customer, err := range r.cfg.Bucket.Folders(ctx, store.LandingPrefix) {
		if err != nil {
			return err
		}
		if !lake.ValidCustomer(path.Base(customer)) {
			continue
		}
		if some = append(some, customer); len(some) < r.cfg.Parallel {
			continue
		}
		if err := r.customers(ctx, some); err != nil {
			return err
		}
		some = some[:0]
	}
	if err := r.customers(ctx, some); err != nil {
		return err
	}
	return r.resend(ctx)
}

// take takes a forgotten upload, and sends what has come together if that is much.
func (r *round) take(ctx context.Context, a lake.Arrival) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.found = append(r.found, a); len(r.found) < maxCandidates {
		return nil
	}
	return r.resend(ctx)
}

// resend sends what is neither pending nor in the log. Pending is read before the log: what moves from one to the other
// meanwhile is seen in the log.
func (r *round) resend(ctx context.Context) error {
	found := r.found
	r.found = nil
	if len(found) == 0 {
		return nil
	}
	pending := map[string]bool{}
	for o, err := range r.cfg.Bucket.List(ctx, store.PendingPrefix) {
		if err != nil {
			return err
		}
		id, _, _ := strings.Cut(strings.TrimPrefix(o.Key, store.PendingPrefix), ".") // also for a replay: then it is in the log too
		pending[id] = true
	}
	if err := r.index.catchUp(ctx, false); err != nil {
		return err
	}
	for _, a := range found {
		if pending[a.ID()] || r.index.recent.has(a.ID()) {
			continue
		}
		e, err := faas.NewArrival(a, true)
		if err != nil {
			return err
		}
		if err := r.cfg.Send(ctx, e); err != nil {
			if errors.Is(err, lake.ErrInvalid) { // gone or replaced meanwhile
				r.log.WarnContext(ctx, "upload is not an arrival any more", "arrival", a.ID())
				continue
			}
			return err
		}
		r.sent++
		r.cfg.Meter.Add(ctx, meter.Forgotten, 1)
	}
	return nil
}
