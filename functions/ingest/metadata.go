package ingest

import (
	"crypto/sha256"
	"errors"
	"maps"
	"slices"
	"sync"

	"medlake/shared/archive"
	"medlake/shared/transform"
)

// Metadata is the Engine of compiled metadata.
func Metadata(l *transform.Library) Engine { return &library{compiled: l} }

type library struct {
	compiled *transform.Library
	tables   sync.Map // *transform.Program -> []Table
}

func (l *library) Version() string { return l.compiled.Set().Version }

func (l *library) Match(name string) (Plan, error) {
	m, err := l.compiled.Match(name)
	if err != nil {
		return nil, err
	}
	tables, ok := l.tables.Load(m.Program)
	if !ok {
		tables, _ = l.tables.LoadOrStore(m.Program, tablesOf(m.Program))
	}
	return feedPlan{name, m, tables.([]Table)}, nil
}

func tablesOf(p *transform.Program) []Table {
	var tables []Table
	for _, t := range p.Tables() {
		tables = append(tables, Table{Schema: t.Schema(), FileSize: t.FileSize})
	}
	return tables
}

// feedPlan is how the uploads of a matched feed are read.
type feedPlan struct {
	name   string // of the upload
	match  *transform.Match
	tables []Table
}

func (p feedPlan) About() About {
	feed := p.match.Program.Feed()
	a := About{Feed: feed.Name, Dedupe: feed.Dedupe, Secret: p.match.Secret}
	for _, name := range slices.Sorted(maps.Keys(p.match.Captures)) {
		a.Captures = append(a.Captures, name+"="+p.match.Captures[name])
	}
	return a
}

func (p feedPlan) Tables() []Table { return p.tables }

func (p feedPlan) Open(data []byte, passwords []string) (Content, error) {
	limits := archive.Defaults()
	limits.Nested = p.match.Program.Feed().Open.Nested
	a, err := archive.Open(data, passwords, limits)
	if err != nil {
		return nil, err
	}
	return content{p.name, p.match, a}, nil
}

// content is an open archive whose members the feed reads.
type content struct {
	name    string // of the upload, for a gzip that holds none
	match   *transform.Match
	archive *archive.Archive
}

func (c content) Close() error { return c.archive.Close() }

// Sums tells a member that no table wants from the same one under a name that is wanted: a sender who corrects a name
// and sends the archive again brings something new. Which tables want it is left out, so that a new table of the feed does
// not make old uploads count again.
func (c content) Sums() [][32]byte {
	var sums [][32]byte
	for _, m := range c.archive.Members() {
		sum := m.Sum
		if !c.match.Wants(m.NameIn(c.name)) {
			sum = sha256.Sum256(append([]byte("unmatched"), sum[:]...))
		}
		sums = append(sums, sum)
	}
	return sums
}

func (c content) Run(o Origin) (out Outcome, err error) {
	run := c.match.NewRun(transform.Origin{Load: o.Load, ArrivedAt: o.ArrivedAt, Flush: o.Flush})
	defer func() {
		if p := recover(); p != nil { // what panicked is in no state to be used again
			panic(p)
		}
		run.Release()
	}()
	for _, m := range c.archive.Members() {
		wanted, err := run.Member(m.Entry, m.NameIn(c.name), m)
		if err = errors.Join(err, m.Release()); err != nil {
			return out, err
		}
		if out.Entries++; !wanted {
			out.Unmatched = append(out.Unmatched, m.Entry)
		}
	}
	out.Tables, out.Warnings, err = run.Finish()
	return out, err
}
