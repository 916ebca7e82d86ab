package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"slices"
	"strings"

	"medlake/functions/maintain"
	"medlake/local/node"
)

func maintainTables(ctx context.Context, args []string, s streams) (code int, err error) {
	flags := flag.NewFlagSet("maintain", flag.ContinueOnError)
	data, meta := dataFlag(flags), metadataFlag(flags)
	table := flags.String("table", "", "one table as it is stored, such as visits_log; default: all")
	dry := flags.Bool("dry-run", false, "only show what would be done")
	if _, err := parse(flags, args, 0, 0); err != nil {
		return exitFailed, err
	}
	n, err := openNode(ctx, *data, *meta, "", logTo(s.err, slog.LevelWarn))
	if err != nil {
		return exitFailed, err
	}
	defer func() { err = errors.Join(err, n.Close()) }()
	order := maintain.Order{Dry: *dry, Delete: true}
	if *table != "" {
		order.Tables = []string{node.Stored(*table)}
		if err := n.Reader.Stored(ctx, order.Tables[0]); err != nil {
			return exitFailed, err
		}
	}
	report, err := n.Maintainer.Round(ctx, order)
	if werr := showMaintenance(s.out, report, *dry); werr != nil {
		return exitFailed, werr
	}
	if err != nil {
		return exitFailed, err
	}
	return exitOK, nil
}

// showMaintenance writes what a round did, or would do, for the tables that needed it.
func showMaintenance(w io.Writer, r maintain.Report, dry bool) error {
	var b strings.Builder
	for _, t := range r.Tables {
		var did []string
		files, why := 0, map[maintain.Reason]int{}
		for _, g := range t.Groups {
			files += len(g.Files)
			why[g.Why]++
		}
		switch {
		case dry && files > 0:
			did = append(did, fmt.Sprintf("would compact %d files into %d", files, len(t.Groups)))
		case files > 0:
			did = append(did, fmt.Sprintf("compacted %d of %d groups of %d files", t.Compacted, len(t.Groups), files))
		}
		for _, reason := range slices.Sorted(maps.Keys(why)) {
			did = append(did, fmt.Sprintf("%s: %d", reason, why[reason]))
		}
		if t.Manifests {
			did = append(did, "rewrote manifests")
		}
		if t.Deleted.Files > 0 {
			verb := "deleted"
			if dry {
				verb = "would delete"
			}
			did = append(did, fmt.Sprintf("%s %d files that nothing names, %d bytes", verb, t.Deleted.Files, t.Deleted.Bytes))
		}
		if len(did) > 0 {
			fmt.Fprintf(&b, "%s: %s\n", t.Table, strings.Join(did, ", "))
		}
	}
	if b.Len() == 0 {
		b.WriteString("Nothing to do.\n")
	}
	if r.Left > 0 {
		fmt.Fprintf(&b, "%d groups of files are left for the next round\n", r.Left)
	}
	_, err := io.WriteString(w, b.String())
	return err
}
