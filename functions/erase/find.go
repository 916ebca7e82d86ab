package erase

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"

	"medlake/shared/archive"
	"medlake/shared/format"
	"medlake/shared/format/csv"
	"medlake/shared/lake"
	"medlake/shared/transform"
)

// Secrets gives the lines of a secret, the current value first. lake.ErrNotFound means that there is none.
type Secrets interface {
	Lines(ctx context.Context, name string) ([]string, error)
}

// reading is how an upload is read.
type reading struct {
	match     *transform.Match // nil: no feed takes it
	passwords []string
	limits    archive.Limits
}

// reading finds out how uploads of a lake.Arrival.Name are read. Those that no feed takes are tried with all passwords of
// the customer's that bear no other name.
func (e *Eraser) reading(ctx context.Context, name string) (r reading, err error) {
	r.limits = archive.Defaults()
	set := e.cfg.Library.Set()
	var secrets []string
	if r.match, err = e.cfg.Library.Match(name); err == nil {
		r.limits.Nested = r.match.Program.Feed().Open.Nested
		secrets = []string{r.match.Secret}
	} else {
		id, _, _ := strings.Cut(name, "/")
		customer := set.Customer(id)
		for _, f := range set.Feeds {
			if customer != nil {
				secrets = append(secrets, e.cfg.Library.Program(f.Name).Match(customer, nil).Secret)
			}
		}
	}
	for _, s := range slices.Compact(slices.Sorted(slices.Values(secrets))) {
		if s == "" {
			continue
		}
		lines, err := e.cfg.Secrets.Lines(ctx, s)
		if err != nil && !errors.Is(err, lake.ErrNotFound) {
			return r, err
		}
		r.passwords = append(r.passwords, lines...)
	}
	return r, nil
}

// records finds the records of an upload that are the patient's: of text those that name the patient in a field of which an
// identifying column is made, of other members all if they do so; and members as a whole that the patient's id stands in
// and no table wants, or that cannot be read. The error is a *lake.Refusal if the upload cannot be opened.
func (e *Eraser) records(ctx context.Context, name string, data []byte, o Order) (_ Records, err error) {
	how, err := e.reading(ctx, name)
	if err != nil {
		return nil, err
	}
	found, look := Records{}, newSearch(o.Patient)
	a, err := archive.Open(data, how.passwords, how.limits)
	if isNone(err) {
		if look.in(data) {
			found.add(0, 0)
		}
		return found, nil
	}
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, a.Close()) }()
	for _, m := range a.Members() {
		rows, err := how.member(m, m.NameIn(name), look, o.Anywhere)
		if err == nil && look.in([]byte(m.Name())) {
			rows = []int64{0}
		}
		if err = errors.Join(err, m.Release()); err != nil {
			return nil, err
		}
		for _, row := range rows {
			found.add(m.Entry, row)
		}
	}
	return found, nil
}

// member finds the records of one member.
func (r reading) member(m *archive.Member, name string, look *search, anywhere bool) (rows []int64, err error) {
	read := false
	if r.match != nil {
		rows, read, err = r.match.Naming(name, m, look.value)
	}
	var refusal *lake.Refusal
	if err != nil && !errors.As(err, &refusal) {
		return nil, err
	}
	if read && err == nil && !anywhere {
		return rows, nil
	}
	plain, err := m.Bytes()
	if err != nil || !look.in(plain) {
		return nil, err
	}
	cfg, isText := r.text(name)
	if refusal != nil || !isText {
		return []int64{0}, nil
	}
	d, err := cfg.NewDecoder(nil)
	if err != nil {
		return nil, err
	}
	rows = nil
	err = d.Decode(m, func(row *format.Row) error {
		if slices.ContainsFunc(row.Fields, look.in) {
			rows = append(rows, row.Row)
		}
		return nil
	})
	if err == nil && len(rows) == 0 { // it stands in the header
		rows = []int64{0}
	}
	return rows, err
}

// text tells how a member is read as delimited text.
func (r reading) text(name string) (csv.Config, bool) {
	if r.match == nil || !r.match.Wants(name) {
		return csv.Config{}, false
	}
	return r.match.Program.Text()
}

// without is an upload without records; nil if nothing of it stays.
func (e *Eraser) without(ctx context.Context, name string, data []byte, records Records) ([]byte, error) {
	if records[0][0] || len(records) == 0 {
		if _, err := archive.Open(data, nil, archive.Defaults()); isNone(err) {
			return nil, nil
		}
	}
	how, err := e.reading(ctx, name)
	if err != nil {
		return nil, err
	}
	return Upload{
		Data: data, Passwords: how.passwords, Limits: how.limits, Random: e.cfg.Random,
		Text: func(m *archive.Member) (csv.Config, bool) { return how.text(m.NameIn(name)) },
	}.Without(records)
}

// isNone reports whether an error says that an upload is no archive, or an empty one: its bytes are all there is.
func isNone(err error) bool {
	var refusal *lake.Refusal
	return errors.As(err, &refusal) && (refusal.Reason == lake.NotAnArchive || refusal.Reason == lake.NoMember)
}

func (r Records) add(entry int, row int64) {
	if r[entry] == nil {
		r[entry] = map[int64]bool{}
	}
	r[entry][row] = true
}

// list is how the log spells records: a member that leaves as a whole has no others.
func (r Records) list() map[int][]int64 {
	out := make(map[int][]int64, len(r))
	for entry, rows := range r {
		if out[entry] = slices.Sorted(maps.Keys(rows)); rows[0] {
			out[entry] = []int64{0}
		}
	}
	return out
}

func recordsOf(list map[int][]int64) Records {
	out := Records{}
	for entry, rows := range list {
		for _, row := range rows {
			out.add(entry, row)
		}
	}
	return out
}

// count counts the records of text, and the members that leave as a whole.
func (r Records) count() (records, members int) {
	for _, rows := range r {
		if rows[0] {
			members++
		} else {
			records += len(rows)
		}
	}
	return records, members
}
