package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"medlake/functions/ingest"
	"medlake/local/diff"
	"medlake/local/node"
	"medlake/shared/secret"
	"medlake/shared/store"
)

func compare(ctx context.Context, args []string, s streams) (code int, err error) {
	flags := flag.NewFlagSet("diff", flag.ContinueOnError)
	data, meta, secrets := dataFlag(flags), metadataFlag(flags), secretsFlag(flags)
	last := flags.Int("last", 100, "how many of the latest uploads to read")
	rest, err := parse(flags, args, 1, 1)
	if err != nil {
		return exitFailed, err
	}
	if _, err := os.Stat(rest[0]); err != nil {
		return exitFailed, fmt.Errorf("NEW is the folder of the other metadata: %w", err)
	}
	after, err := node.Metadata(rest[0])
	if err != nil {
		return exitFailed, err
	}
	reader, before, err := openReader(ctx, *data, *meta)
	if err != nil {
		return exitFailed, err
	}
	defer func() { err = errors.Join(err, reader.Close()) }()
	if *secrets == "" {
		dir, err := filepath.Abs(filepath.Join(data.Data, "secrets"))
		if err != nil {
			return exitFailed, err
		}
		*secrets = store.FileURL(dir)
	}
	passwords, err := secret.Open(ctx, *secrets)
	if err != nil {
		return exitFailed, fmt.Errorf("open secrets: %w", err)
	}
	defer func() { err = errors.Join(err, passwords.Close()) }()
	arrivals, err := reader.Latest(ctx, *last)
	if err != nil {
		return exitFailed, err
	}
	c := diff.Comparer{Old: ingest.Metadata(before), New: ingest.Metadata(after), Secrets: passwords, Read: reader.Landed}
	report, err := c.Compare(ctx, arrivals)
	if err != nil {
		return exitFailed, err
	}
	if err := showDiff(s.out, report); err != nil {
		return exitFailed, err
	}
	if report.Changed > 0 {
		return exitSome, nil
	}
	return exitOK, nil
}

// showDiff writes what changes, and says so if nothing does.
func showDiff(w io.Writer, r diff.Report) error {
	var b strings.Builder
	fmt.Fprintf(&b, "files read: %d, that come out differently: %d\n", r.Files, r.Changed)
	for _, f := range r.Feeds {
		if len(f.Fates) == 0 && !slices.ContainsFunc(f.Tables, func(t diff.Table) bool { return t.Added+t.Removed+t.Changed > 0 }) {
			continue
		}
		name := f.Name
		if name == "" {
			name = "no feed"
		}
		fmt.Fprintf(&b, "\n%s, files: %d\n", name, f.Files)
		fates := slices.SortedFunc(maps.Keys(f.Fates), func(a, b diff.Fate) int {
			return cmp.Or(cmp.Compare(a.Before, b.Before), cmp.Compare(a.After, b.After))
		})
		for _, fate := range fates {
			fmt.Fprintf(&b, "  %s, now %s: %d\n", fate.Before, fate.After, f.Fates[fate])
		}
		for _, t := range f.Tables {
			if t.Added+t.Removed+t.Changed == 0 {
				continue
			}
			fmt.Fprintf(&b, "  %s: %d rows before, %d after; %d added, %d removed, %d changed", strings.TrimPrefix(t.Name, "lake."), t.Before, t.After, t.Added, t.Removed, t.Changed)
			sep := ": "
			for _, c := range slices.Sorted(maps.Keys(t.Columns)) {
				fmt.Fprintf(&b, "%s%s in %d", sep, c, t.Columns[c])
				sep = ", "
			}
			b.WriteByte('\n')
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}
