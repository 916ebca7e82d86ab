package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"medlake/local/node"
	"medlake/shared/archive"
	"medlake/shared/lake"
	"medlake/shared/metadata"
	"medlake/shared/query"
	"medlake/shared/transform"
	"medlake/shared/transform/column"
)

// tryRows is how many rows of a table try shows.
const tryRows = 20

func try(_ context.Context, args []string, s streams) (int, error) {
	flags := flag.NewFlagSet("try", flag.ContinueOnError)
	dir := metadataFlag(flags)
	customer := flags.String("customer", "", "whose file it is; default: the customer of the feed's sample, or the first")
	passwords := flags.String("password-file", "", "file with the passwords of the archive, one a line")
	rest, err := parse(flags, args, 2, 2)
	if err != nil {
		return exitFailed, err
	}
	library, err := node.Metadata(*dir)
	if err != nil {
		return exitFailed, err
	}
	program := library.Program(rest[0])
	if program == nil {
		return exitFailed, fmt.Errorf("there is no feed %q in %s", rest[0], *dir)
	}
	sender, err := senderOf(library.Set(), program.Feed(), *customer)
	if err != nil {
		return exitFailed, err
	}
	members, free, err := membersOf(rest[1], *passwords, program.Feed().Open.Nested)
	if err == nil {
		defer func() { _ = free() }() // the process ends here
		err = tryAll(s.out, program.Match(sender, nil), members)
	}
	var refusal *lake.Refusal
	if errors.As(err, &refusal) {
		fmt.Fprintf(s.out, "quarantined: %v\n", refusal)
		if refusal.Reason == lake.WrongPassword {
			fmt.Fprintln(s.out, "the passwords to try are the lines of --password-file")
		}
		return exitSome, nil
	}
	if err != nil {
		return exitFailed, err
	}
	return exitOK, nil
}

func senderOf(set *metadata.Set, feed *metadata.Feed, id string) (*metadata.Customer, error) {
	if id == "" {
		id = feed.As
	}
	if id == "" && len(set.Customers) > 0 {
		return set.Customers[0], nil
	}
	return customerOf(set, id)
}

func customerOf(set *metadata.Set, id string) (*metadata.Customer, error) {
	for _, c := range set.Customers {
		if c.ID == id {
			return c, nil
		}
	}
	return nil, fmt.Errorf("there is no customer %q in the metadata", id)
}

// member is one member to try: of an archive, or a plain file as it is.
type member struct {
	name string
	transformSource
}

type transformSource interface {
	Bytes() ([]byte, error)
	Reader() (io.ReadCloser, error)
}

type plainFile []byte

func (p plainFile) Bytes() ([]byte, error)         { return p, nil }
func (p plainFile) Reader() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(p)), nil }

func membersOf(file, passwordFile string, nested int) ([]member, func() error, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, nil, err
	}
	var passwords []string
	if passwordFile != "" {
		lines, err := os.ReadFile(passwordFile)
		if err != nil {
			return nil, nil, err
		}
		passwords = strings.FieldsFunc(string(lines), func(r rune) bool { return r == '\n' || r == '\r' })
	}
	limits := archive.Defaults()
	limits.Nested = nested
	a, err := archive.Open(data, passwords, limits)
	var refusal *lake.Refusal
	if errors.As(err, &refusal) && refusal.Reason == lake.NotAnArchive {
		return []member{{filepath.Base(file), plainFile(data)}}, func() error { return nil }, nil
	}
	if err != nil {
		return nil, nil, err
	}
	var members []member
	for _, m := range a.Members() {
		members = append(members, member{m.NameIn(filepath.ToSlash(file)), m})
	}
	return members, a.Close, nil
}

// tryAll runs members and writes the first rows of each table, the counts and the rejects.
func tryAll(w io.Writer, m *transform.Match, members []member) error {
	tables := m.Program.Tables()
	shown := make([][][]query.Cell, len(tables))
	run := m.NewRun(transform.Origin{Load: strings.Repeat("-", lake.IDLen), ArrivedAt: time.Unix(0, 0), Flush: func(i int, b *column.Batch) error {
		shown[i] = append(shown[i], cells(b, tryRows-len(shown[i]))...)
		return nil
	}})
	defer run.Release()
	for i, x := range members {
		wanted, err := run.Member(i, x.name, x)
		if err != nil {
			return err
		}
		if !wanted {
			fmt.Fprintf(w, "entry %d: no table of the feed wants it\n", i)
		}
	}
	counts, warnings, err := run.Finish()
	if err != nil {
		return err
	}
	for i, t := range tables {
		c := counts[i]
		if c.Read == 0 && len(shown[i]) == 0 {
			continue
		}
		fmt.Fprintf(w, "\n%s: %d read, %d rows, %d filtered, %d rejected\n", t.ID(), c.Read, c.Committed, c.Filtered, c.Rejected)
		if err := show(w, t, shown[i]); err != nil {
			return err
		}
	}
	for _, x := range warnings {
		fmt.Fprintf(w, "warning: %d rows of %s break %s\n", x.Rows, x.Table, x.Rule)
	}
	return nil
}

// show writes rows without the columns that are the same in every row of a try, or null in all.
func show(w io.Writer, t *metadata.Table, rows [][]query.Cell) error {
	if len(rows) == 0 {
		return nil
	}
	columns := t.Schema().Columns
	hidden := []string{lake.ColCustomer, lake.ColLoad, lake.ColArrivedAt}
	var keep []int
	result := query.Result{}
	for i, c := range columns {
		empty := !slices.ContainsFunc(rows, func(r []query.Cell) bool { return !r[i].Null })
		if slices.Contains(hidden, c.Name) || empty {
			continue
		}
		keep = append(keep, i)
		kind := query.Text
		if slices.Contains([]lake.Kind{lake.Long, lake.Double, lake.Decimal}, c.Type.Kind) {
			kind = query.Number
		}
		result.Columns = append(result.Columns, query.Column{Name: c.Name, Kind: kind})
	}
	result.Rows = func(yield func([]query.Cell, error) bool) {
		for _, r := range rows {
			line := make([]query.Cell, len(keep))
			for k, i := range keep {
				line[k] = r[i]
			}
			if !yield(line, nil) {
				return
			}
		}
	}
	_, err := query.Write(w, &result, query.AsTable)
	return err
}

// cells spells the first n rows of a batch.
func cells(b *column.Batch, n int) [][]query.Cell {
	rows := make([][]query.Cell, max(0, min(n, b.Rows)))
	for i := range b.Columns {
		k := 0
		for text := range texts(&b.Columns[i]) {
			if k == len(rows) {
				break
			}
			rows[k] = append(rows[k], text)
			k++
		}
	}
	return rows
}

// texts spells the values of a column in row order.
func texts(c *column.Column) iter.Seq[query.Cell] {
	spell := map[lake.Kind]func(i int) string{
		lake.String:    func(i int) string { return string(c.Text(i)) },
		lake.Long:      func(i int) string { return strconv.FormatInt(c.Ints[i], 10) },
		lake.Double:    func(i int) string { return strconv.FormatFloat(c.Floats[i], 'g', -1, 64) },
		lake.Decimal:   func(i int) string { return string(column.AppendDecimal(nil, c.Ints[i], c.Type.Scale)) },
		lake.Date:      func(i int) string { return string(column.AppendDate(nil, c.Ints[i])) },
		lake.Timestamp: func(i int) string { return string(column.AppendTimestamp(nil, c.Ints[i])) },
		lake.Boolean:   func(i int) string { return strconv.FormatBool(c.Bools[i] == 1) },
	}[c.Type.Kind]
	return func(yield func(query.Cell) bool) {
		i := 0
		for _, valid := range c.Valid {
			cell := query.Cell{Null: true}
			if valid == 1 {
				cell = query.Cell{Text: spell(i)}
				i++
			}
			if !yield(cell) {
				return
			}
		}
	}
}
