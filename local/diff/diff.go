// Package diff tells what other metadata would make of uploads that are there: which files would be read otherwise, and
// which rows and columns would change. It writes nothing and tells no value.
package diff

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"medlake/functions/ingest"
	"medlake/shared/lake"
)

// Comparer compares two engines.
type Comparer struct {
	Old, New ingest.Engine
	Secrets  ingest.Secrets
	Read     func(ctx context.Context, a lake.Arrival) ([]byte, error)
}

// Report is what changes, by feed.
type Report struct {
	Files   int // that were read with both
	Changed int // that come out differently
	Feeds   []Feed
}

// Feed is what changes for the files of one feed: that of the old metadata, or the new one's where the old knew none.
type Feed struct {
	Name   string
	Files  int
	Fates  map[Fate]int // files that become something else
	Tables []Table      // that change, by name
}

// Fate is what becomes of a file before and after: "loaded by f", or a reason of quarantine.
type Fate struct{ Before, After string }

// Table is what changes in one table. Rows are matched by entry and row.
type Table struct {
	Name           string
	Before, After  int64          // rows
	Added, Removed int64          // rows that are in one of them only
	Changed        int64          // rows with other values
	Columns        map[string]int // changed rows by column
}

func (t *Table) same() bool { return t.Added+t.Removed+t.Changed == 0 }

// Compare reads uploads with both engines.
func (c *Comparer) Compare(ctx context.Context, arrivals []lake.Arrival) (Report, error) {
	var r Report
	feeds := map[string]*Feed{}
	for _, a := range arrivals {
		data, err := c.Read(ctx, a)
		if err != nil {
			return r, fmt.Errorf("arrival %s: %w", a.ID(), err)
		}
		before, err := c.derive(ctx, c.Old, a, data)
		if err != nil {
			return r, fmt.Errorf("arrival %s with the old metadata: %w", a.ID(), err)
		}
		after, err := c.derive(ctx, c.New, a, data)
		if err != nil {
			return r, fmt.Errorf("arrival %s with the new metadata: %w", a.ID(), err)
		}
		name := cmp.Or(before.feed, after.feed)
		f := feeds[name]
		if f == nil {
			f = &Feed{Name: name, Fates: map[Fate]int{}}
			feeds[name] = f
		}
		r.Files++
		f.Files++
		if f.add(before, after) {
			r.Changed++
		}
	}
	for _, name := range slices.Sorted(maps.Keys(feeds)) {
		r.Feeds = append(r.Feeds, *feeds[name])
	}
	return r, nil
}

// add counts one file; true if anything changes.
func (f *Feed) add(before, after derived) bool {
	changed := false
	if fate := (Fate{before.fate, after.fate}); fate.Before != fate.After {
		f.Fates[fate]++
		changed = true
	}
	names := map[string]bool{}
	for _, d := range []derived{before, after} {
		for name := range d.tables {
			names[name] = true
		}
	}
	for _, name := range slices.Sorted(maps.Keys(names)) {
		t := compare(name, before.tables[name], after.tables[name])
		i, found := slices.BinarySearchFunc(f.Tables, name, func(t Table, name string) int { return cmp.Compare(t.Name, name) })
		if !found {
			f.Tables = slices.Insert(f.Tables, i, Table{Name: name, Columns: map[string]int{}})
		}
		f.Tables[i].add(t)
		changed = changed || !t.same()
	}
	return changed
}

func (t *Table) add(o Table) {
	t.Before += o.Before
	t.After += o.After
	t.Added += o.Added
	t.Removed += o.Removed
	t.Changed += o.Changed
	for name, n := range o.Columns {
		t.Columns[name] += n
	}
}

// derive reads an upload with one engine. A refusal is an outcome, not an error.
func (c *Comparer) derive(ctx context.Context, e ingest.Engine, a lake.Arrival, data []byte) (d derived, err error) {
	plan, err := e.Match(a.Name())
	if err != nil {
		return refused(derived{}, err)
	}
	about := plan.About()
	d = derived{feed: about.Feed, fate: "loaded by " + about.Feed, tables: map[string]rows{}}
	var passwords []string
	if about.Secret != "" {
		passwords, err = c.Secrets.Lines(ctx, about.Secret)
		if err != nil && !errors.Is(err, lake.ErrNotFound) {
			return d, fmt.Errorf("passwords of the sender: %w", err)
		}
	}
	content, err := plan.Open(data, passwords)
	if err != nil {
		return refused(d, err)
	}
	defer func() { err = errors.Join(err, content.Close()) }()
	tables := plan.Tables()
	_, err = content.Run(ingest.Origin{Load: nobody, ArrivedAt: a.At, Flush: d.flush(tables)})
	if err != nil {
		return refused(d, err)
	}
	return d, nil
}

// refused makes an outcome of a refusal.
func refused(d derived, err error) (derived, error) {
	var r *lake.Refusal
	if !errors.As(err, &r) {
		return d, err
	}
	return derived{feed: d.feed, fate: "quarantined: " + string(r.Reason)}, nil
}
