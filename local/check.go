package main

import (
	"context"
	"errors"
	"flag"
	"fmt"

	"medlake/local/node"
	"medlake/shared/metadata"
)

// metadataFlag adds --metadata.
func metadataFlag(f *flag.FlagSet) *string {
	return f.String("metadata", "metadata", "folder of the metadata")
}

func check(_ context.Context, args []string, s streams) (int, error) {
	flags := flag.NewFlagSet("check", flag.ContinueOnError)
	dir := metadataFlag(flags)
	if _, err := parse(flags, args, 0, 0); err != nil {
		return exitFailed, err
	}
	library, err := node.Metadata(*dir)
	var faults metadata.Faults
	if errors.As(err, &faults) {
		fmt.Fprintln(s.out, faults.Error())
		return exitSome, nil
	}
	if err != nil {
		return exitFailed, err
	}
	set := library.Set()
	fmt.Fprintf(s.out, "%d feeds, %d tables, %d customers, %d reports: no fault\n", len(set.Feeds), len(set.Tables), len(set.Customers), len(set.Reports))
	return exitOK, nil
}
