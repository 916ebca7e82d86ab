package transform

import (
	"slices"
	"strings"
	"sync"

	"medlake/shared/format/csv"
	"medlake/shared/format/xml"
	"medlake/shared/metadata"
)

// Program is a compiled feed. It is immutable and safe for concurrent use.
type Program struct {
	set      *metadata.Set
	feed     *metadata.Feed
	tables   []*metadata.Table // of plans, then ops.rejects
	plans    []*plan
	refs     *refNames
	captures []string
	empty    *emptyWords

	csv   csv.Config
	wants []string // csv: header names by slot
	xml   *xml.Program

	runs sync.Pool // of *Run
}

// Feed is the feed the program was compiled from.
func (p *Program) Feed() *metadata.Feed { return p.feed }

// Tables lists what a run fills: the feed's tables, then ops.rejects. Flush names them by index.
func (p *Program) Tables() []*metadata.Table { return p.tables }

// compileFeed compiles a feed without running its sample.
func compileFeed(set *metadata.Set, feed *metadata.Feed) (*Program, []metadata.Fault) {
	p := &planner{program: &Program{set: set, feed: feed, refs: &refNames{}, empty: newEmptyWords(feed.Read.Empty)}}
	p.program.captures = []string{"customer"}
	if feed.From != nil {
		for _, c := range feed.From.Captures() {
			if c != "customer" {
				p.program.captures = append(p.program.captures, c)
			}
		}
	}
	if feed.Read.As == "xml" {
		p.planXML()
	} else {
		p.planCSV()
	}
	p.program.tables = append(p.program.tables, Rejects())
	return p.program, p.faults
}

func (p *planner) add(in *metadata.Into, scope *fields) {
	if pl := p.plan(in, scope); pl != nil {
		p.program.plans = append(p.program.plans, pl)
		p.program.tables = append(p.program.tables, pl.table)
	}
}

func (p *planner) planXML() {
	feed := p.program.feed
	cfg := xml.Config{NS: feed.Read.NS, Lists: feed.Lists}
	for _, in := range feed.Into {
		scope := &fields{slots: map[string]int{}, captures: p.program.captures}
		group := xml.Group{Each: in.Each.Value}
		for i, f := range in.Fields {
			scope.slots[strings.ToLower(f.Name)] = i
			scope.known = append(scope.known, f.Name)
			group.Fields = append(group.Fields, f.Value)
		}
		cfg.Groups = append(cfg.Groups, group)
		p.add(in, scope)
	}
	program, faults := cfg.Compile()
	for _, f := range faults {
		in := feed.Into[f.Group]
		switch {
		case f.Field >= 0:
			p.fault(in.Fields[f.Field].Pos, "field %s: %s", in.Fields[f.Field].Name, f.Message)
		case in.Each.Value != "":
			p.fault(in.Each.Pos, "each: %s", f.Message)
		default:
			p.fault(in.Pos, "%s", f.Message)
		}
	}
	p.program.xml = program
}

func (p *planner) planCSV() {
	feed := p.program.feed
	r := feed.Read
	cfg := csv.Config{NoHeader: r.Header == "none", Columns: r.Columns, Pad: r.Ragged == "pad", Encoding: r.Encoding}
	if r.Delimiter != "" {
		cfg.Delimiter = r.Delimiter[0]
	}
	switch r.Quote {
	case "none":
	case "":
		cfg.Quote = '"'
	default:
		cfg.Quote = r.Quote[0]
	}
	p.program.csv = cfg
	for _, in := range feed.Into {
		p.add(in, p.csvScope(in))
	}
	if _, err := cfg.NewDecoder(p.program.wants); err != nil {
		p.fault(feed.Pos, "read: %v", err)
	}
}

// csvScope is what can be named in a table of a CSV feed: the fields with an address, and the names of the header, which
// are known if there is a sample or read.columns.
func (p *planner) csvScope(in *metadata.Into) *fields {
	s := &fields{slots: map[string]int{}, captures: p.program.captures}
	address := map[string]string{}
	header, known := p.header(in)
	for _, f := range in.Fields {
		key := strings.ToLower(f.Name)
		address[key] = f.Value
		s.slots[key] = -1
		s.known = append(s.known, f.Name)
		if known && !containsFold(header, f.Value) {
			p.fault(f.Pos, "field %s: the sample's header has no %s%s", f.Name, f.Value, metadata.Meant(f.Value, header))
		}
	}
	for _, name := range header {
		if key := strings.ToLower(name); address[key] == "" {
			s.slots[key] = -1
			s.known = append(s.known, name)
		}
	}
	s.open = !known
	s.want = func(name string) int {
		if a := address[strings.ToLower(name)]; a != "" {
			name = a
		}
		return p.want(name)
	}
	s.optional = func(name string) op {
		slot := p.want(name)
		s.used[slot] = struct{}{}
		return field{slot}
	}
	return s
}

// want returns the slot of a header name.
func (p *planner) want(name string) int {
	if i := slices.IndexFunc(p.program.wants, func(w string) bool { return strings.EqualFold(w, name) }); i >= 0 {
		return i
	}
	p.program.wants = append(p.program.wants, name)
	return len(p.program.wants) - 1
}

// header lists the source's columns as far as they are known before a file is read.
func (p *planner) header(in *metadata.Into) (names []string, known bool) {
	feed := p.program.feed
	if len(feed.Read.Columns) > 0 {
		return feed.Read.Columns, true
	}
	for _, s := range feed.Sample {
		if _, ok := in.Entry.Match(s.Name); !ok && s.Name != "" {
			continue
		}
		d, err := p.program.csv.NewDecoder(nil)
		if err != nil {
			continue // reported by planCSV
		}
		if err := d.Decode(sampleOf(feed, s.Value), ignore); err != nil {
			continue // reported when the sample is run
		}
		names, known = append(names, d.Header()...), true
	}
	return names, known
}

func containsFold(list []string, s string) bool {
	return slices.ContainsFunc(list, func(l string) bool { return strings.EqualFold(strings.TrimSpace(l), s) })
}
