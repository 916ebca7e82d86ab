package sim

import (
	"context"
	"errors"
	"time"

	"github.com/cloudevents/sdk-go/v2/event"

	"medlake/functions/commit"
	"medlake/functions/ingest"
	"medlake/functions/maintain"
	"medlake/functions/merge"
	"medlake/functions/replay"
	"medlake/functions/restore"
	"medlake/functions/sweep"
	"medlake/shared/lake"
)

// The jobs of processes. What fails is left to others, as it would be by a platform that starts functions again.

func (p *process) ingest(e ingest.Engine) (*ingest.Ingest, error) {
	c := ingest.Config{
		Bucket: p.bucket, Journal: p.log, Engine: e, Attempt: p.attempt, Parallel: 1, Log: quiet,
		Schemas: func(_ context.Context, table string) (lake.Schema, error) { return p.schema(table) },
	}
	child, err := ingest.New(c)
	if err != nil {
		return nil, err
	}
	c.Alone = func(ctx context.Context, a lake.Pending) error {
		if p.uploads[a.Arrival.ID()] == "killer" {
			return ingest.ErrDied
		}
		if a.Epoch > 0 {
			return child.Derive(ctx, a)
		}
		_, err := child.Process(ctx, a.Arrival, false)
		return err
	}
	return ingest.New(c)
}

// processEvents handles events one after the other, as a worker does.
func processEvents(events ...event.Event) func(*process) error {
	return func(p *process) error {
		f, err := p.ingest(p.engine)
		if err != nil {
			return err
		}
		for _, e := range events {
			if err := f.Handle(p.ctx, e); err != nil && p.dead {
				return err
			}
		}
		return nil
	}
}

// commitRounds does a few rounds.
func commitRounds(n int) func(*process) error {
	return func(p *process) error {
		c, err := commit.New(commit.Config{
			Bucket: p.bucket, Journal: p.log, Tables: p.tables, Attempt: p.attempt, Parallel: 1, Tries: 1, Log: quiet,
		})
		if err != nil {
			return err
		}
		if err := c.Ensure(p.ctx); err != nil {
			return err
		}
		for range n {
			if _, err = c.Round(p.ctx); err != nil && p.dead {
				return err
			}
		}
		return err
	}
}

// mergeRounds does a few rounds by a version of the metadata.
func mergeRounds(n int, fold merge.Table) func(*process) error {
	return func(p *process) error {
		cells := int64(8 << 20)
		if p.rng.IntN(4) == 0 {
			cells = 20 // little memory: a few keys at once
		}
		m, err := merge.New(merge.Config{
			Bucket: p.bucket, Journal: p.log, Tables: p.tables, Attempt: p.attempt, Parallel: 1, Tries: 1, Cells: cells, Log: quiet,
		})
		if err != nil {
			return err
		}
		p.fold = fold.Fold.Version()
		if err := m.Ensure(p.ctx, fold); err != nil {
			return err
		}
		for range n {
			if _, err = m.Round(p.ctx); err != nil && p.dead {
				return err
			}
		}
		return err
	}
}

func (p *process) maintainer() (*maintain.Maintainer, error) {
	ahead := time.Duration(0)
	if p.broken != nil {
		ahead = p.broken.ahead
	}
	tables := p.tables
	if p.broken != nil && p.broken.kept != nil {
		tables = keepers{p.tables, p.broken.kept}
	}
	return maintain.New(maintain.Config{
		Bucket: p.bucket, Journal: p.log, Tables: tables, Attempt: p.attempt, Parallel: 1, Tries: 1 + p.rng.IntN(2), Log: quiet,
		Now: func(context.Context) (time.Time, error) { return p.now.Add(ahead), nil },
	})
}

// maintainRounds compacts, expires and folds, and deletes what is left over.
func maintainRounds(n int) func(*process) error {
	return func(p *process) error {
		m, err := p.maintainer()
		if err != nil {
			return err
		}
		if err := m.Ensure(p.ctx); err != nil {
			return err
		}
		for range n {
			var report maintain.Report
			report, err = m.Round(p.ctx, maintain.Order{Delete: true})
			for _, t := range report.Tables {
				p.deleted += t.Deleted.Files
			}
			if err != nil && p.dead {
				return err
			}
		}
		return err
	}
}

func (p *process) replayer() (*replay.Replayer, error) {
	e := smallEngine{later: true}
	f, err := p.ingest(e)
	if err != nil {
		return nil, err
	}
	return replay.New(replay.Config{Journal: p.log, Metadata: e.Version(), Derive: f.Derive, Name: p.attempt, Parallel: 1, Log: quiet})
}

// replayAll asks for all arrivals to be read with the later metadata, and has some of it done.
func replayAll(p *process) error {
	r, err := p.replayer()
	if err != nil {
		return err
	}
	if _, err := r.Request(p.ctx, lake.ReplayRequest{Reason: "metadata"}); err != nil {
		return err
	}
	_, err = r.Resume(p.ctx)
	return err
}

// resumeReplay goes on with a replay, if there is one.
func resumeReplay(p *process) error {
	r, err := p.replayer()
	if err != nil {
		return err
	}
	done, err := r.Resume(p.ctx)
	p.replayed = errors.Is(err, lake.ErrNotFound) || err == nil && done.Derived == 0
	return err
}

// restoreSome puts tables back to a moment, without some of the loads that came after it.
func restoreSome(p *process) error {
	r, err := restore.New(restore.Config{Bucket: p.bucket, Journal: p.log, Tables: p.tables, ID: p.attempt})
	if err != nil {
		return err
	}
	table := []string{"", changing.Log.Table, changing.Current.Table, "lake.a"}[p.rng.IntN(4)]
	if p.schemas[table].N == 0 {
		table = ""
	}
	of := table
	if table == "" || table == changing.Current.Table {
		of = changing.Log.Table
	}
	states, err := p.lake.Snapshots(p.ctx, of)
	if err != nil || len(states) == 0 {
		return err
	}
	if p.rng.IntN(2) == 0 {
		states = states[max(0, len(states)-2):]
	}
	plan, err := r.Plan(p.ctx, table, states[p.rng.IntN(len(states))].At)
	if err != nil {
		return err
	}
	var exclude []string
	for _, load := range plan.Loads() {
		if p.rng.IntN(3) == 0 {
			exclude = append(exclude, load)
		}
	}
	_, err = r.Restore(p.ctx, plan, exclude, "a mistake")
	return err
}

// sweepOnce sweeps everything and processes what it finds in the same process.
func sweepOnce(p *process) error {
	f, err := p.ingest(p.engine)
	if err != nil {
		return err
	}
	s, err := sweep.New(sweep.Config{
		Bucket: p.bucket, Journal: p.log, Parallel: 1, Log: quiet, Now: func() time.Time { return p.now.Add(time.Hour) },
		Send: func(ctx context.Context, e event.Event) error {
			if err := f.Handle(ctx, e); err != nil && p.dead {
				return err
			}
			return nil // a bus would try again
		},
	})
	if err != nil {
		return err
	}
	_, err = s.Sweep(p.ctx, true)
	return err
}
