package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
)

func mergeNow(ctx context.Context, args []string, s streams) (code int, err error) {
	flags := flag.NewFlagSet("merge", flag.ContinueOnError)
	data, meta := dataFlag(flags), metadataFlag(flags)
	if _, err := parse(flags, args, 0, 0); err != nil {
		return exitFailed, err
	}
	n, err := openNode(ctx, *data, *meta, "", logTo(s.err, slog.LevelWarn))
	if err != nil {
		return exitFailed, err
	}
	defer func() { err = errors.Join(err, n.Close()) }()
	r, err := n.Merger.Round(ctx)
	if err != nil {
		return exitFailed, err
	}
	_, err = fmt.Fprintf(s.out, "tables brought up to their logs: %d\n", r.Merged)
	return exitOK, err
}
