package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"

	"medlake/functions/restore"
	"medlake/local/node"
)

func restoreTables(ctx context.Context, args []string, s streams) (code int, err error) {
	flags := flag.NewFlagSet("restore", flag.ContinueOnError)
	data, meta := dataFlag(flags), metadataFlag(flags)
	to := flags.String("to", "", "the moment to go back to, like 2026-11-24T10:00:00Z, or the end of a day like 2026-11-24")
	table := flags.String("table", "", "one table; default: all")
	later := flags.String("later", "", "what becomes of loads that came later: keep (commit them again) or drop (leave them out for ever); empty: only show what would happen")
	exclude := flags.String("exclude", "", "ids of loads to leave out, with commas; all others are kept")
	reason := flags.String("reason", "", "why, for the log")
	if _, err := parse(flags, args, 0, 0); err != nil {
		return exitFailed, err
	}
	at, err := moment("to", *to)
	if err != nil {
		return exitFailed, err
	}
	switch {
	case at.IsZero():
		return exitFailed, errors.New("name the moment with --to")
	case *later != "" && *later != "keep" && *later != "drop":
		return exitFailed, fmt.Errorf("--later is keep or drop, not %q", *later)
	case (*exclude != "" || *later != "") && *reason == "":
		return exitFailed, errors.New("say why, for the log, with --reason")
	case *exclude != "" && *later == "drop":
		return exitFailed, errors.New("--exclude names what --later drop leaves out anyway: give one of them")
	}
	n, err := openNode(ctx, *data, *meta, "", logTo(s.err, slog.LevelWarn))
	if err != nil {
		return exitFailed, err
	}
	defer func() { err = errors.Join(err, n.Close()) }()
	if *table != "" {
		*table = node.Stored(*table)
	}
	plan, err := n.Restorer.Plan(ctx, *table, at)
	if err != nil {
		return exitFailed, err
	}
	if err := showRestore(s.out, plan); err != nil {
		return exitFailed, err
	}
	if len(plan.Tables) == 0 {
		return exitOK, nil
	}
	var out []string
	switch {
	case *later == "" && *exclude == "":
		_, err := fmt.Fprintln(s.out, "Nothing was changed. Choose with --later keep, --later drop or --exclude.")
		return exitOK, err
	case *later == "drop":
		out = plan.Loads()
	case *exclude != "":
		out = strings.Split(*exclude, ",")
	}
	done, err := n.Restorer.Restore(ctx, plan, out, *reason)
	if err != nil {
		return exitFailed, err
	}
	if err := n.Settle(ctx); err != nil {
		return exitFailed, fmt.Errorf("%w; the restore stands in the log and the next commit makes it", err)
	}
	_, err = fmt.Fprintf(s.out, "Restored: %d tables; loads left out: %d.\n", len(done), len(out))
	return exitOK, err
}

// showRestore writes what a restore would undo, by table.
func showRestore(w io.Writer, p restore.Plan) error {
	var b strings.Builder
	fmt.Fprintf(&b, "To %s: tables that have changed since: %d; rows loaded since: %d.\n", p.To.UTC().Format(time.RFC3339), len(p.Tables), p.Rows())
	for _, t := range p.Tables {
		from := "the empty table"
		if t.Snapshot.ID != 0 {
			from = "the snapshot of " + t.Snapshot.At.UTC().Format(time.RFC3339)
		}
		fmt.Fprintf(&b, "  %s: back to %s\n", t.Table, from)
		for _, u := range t.Undone {
			note := ""
			switch {
			case u.Out:
				note = ", left out before"
			case u.Gone:
				note = ", its files are gone: it can only be left out"
			}
			from := ""
			if len(u.Receipt) > 0 {
				r := u.Receipt[0]
				from = fmt.Sprintf(", %s, feed %s, arrived %s", r.Arrival.Customer(), r.Feed, r.Arrival.At.UTC().Format(time.RFC3339))
			}
			fmt.Fprintf(&b, "    load %s, entry %d, rows %d%s%s\n", u.Load, u.Entry, u.Rows, from, note)
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}
