package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"time"

	"medlake/local/duckdb"
	"medlake/local/node"
	"medlake/shared/query"
	"medlake/shared/transform"
)

func sql(ctx context.Context, args []string, s streams) (code int, err error) {
	flags := flag.NewFlagSet("sql", flag.ContinueOnError)
	data, meta := dataFlag(flags), metadataFlag(flags)
	customer := flags.String("customer", "", "see this customer's rows only")
	at := flags.String("at", "", "as received by this moment, like 2026-11-24T10:00:00Z or 2026-11-24")
	as := flags.String("as", "", "table, csv or json")
	rest, err := parse(flags, args, 1, 1)
	if err != nil {
		return exitFailed, err
	}
	format, err := query.ParseFormat(*as)
	if err != nil {
		return exitFailed, err
	}
	request := query.Request{SQL: rest[0], Customer: *customer}
	if request.At, err = moment("at", *at); err != nil {
		return exitFailed, err
	}
	reader, _, err := openReader(ctx, *data, *meta)
	if err != nil {
		return exitFailed, err
	}
	defer func() { err = errors.Join(err, reader.Close()) }()
	result, err := reader.Query(ctx, request)
	if err != nil {
		return exitFailed, err
	}
	_, err = query.Write(s.out, result, format)
	if err = errors.Join(err, result.Close()); err != nil {
		return exitFailed, err
	}
	return exitOK, nil
}

// openReader opens a lake for reading, with its metadata.
func openReader(ctx context.Context, at node.Place, meta string) (*node.Reader, *transform.Library, error) {
	library, err := node.Metadata(meta)
	if err != nil {
		return nil, nil, err
	}
	reader, err := node.OpenReader(ctx, found(at), library.Set())
	return reader, library, err
}

// moment reads the time of an option, or a day as its end in UTC; empty is the zero time.
func moment(option, s string) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	if t, err := time.Parse(time.RFC3339, s); err == nil {
		return t, nil
	}
	if t, err := time.Parse(time.DateOnly, s); err == nil {
		return t.AddDate(0, 0, 1).Add(-time.Microsecond), nil
	}
	return time.Time{}, fmt.Errorf("--%s %q is neither like 2026-11-24T10:00:00Z nor like 2026-11-24", option, s)
}

// answer is the limited process that runs one customer's statement.
func answer(ctx context.Context, _ []string, _ streams) (int, error) {
	if err := query.Serve(ctx, duckdb.Engine{}, os.Stdin, os.Stdout); err != nil {
		return exitFailed, nil // the parent has been told why
	}
	return exitOK, nil
}
