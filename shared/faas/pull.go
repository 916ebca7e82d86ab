package faas

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"gocloud.dev/pubsub"
	_ "gocloud.dev/pubsub/awssnssqs" // awssqs:
	_ "gocloud.dev/pubsub/azuresb"   // azuresb:
	_ "gocloud.dev/pubsub/gcppubsub" // gcppubsub:
	_ "gocloud.dev/pubsub/mempubsub" // mem:, for tests

	"medlake/shared/faas/notice"
	"medlake/shared/lake"
	"medlake/shared/pace"
)

// PullConfig says what Pull takes from where. URL and Handler must be set; other zero fields take the defaults.
type PullConfig struct {
	// URL of a subscription, as gocloud.dev/pubsub spells it:
	//
	//	awssqs://host/account/queue?region=…   gcppubsub://projects/P/subscriptions/S   azuresb://topic?subscription=S
	URL      string
	Handler  Handler
	Parallel int           // messages at once; default 4
	Pause    time.Duration // before a message that failed is given back, and after a fault of the queue; default 5 s
	Finish   time.Duration // what running handlers get to end when Pull stops; default 20 s
	Log      *slog.Logger
}

// Pull takes messages from a queue until ctx ends; then running handlers finish, and it returns nil. A message is a
// CloudEvent as JSON, or a store's notice (see package notice). It is acknowledged when all it stands for is done. In any
// other case it is given back after a pause: a passing fault passes, and what is at fault is kept by the queue's own dead
// letters after so many deliveries, so that nothing is thrown away here. How long the queue waits for an answer must
// exceed the longest handling. A queue that cannot be reached is tried again for ever; the error says that URL names none.
func Pull(ctx context.Context, cfg PullConfig) error {
	if cfg.Parallel == 0 {
		cfg.Parallel = 4
	}
	if cfg.Pause == 0 {
		cfg.Pause = 5 * time.Second
	}
	if cfg.Finish == 0 {
		cfg.Finish = 20 * time.Second
	}
	if cfg.Log == nil {
		cfg.Log = slog.Default()
	}
	work, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	for {
		queue, err := pubsub.OpenSubscription(ctx, cfg.URL)
		if err != nil {
			return fmt.Errorf("open queue: %w", err)
		}
		err = receive(ctx, work, stop, queue, cfg)
		if ctx.Err() != nil {
			return nil
		}
		cfg.Log.WarnContext(ctx, "queue failed", "error", err)
		if !pace.Pause(ctx, cfg.Pause) {
			return nil
		}
	}
}

// receive handles the messages of a queue until ctx ends or the queue fails, waits for the running ones, and closes it.
func receive(ctx, work context.Context, stop func(), queue *pubsub.Subscription, cfg PullConfig) error {
	free := make(chan struct{}, cfg.Parallel)
	var running sync.WaitGroup
	var err error
	for err == nil {
		select {
		case free <- struct{}{}: // only now is a message taken
		case <-ctx.Done():
			err = ctx.Err()
			continue
		}
		var m *pubsub.Message
		if m, err = queue.Receive(ctx); err != nil {
			break
		}
		running.Go(func() {
			defer func() { <-free }()
			cfg.take(ctx, work, m)
		})
	}
	limit := context.AfterFunc(ctx, func() { pace.Pause(work, cfg.Finish); stop() })
	running.Wait()
	limit()
	closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), cfg.Pause)
	defer cancel()
	return errors.Join(err, queue.Shutdown(closing)) // what was acknowledged is sent
}

// take handles one message and answers the queue.
func (cfg PullConfig) take(ctx, work context.Context, m *pubsub.Message) {
	events, fault := unwrap(notice.Message{Attributes: m.Metadata, Body: m.Body})
	if fault != nil {
		cfg.Log.WarnContext(work, "message cannot be read", "message", m.LoggableID, "error", fault)
	}
	err := handleAll(work, cfg.Handler, events, fault)
	if err == nil {
		m.Ack()
		return
	}
	cfg.Log.WarnContext(work, "message is given back", "message", m.LoggableID, "again", !errors.Is(err, lake.ErrInvalid))
	pace.Pause(ctx, cfg.Pause)
	m.Nack()
}
