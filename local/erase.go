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

	"medlake/functions/erase"
	"medlake/shared/lake"
)

func eraseFrom(ctx context.Context, args []string, s streams) (code int, err error) {
	flags := flag.NewFlagSet("erase", flag.ContinueOnError)
	data, meta, secrets := dataFlag(flags), metadataFlag(flags), secretsFlag(flags)
	var o erase.Order
	flags.StringVar(&o.Customer, "customer", "", "whose data")
	flags.StringVar(&o.Patient, "patient", "", "id of the patient, as columns of phi(id), phi(mrn) or phi(member) have it")
	all := flags.Bool("all", false, "instead of a patient: everything of the customer")
	flags.BoolVar(&o.Anywhere, "anywhere", false, "records that the id stands in anywhere go too, and not only those that it identifies")
	flags.BoolVar(&o.Unreadable, "unreadable", false, "uploads that cannot be opened go too: nobody can say what is in them")
	flags.StringVar(&o.Reason, "reason", "", "why, for the log and the certificate")
	flags.Int64Var(&o.Resume, "resume", 0, "the erasure to go on with, by the number that it began with: the order must be the same")
	dry := flags.Bool("dry-run", false, "only show what would be erased")
	copied := flags.String("backup", "", "URL of a backup to erase from too; what else the lake has no more leaves it at once")
	if _, err := parse(flags, args, 0, 0); err != nil {
		return exitFailed, err
	}
	if o.Customer == "" {
		return exitFailed, errors.New("say whose data with --customer")
	}
	if (o.Patient == "") != *all {
		return exitFailed, errors.New("say what: one patient with --patient, or everything of the customer with --all")
	}
	if o.Reason == "" && !*dry {
		return exitFailed, errors.New("say why, for the log and the certificate, with --reason")
	}
	n, err := openNode(ctx, *data, *meta, *secrets, logTo(s.err, slog.LevelWarn))
	if err != nil {
		return exitFailed, err
	}
	defer func() { err = errors.Join(err, n.Close()) }()
	var copies []string
	if *copied != "" {
		copies = append(copies, *copied)
	}
	e, closes, err := n.Eraser(ctx, copies)
	defer func() { err = errors.Join(err, closes()) }()
	if err != nil {
		return exitFailed, err
	}
	if *dry {
		p, err := e.Plan(ctx, o)
		if err != nil {
			return exitFailed, err
		}
		_, err = fmt.Fprintf(s.out, "Would erase: uploads: %d; of these as a whole: %d; from the others: %d records, %d members.\n",
			p.Uploads, p.Uploads-p.Rewritten, p.Records, p.Members)
		return exitOK, errors.Join(err, begun(s.out, p.Open))
	}
	c, left, err := e.Run(ctx, o)
	again := "the same command"
	if len(c.Entries) > 0 {
		again = fmt.Sprintf("the same command with --resume %d", c.Entries[0])
	}
	switch {
	case errors.Is(err, erase.ErrLeft):
		_, werr := fmt.Fprintf(s.out, "Not all is erased, and there is no certificate: %d objects hold something still, %d cannot be opened. Go on with %s.\n", len(left.Holding), len(left.Unread), again)
		werr = errors.Join(werr, places(s.out, "holding", left.Holding), places(s.out, "not opened", left.Unread))
		if len(left.Unread) > 0 {
			_, err = fmt.Fprintln(s.out, "Uploads that cannot be opened are taken out with --unreadable.")
			werr = errors.Join(werr, err)
		}
		return exitSome, werr
	case errors.Is(err, lake.ErrNotFound) && o.Resume > 0 && len(c.Entries) == 0:
		return exitFailed, err
	case err != nil:
		return exitFailed, fmt.Errorf("%w; %s goes on with it", err, again)
	}
	_, err = fmt.Fprintf(s.out, "Erased: uploads: %d; of these as a whole: %d; from the others: %d records, %d members. Searched: %d objects, and nothing was found. Certificate: %s\n",
		c.Uploads, c.Removed, c.Records, c.Members, c.Objects, c.Key)
	return exitOK, errors.Join(err, begun(s.out, c.Open))
}

// begun tells of erasures that nobody has confirmed: their patients are known to who ordered them.
func begun(w io.Writer, orders []int64) error {
	for _, n := range orders {
		if _, err := fmt.Fprintf(w, "Erasure %d was begun before and has no certificate: its own order goes on with --resume %d.\n", n, n); err != nil {
			return err
		}
	}
	return nil
}

// places tells where objects lie, but not what senders called them.
func places(w io.Writer, what string, keys []string) error {
	of := erase.Places(keys)
	for _, place := range slices.Sorted(maps.Keys(of)) {
		if _, err := fmt.Fprintf(w, "  %s: %d in %s\n", what, of[place], place); err != nil {
			return err
		}
	}
	return nil
}
