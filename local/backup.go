package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"time"

	"medlake/local/node"
)

func backupLake(ctx context.Context, args []string, s streams) (code int, err error) {
	flags := flag.NewFlagSet("backup", flag.ContinueOnError)
	data, meta := dataFlag(flags), metadataFlag(flags)
	grace := flags.Duration("grace", 7*24*time.Hour, "how long the copy keeps what the lake no longer has, erased records too")
	rest, err := parse(flags, args, 1, 1)
	if err != nil {
		return exitFailed, err
	}
	reader, _, err := openReader(ctx, *data, *meta)
	if err != nil {
		return exitFailed, err
	}
	defer func() { err = errors.Join(err, reader.Close()) }()
	done, err := reader.Backup(ctx, rest[0], *grace, logTo(s.err, slog.LevelWarn))
	if err != nil {
		return exitFailed, err
	}
	rows := int64(0)
	for _, t := range done.Tables {
		rows += t.Rows
	}
	_, err = fmt.Fprintf(s.out, "Verified: %d tables, %d rows, the log up to entry %d; copied %d objects, %d bytes; deleted %d, kept a while %d.\n",
		len(done.Tables), rows, done.Tail, done.Copied, done.Bytes, done.Deleted, done.Waiting)
	return exitOK, err
}

func rebuildCatalog(ctx context.Context, args []string, s streams) (code int, err error) {
	flags := flag.NewFlagSet("rebuild", flag.ContinueOnError)
	data := dataFlag(flags)
	from := flags.String("from", "", "URL of a backup to bring back first, into a lake that has no bucket any more")
	if _, err := parse(flags, args, 0, 0); err != nil {
		return exitFailed, err
	}
	if *from != "" {
		contents, err := node.Back(ctx, *from, found(*data))
		if err != nil {
			return exitFailed, err
		}
		if _, err := fmt.Fprintf(s.out, "Brought back: the lake as of %s, %d tables.\n", contents.At.UTC().Format(time.RFC3339), len(contents.Tables)); err != nil {
			return exitFailed, err
		}
	}
	rebuilt, err := node.Rebuild(ctx, found(*data))
	for _, t := range rebuilt {
		if _, err := fmt.Fprintf(s.out, "%s: as of log entry %d\n", t.Table, t.Batch); err != nil {
			return exitFailed, err
		}
	}
	if err != nil {
		return exitFailed, err
	}
	_, err = fmt.Fprintf(s.out, "Tables put into the catalog: %d.\n", len(rebuilt))
	return exitOK, err
}
