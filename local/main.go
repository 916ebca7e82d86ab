// Command medlake is a whole lake on one machine: it runs every function in one process, loads files, answers SQL and
// checks metadata. Start reading at functions/main.go; this is the same code with other wiring.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"medlake/shared/faas"
	"medlake/shared/lake"
)

// Exit codes every command uses.
const (
	exitOK     = 0
	exitSome   = 1 // some files were quarantined, or the metadata has faults
	exitFailed = 2 // the command could not do its work
)

// streams is where a command writes: answers to out, progress and complaints to err.
type streams struct{ out, err io.Writer }

type command struct {
	name, args, doc string
	run             func(ctx context.Context, args []string, s streams) (int, error)
}

// commands in the order help shows them. Those without doc are for medlake itself, in child processes.
func commands() []command {
	return []command{
		{"demo", "[--data DIR] [--metadata DIR] [--listen ADDR] [--once]", "send sample records in, show receipts and answers, keep serving", tour},
		{"run", "[--data DIR] [--metadata DIR] [--secrets URL] [--listen ADDR]", "serve: HTTP door, drop folder, all functions", serve},
		{"load", "[--data DIR] [--metadata DIR] [--secrets URL] [--json] [--as PATH] --customer C FILE…", "load files and exit", load},
		{"sql", "[--data DIR] [--metadata DIR] [--customer C] [--at TIME] [--as table|csv|json] 'SELECT …'", "ask the lake", sql},
		{"check", "[--metadata DIR]", "check all metadata, with every feed's sample", check},
		{"try", "[--metadata DIR] [--customer C] [--password-file F] FEED FILE", "show the rows and rejects of a file; nothing is written", try},
		{"merge", "[--data DIR] [--metadata DIR]", "bring the tables that change up to their logs now", mergeNow},
		{"maintain", "[--data DIR] [--metadata DIR] [--table T] [--dry-run]", "compact files, thin out snapshots, delete what nothing names, measure into ops.health", maintainTables},
		{"restore", "[--data DIR] [--metadata DIR] --to TIME [--table T] [--later keep|drop] [--exclude IDS] [--reason TEXT]", "show what putting tables back to a moment would undo, and do it once it is said what becomes of later loads", restoreTables},
		{"backup", "[--data DIR] [--metadata DIR] [--grace DURATION] URL", "copy what is new into a second bucket, and prove that the copy can be read", backupLake},
		{"rebuild", "[--data DIR] [--from URL]", "make the catalog anew from the bucket, or both from a backup", rebuildCatalog},
		{"replay", "[--data DIR] [--metadata DIR] [--secrets URL] [--feed F] [--customer C] [--since TIME] [--until TIME] [--resume] [--reason TEXT]", "derive uploads anew after the metadata was put right; the rows they brought before leave", replayLoads},
		{"erase", "[--data DIR] [--metadata DIR] [--secrets URL] --customer C (--patient ID | --all) [--anywhere] [--unreadable] [--backup URL] [--dry-run] [--resume N] [--reason TEXT]", "take a patient, or all of a customer, out of everything for ever, and prove it", eraseFrom},
		{"diff", "[--data DIR] [--metadata DIR] [--secrets URL] [--last N] NEW", "what the metadata in folder NEW would change on the latest uploads; nothing is written", compare},
		{"alone", "", "", alone},
		{"answer", "", "", answer},
	}
}

func main() { os.Exit(Main(faas.Signals(), os.Args[1:], streams{os.Stdout, os.Stderr})) }

// Main runs one command and returns its exit code.
func Main(ctx context.Context, args []string, s streams) int {
	all := commands()
	if len(args) == 0 || slices.Contains([]string{"help", "-h", "-help", "--help"}, args[0]) {
		usage(s.out, all)
		return exitOK
	}
	i := slices.IndexFunc(all, func(c command) bool { return c.name == args[0] })
	if i < 0 {
		fmt.Fprintf(s.err, "medlake: there is no command %q; medlake help lists them\n", args[0])
		return exitFailed
	}
	code, err := all[i].run(ctx, args[1:], s)
	var asked help
	switch {
	case errors.As(err, &asked):
		fmt.Fprintf(s.out, "medlake %s %s: %s\n\n%s", all[i].name, all[i].args, all[i].doc, asked.options)
		return exitOK
	case err != nil:
		fmt.Fprintf(s.err, "medlake %s: %s\n", all[i].name, strings.TrimSuffix(err.Error(), ": "+lake.ErrInvalid.Error()))
		return exitFailed
	}
	return code
}

func usage(w io.Writer, all []command) {
	fmt.Fprintln(w, "medlake: an open data lake for medical records, on one machine")
	for _, c := range all {
		if c.doc != "" {
			fmt.Fprintf(w, "\n  medlake %s %s\n      %s\n", c.name, c.args, c.doc)
		}
	}
	fmt.Fprintf(w, "\nWith --data DIR go --bucket URL and --catalog URL: the lake's bucket and catalog, if they are not in the folder.\n")
}

// help is the error of a command that was asked what its options are.
type help struct{ options string }

func (help) Error() string { return "help was asked for" }

// parse reads a command's flags, which stand before the arguments, and leaves at least minArgs and at most maxArgs
// arguments; maxArgs below 0 is no bound.
func parse(flags *flag.FlagSet, args []string, minArgs, maxArgs int) ([]string, error) {
	var options strings.Builder
	flags.SetOutput(&options)
	flags.Usage = func() {}
	err := flags.Parse(args)
	if errors.Is(err, flag.ErrHelp) {
		options.Reset()
		flags.PrintDefaults()
		return nil, help{options.String()}
	}
	if err != nil {
		return nil, fmt.Errorf("%w; medlake %s --help lists the options", err, flags.Name())
	}
	n := flags.NArg()
	switch {
	case n < minArgs:
		return nil, fmt.Errorf("an argument is missing; medlake %s --help shows how", flags.Name())
	case maxArgs >= 0 && n > maxArgs:
		return nil, fmt.Errorf("there are too many arguments (options stand before them); medlake %s --help shows how", flags.Name())
	}
	return flags.Args(), nil
}
