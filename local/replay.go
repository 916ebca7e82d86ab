package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"

	"medlake/functions/replay"
	"medlake/local/node"
	"medlake/shared/lake"
)

func replayLoads(ctx context.Context, args []string, s streams) (code int, err error) {
	flags := flag.NewFlagSet("replay", flag.ContinueOnError)
	data, meta, secrets := dataFlag(flags), metadataFlag(flags), secretsFlag(flags)
	feed := flags.String("feed", "", "only uploads of this feed; default: all")
	customer := flags.String("customer", "", "only uploads of this customer; default: all")
	since := flags.String("since", "", "only uploads from this moment on, like 2026-11-24T10:00:00Z")
	until := flags.String("until", "", "only uploads before this moment, or up to the end of a day like 2026-11-24")
	reason := flags.String("reason", "", "why, for the log")
	resume := flags.Bool("resume", false, "go on with the latest replay, instead of a new one")
	if _, err := parse(flags, args, 0, 0); err != nil {
		return exitFailed, err
	}
	request := lake.ReplayRequest{Feed: *feed, Customer: *customer, Reason: *reason}
	if request.Since, err = moment("since", *since); err != nil {
		return exitFailed, err
	}
	if request.Until, err = moment("until", *until); err != nil {
		return exitFailed, err
	}
	if *reason == "" && !*resume {
		return exitFailed, errors.New("say why, for the log, with --reason")
	}
	n, err := openNode(ctx, *data, *meta, *secrets, logTo(s.err, slog.LevelWarn))
	if err != nil {
		return exitFailed, err
	}
	defer func() { err = errors.Join(err, n.Close()) }()
	if *feed != "" && n.Library.Set().Feed(*feed) == nil {
		return exitFailed, fmt.Errorf("there is no feed %q in the metadata", *feed)
	}
	if *customer != "" && !n.Known(*customer) {
		return exitFailed, fmt.Errorf("there is no customer %q in the metadata", *customer)
	}
	if !*resume {
		if _, err := n.Replayer.Request(ctx, request); err != nil {
			return exitFailed, err
		}
	}
	r, derived, err := replayAll(ctx, n)
	switch {
	case errors.Is(err, lake.ErrNotFound):
		return exitFailed, errors.New("there is no replay to go on with")
	case errors.Is(err, lake.ErrConflict): // other metadata, or another replay
		return exitFailed, err
	}
	if err != nil {
		return exitFailed, fmt.Errorf("%w; medlake replay --resume goes on with it", err)
	}
	_, err = fmt.Fprintf(s.out, "Replay %d: uploads it is about: %d; derived now: %d, before: %d; left alone: %d gone, %d excluded.\n",
		r.Epoch, r.Arrivals, derived, r.Done-derived, r.Gone, r.Excluded)
	return exitOK, err
}

// replayAll goes on with the latest replay until all of it is in the tables: a restore meanwhile stops what is on its way.
func replayAll(ctx context.Context, n *node.Node) (r replay.Report, derived int, err error) {
	for range replays {
		if r, err = n.Replayer.Resume(ctx); err != nil || r.Derived == 0 {
			return r, derived, err
		}
		derived += r.Derived
		if err := n.Settle(ctx); err != nil {
			return r, derived, err
		}
	}
	return r, derived, errors.New("restores stop it again and again")
}

// replays is how often a replay is gone on with in one command.
const replays = 10
