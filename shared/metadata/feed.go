package metadata

import (
	"slices"
	"strconv"
	"strings"

	"medlake/shared/lake"
)

func (l *loader) readFeeds() {
	taken := map[string]Pos{}
	var all []*feedYAML
	broken := map[*feedYAML]bool{}
	each(l, l.glob("feeds", ".yaml"), func(y *feedYAML, faulty bool) {
		broken[y] = !l.named(y.Feed, y.Pos, "feed", taken) || faulty
		all = append(all, y)
	})
	for _, y := range l.inheritFeeds(all) {
		before := len(l.list)
		f := l.feed(y)
		l.faultyFeeds[f] = broken[y] || len(l.list) > before
		l.set.Feeds = append(l.set.Feeds, f)
	}
	l.overlaps()
}

func (l *loader) feed(y *feedYAML) *Feed {
	f := &Feed{Pos: y.Pos, Name: y.Feed.Value, Doc: y.Doc.Value, Like: y.Like.Value, For: values(y.For), As: y.As.Value, Lists: map[string][]string{}}
	f.From = l.from(y)
	for _, c := range append(slices.Clone(y.For), y.As) {
		if c.set() && l.set.Customer(c.Value) == nil {
			l.add(c.Pos, "there is no customer %s%s", c.Value, Meant(c.Value, l.customerIDs()))
		}
	}
	f.Open = l.open(y, f.From)
	f.Read = l.readKeys(y)
	f.Dedupe = y.Dedupe.or("member")
	for _, e := range y.Lists {
		if !isIdentifier(e.Key.Value) {
			l.add(e.Key.Pos, "list %q is not a name of letters, digits and _", e.Key.Value)
		}
		f.Lists[e.Key.Value] = values(e.Value)
	}
	if len(y.Into) == 0 {
		l.add(y.Pos, "into is missing: the table the rows go to")
	}
	tables := make([]*Table, len(y.Into))
	for i, e := range y.Into {
		tables[i] = l.tableOf(e.Key)
		f.Into = append(f.Into, l.rows(y, f, &y.Into[i].Value, tables[i]))
		if t := tables[i]; t != nil && t.Change != nil && len(t.Change.Replace) > 0 && f.Dedupe != "arrival" {
			l.add(e.Key.Pos, "table %s takes whole files (replace): write dedupe: arrival, so that a file that is sent again counts again", t.Name)
		}
	}
	l.feedColumns(y, tables)
	f.Sample, f.Expect = y.Sample, l.expect(y, f, tables)
	return f
}

func (l *loader) from(y *feedYAML) *Pattern {
	if !y.From.set() {
		l.add(y.Pos, "from is missing: which uploads are of this feed")
		return nil
	}
	p, err := ParsePattern(y.From.Value)
	if err != nil {
		l.add(y.From.Pos, "from: %v", err)
		return nil
	}
	p.Pos = y.From.Pos
	for _, g := range p.globs {
		first, rest, ok := strings.Cut(g.text, "/")
		switch {
		case !ok || rest == "" || first != "{customer}" && !lake.ValidCustomer(first):
			l.add(y.From.Pos, "from starts with {customer}/ or a customer's id and a slash")
			return nil
		case first != "{customer}" && l.set.Customer(first) == nil:
			l.add(y.From.Pos, "from: there is no customer %s%s", first, Meant(first, l.customerIDs()))
		case strings.Contains(rest, "{customer}"):
			l.add(y.From.Pos, "from: {customer} is the first folder and nothing else")
			return nil
		}
	}
	return p
}

func (l *loader) open(y *feedYAML, from *Pattern) Open {
	o := Open{Password: y.Open.Password, Nested: 1}
	if t := y.Open.Nested; t.set() {
		n, err := strconv.Atoi(t.Value)
		if err != nil || n < 0 || n > 4 {
			l.add(t.Pos, "nested is a whole number from 0 to 4")
		}
		o.Nested = n
	}
	if !o.Password.set() {
		return o
	}
	name := o.Password.Value
	for rest := name; ; {
		_, after, ok := strings.Cut(rest, "{")
		if !ok {
			break
		}
		capture, more, ok := strings.Cut(after, "}")
		if !ok {
			l.add(o.Password.Pos, "password: a { has no }")
			break
		}
		if known := append(from.Captures(), "customer"); from != nil && !slices.Contains(known, capture) {
			l.add(o.Password.Pos, "password: from captures no {%s}%s", capture, Meant(capture, known))
		}
		rest = more
	}
	if name == "" || strings.HasPrefix(name, "/") || slices.Contains(strings.Split(name, "/"), "..") {
		l.add(o.Password.Pos, "password is the name of a secret, such as zip/{customer}")
	}
	return o
}

func (l *loader) readKeys(y *feedYAML) Read {
	k := y.Read
	r := Read{As: k.As.Value, Empty: values(k.Empty), Columns: values(k.Columns), Zone: l.zone(k.Zone), NS: map[string]string{}}
	if !k.As.set() {
		l.add(y.Pos, "read.as is missing: the format, csv or xml")
		return r
	}
	if r.As = k.As.or("csv"); r.As == "xml" {
		for name, t := range map[string]Text{"delimiter": k.Delimiter, "quote": k.Quote, "header": k.Header, "ragged": k.Ragged, "encoding": k.Encoding} {
			if t.set() {
				l.add(t.Pos, "%s is for CSV, but this feed reads XML", name)
			}
		}
		if len(k.Columns) > 0 {
			l.add(k.Columns[0].Pos, "columns is for CSV, but this feed reads XML")
		}
	} else if len(k.NS) > 0 {
		l.add(k.NS[0].Key.Pos, "ns is for XML, but this feed reads CSV")
	}
	for _, e := range k.NS {
		r.NS[e.Key.Value] = e.Value.Value
	}
	r.Delimiter = l.character(k.Delimiter, "delimiter", ",", map[string]string{"tab": "\t", `\t`: "\t"})
	r.Quote = l.character(k.Quote, "quote", `"`, map[string]string{"none": "none"})
	r.Header = k.Header.or("first")
	r.Ragged = k.Ragged.or("reject")
	r.Encoding = k.Encoding.or("utf-8")
	switch {
	case r.Header == "none" && len(r.Columns) == 0:
		l.add(k.Header.Pos, "header: none needs columns: the names in order")
	case r.Header == "first" && len(r.Columns) > 0:
		l.add(k.Columns[0].Pos, "columns goes with header: none; with a header the file names them itself")
	}
	for i, c := range k.Columns {
		if slices.Contains(r.Columns[:i], c.Value) {
			l.add(c.Pos, "columns: %s stands twice", c.Value)
		}
	}
	return r
}

// character reads a setting that is one character, or a word that stands for one.
func (l *loader) character(t Text, name, def string, words map[string]string) string {
	if !t.set() {
		return def
	}
	if w, ok := words[t.Value]; ok {
		return w
	}
	if len(t.Value) != 1 || t.Value[0] >= 0x80 || t.Value == "\n" || t.Value == "\r" {
		l.add(t.Pos, "%s is a single character", name)
	}
	return t.Value
}

// rows makes one table's part of a feed; y already has what it takes over from the feed.
func (l *loader) rows(feed *feedYAML, f *Feed, y *intoYAML, t *Table) *Into {
	in := &Into{Pos: y.Pos, Each: y.Each, When: y.When, Fields: named(y.Fields), First: values(y.First)}
	if t != nil {
		in.Table = t.ID()
	}
	if y.Entry.set() {
		p, err := ParseEntry(y.Entry.Value)
		if err != nil {
			l.add(y.Entry.Pos, "entry: %v", err)
		} else {
			p.Pos = y.Entry.Pos
			in.Entry = p
		}
	}
	if f.Read.As == "csv" && y.Each.set() {
		l.add(y.Each.Pos, "each is for XML, but this feed reads CSV")
	}
	for _, e := range y.Fields {
		if !isIdentifier(e.Key.Value) {
			l.add(e.Key.Pos, "field %q is not a name of letters, digits and _", e.Key.Value)
		}
		if f.Read.As == "csv" && f.Read.Header == "none" && !slices.Contains(f.Read.Columns, e.Value.Value) {
			l.add(e.Value.Pos, "fields: read.columns has no %s%s", e.Value.Value, Meant(e.Value.Value, f.Read.Columns))
		}
	}
	if f.Read.As == "xml" {
		known := make([]string, len(in.Fields))
		for i, n := range in.Fields {
			known[i] = n.Name
		}
		for _, c := range y.First {
			if !slices.Contains(known, c.Value) {
				l.add(c.Pos, "first: there is no field %s%s", c.Value, Meant(c.Value, known))
			}
		}
	}
	for _, e := range y.Set {
		if t == nil || t.Column(e.Key.Value) != nil {
			in.Set = append(in.Set, Named{e.Key.Value, e.Value})
		} else if !shared(feed, e) {
			l.add(e.Key.Pos, "set: table %s has no column %s%s", t.Name, e.Key.Value, Meant(e.Key.Value, t.columnNames()))
		}
	}
	return in
}

// shared reports whether a line of set comes from the feed, which need not suit every table.
func shared(feed *feedYAML, e entry[Text]) bool {
	return slices.ContainsFunc(feed.Set, func(s entry[Text]) bool { return s.Key == e.Key })
}

// feedColumns says which lines of the feed's own set suit no table.
func (l *loader) feedColumns(y *feedYAML, tables []*Table) {
	if len(tables) == 0 || slices.Contains(tables, nil) {
		return
	}
	for _, e := range y.Set {
		var known []string
		for _, t := range tables {
			known = append(known, t.columnNames()...)
		}
		if !slices.Contains(known, e.Key.Value) {
			what := "table " + tables[0].Name + " has no column"
			if len(tables) > 1 {
				what = "no table of into has a column"
			}
			l.add(e.Key.Pos, "set: %s %s%s", what, e.Key.Value, Meant(e.Key.Value, known))
		}
	}
}
