// Package transform compiles feeds into programs that turn the members of an archive into typed columns and rejects, and
// the `change` of tables into folds; it runs every feed's sample when it does. What it makes is a pure function of the
// bytes and the metadata. It opens no archives, writes no files, and looks nothing up but the reference tables of the
// metadata.
package transform

import (
	"slices"
	"strings"
	"time"

	"medlake/shared/lake"
	"medlake/shared/metadata"
	"medlake/shared/transform/column"
	"medlake/shared/transform/fold"
)

// Library holds the programs of all feeds of a set. It is immutable and safe for concurrent use.
type Library struct {
	set       *metadata.Set
	programs  []*Program
	customers map[string]*metadata.Customer
	folds     map[string]*fold.Fold // by table
}

// Compile compiles all feeds and tables and runs every sample. It returns all faults at once, sorted by place; with a
// fault the library must not be used to load files.
func Compile(set *metadata.Set) (*Library, []metadata.Fault) {
	l, faults := compileTables(set)
	for _, f := range set.Feeds {
		p, found := compileFeed(set, f)
		if len(found) == 0 {
			found = l.trySample(p)
		}
		faults = append(faults, found...)
		l.programs = append(l.programs, p)
	}
	return l, metadata.SortFaults(faults)
}

func compileTables(set *metadata.Set) (*Library, []metadata.Fault) {
	l := &Library{set: set, customers: map[string]*metadata.Customer{}, folds: map[string]*fold.Fold{}}
	for _, c := range set.Customers {
		l.customers[c.ID] = c
	}
	var faults []metadata.Fault
	for _, t := range set.Tables {
		faults = append(faults, checkFaults(set, t)...)
		if t.Change != nil {
			f, found := changeOf(set, t)
			l.folds[t.ID()] = f
			faults = append(faults, found...)
		}
	}
	return l, faults
}

// Set is the metadata the library was compiled from.
func (l *Library) Set() *metadata.Set { return l.set }

// Program returns the program of a feed, or nil.
func (l *Library) Program(feed string) *Program {
	for _, p := range l.programs {
		if p.feed.Name == feed {
			return p
		}
	}
	return nil
}

// Match is an upload's feed and customer.
type Match struct {
	Program  *Program
	Customer *metadata.Customer
	Captures map[string]string // what the feed's `from` captured, and the customer
	Secret   string            // name of the password's secret; empty: none
}

// Match finds the feed of an upload by <customer>/<path>/<name>. The error is a *lake.Refusal: unknown_customer or
// unknown_feed.
func (l *Library) Match(name string) (*Match, error) {
	id, _, _ := strings.Cut(name, "/")
	c := l.customers[id]
	if c == nil {
		return nil, lake.Refuse(lake.UnknownCustomer, -1)
	}
	for _, p := range l.programs {
		if m := p.match(c, name); m != nil {
			return m, nil
		}
	}
	return nil, lake.Refuse(lake.UnknownFeed, -1)
}

func (p *Program) match(c *metadata.Customer, name string) *Match {
	if len(p.feed.For) > 0 && !slices.Contains(p.feed.For, c.ID) {
		return nil
	}
	captures, ok := p.feed.From.Match(name)
	if !ok {
		return nil
	}
	return p.Match(c, captures)
}

// Match makes the match of an upload that is known to belong to the feed, for trying it out.
func (p *Program) Match(c *metadata.Customer, captures map[string]string) *Match {
	m := &Match{Program: p, Customer: c, Captures: map[string]string{}}
	for k, v := range captures {
		m.Captures[k] = v
	}
	m.Captures["customer"] = c.ID
	m.Secret = metadata.Expand(p.feed.Open.Password.Value, m.Captures)
	return m
}

// Origin is what a run writes into every row, and where its rows go.
type Origin struct {
	Load      string
	ArrivedAt time.Time
	BatchRows int // rows of a batch; default 16,384
	// Flush takes a full batch of table i of Program.Tables. The batch is reused after it returns.
	Flush func(table int, b *column.Batch) error
}
