package metadata

import (
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"medlake/shared/lake"
)

var namespaces = []string{"lake", "ops", "mart"}

// ledgers are the tables Medlake keeps itself.
var ledgers = []string{"loads", "rejects", "audit"}

// Kinds of protected health information, as phi(kind).
var phiKinds = []string{
	"name", "address", "zip", "geo", "date", "age", "phone", "email", "ssn", "mrn", "member", "account", "licence",
	"device", "url", "ip", "photo", "text", "id",
}

var typeSyntax = regexp.MustCompile(`^\s*(\w+(?:\s*\([\d\s,]*\))?)\s*(!?)(?:\s+phi\((\w*)\))?\s*$`)

func (l *loader) readTables() {
	taken := map[string]Pos{}
	each(l, l.glob("tables", ".yaml"), func(y *tableYAML, faulty bool) {
		before := len(l.list)
		t := l.table(y, taken)
		l.faultyTables[t] = faulty || len(l.list) > before
		l.set.Tables = append(l.set.Tables, t)
	})
}

func (l *loader) table(y *tableYAML, taken map[string]Pos) *Table {
	t := &Table{Pos: y.Pos, Namespace: "lake", Doc: y.Doc.Value, Grain: y.Grain.Value}
	name := y.Table
	if ns, rest, ok := strings.Cut(name.Value, "."); ok {
		if t.Namespace = ns; !slices.Contains(namespaces, ns) {
			l.add(name.Pos, "the namespace is %s, not %q%s", either(namespaces), ns, Closest(ns, namespaces))
		}
		name.Value = rest
	}
	t.Name = name.Value
	l.tableName(y, t, taken)
	for _, c := range y.Columns {
		l.column(t, c)
	}
	if len(y.Columns) == 0 {
		l.add(y.Pos, "the table has no columns")
	}
	t.Key = l.columns(t, y.Key, "key", true)
	for i, k := range t.Key {
		if c := t.Column(k); c != nil && !c.Required {
			l.add(y.Key[i].Pos, "key column %s can be null: write ! after its type", k)
		}
	}
	if y.Change != nil {
		l.change(t, y.Change)
	}
	seen := map[string]Pos{}
	for _, c := range y.Checks {
		l.check(t, c, seen)
	}
	t.New = y.Contract.New.or("keep")
	t.Missing = y.Contract.Missing.or("warn")
	t.Mismatch = y.Contract.Type.or("reject")
	l.layout(t, y.Layout)
	t.Fresh = l.age(y.Fresh)
	return t
}

func (l *loader) tableName(y *tableYAML, t *Table, taken map[string]Pos) {
	n := y.Table
	switch {
	case !n.set():
		l.add(y.Pos, "table is missing: what is this called?")
	case !isName(t.Name):
		l.add(n.Pos, "table %q is not a name: lower case letters, digits and _, starting with a letter", n.Value)
	case t.Namespace == "ops" && slices.Contains(ledgers, t.Name):
		l.add(n.Pos, "table ops.%s is kept by Medlake itself: choose another name", t.Name)
	case taken[t.ID()].Line > 0:
		l.add(n.Pos, "table %s stands twice, first in %s", n.Value, taken[t.ID()])
	case strings.HasSuffix(t.Name, "_log") || strings.HasSuffix(t.Name, "_history"):
		l.add(n.Pos, "table %s: names that end in _log or _history are kept for tables with change", n.Value)
	default:
		taken[t.ID()] = n.Pos
	}
}

func (l *loader) column(t *Table, e entry[column]) {
	name := e.Key.Value
	switch {
	case strings.HasPrefix(name, "_"):
		l.add(e.Key.Pos, "column %s: names that start with _ belong to Medlake", name)
	case name == lake.ColCustomer:
		l.add(e.Key.Pos, "column customer is in every table already")
	case name == "table" || name == "rejected" || name == "filtered":
		l.add(e.Key.Pos, "column %s: expect has a meaning of its own for this word, choose another", name)
	case !isName(name):
		l.add(e.Key.Pos, "column %q is not a name: lower case letters, digits and _, starting with a letter", name)
	}
	c := Column{Pos: e.Key.Pos, Name: name, Doc: e.Value.Doc.Value}
	if spec := e.Value.Type; spec.set() {
		m := typeSyntax.FindStringSubmatch(spec.Value)
		if m == nil {
			l.add(spec.Pos, "column %s: %q is not a type: write it like string, string!, date phi(date) or decimal(18,2)", name, spec.Value)
		} else {
			typ, err := lake.ParseType(m[1])
			if err != nil {
				l.add(spec.Pos, "column %s: there is no type %s%s", name, m[1], Meant(m[1], types))
			}
			c.Type, c.Required, c.PHI = typ, m[2] != "", m[3]
			if strings.Contains(spec.Value, "phi(") && !slices.Contains(phiKinds, c.PHI) {
				l.add(spec.Pos, "column %s: phi(%s) is no kind of protected information%s", name, c.PHI, Meant(c.PHI, phiKinds))
			}
		}
	}
	t.Columns = append(t.Columns, c)
}

var types = []string{"string", "long", "double", "decimal(18,2)", "date", "timestamp", "boolean"}

// Column returns the table's own column called name, or nil.
func (t *Table) Column(name string) *Column {
	for i := range t.Columns {
		if t.Columns[i].Name == name {
			return &t.Columns[i]
		}
	}
	return nil
}

func (t *Table) columnNames() []string {
	out := make([]string, len(t.Columns))
	for i, c := range t.Columns {
		out[i] = c.Name
	}
	return out
}

// columns checks a list of columns. System columns are allowed where system says so.
func (l *loader) columns(t *Table, list []Text, what string, system bool) []string {
	var out []string
	for _, c := range list {
		known := t.Column(c.Value) != nil || system && slices.ContainsFunc(lake.SystemColumns(), func(s lake.Column) bool { return s.Name == c.Value })
		switch {
		case !known:
			l.add(c.Pos, "%s: table %s has no column %s%s", what, t.Name, c.Value, Meant(c.Value, t.columnNames()))
		case slices.Contains(out, c.Value):
			l.add(c.Pos, "%s: column %s stands twice", what, c.Value)
		}
		out = append(out, c.Value)
	}
	return out
}

func (l *loader) check(t *Table, e entry[checkYAML], seen map[string]Pos) {
	y := e.Value
	c := Check{Pos: e.Key.Pos, Name: e.Key.Value, Rule: y.Rule}
	l.named(e.Key, e.Key.Pos, "check", seen)
	if slices.Contains(builtinRules, c.Name) {
		l.add(e.Key.Pos, "check %s: this is the name of a built-in rule, choose another", c.Name)
	}
	if !y.Rule.set() {
		l.add(e.Key.Pos, "check %s has no rule", c.Name)
	}
	if !y.Else.set() {
		l.add(e.Key.Pos, "check %s has no else: warn, reject or fail", c.Name)
	} else if c.Else = y.Else.Value; c.Else == "warn" {
		c.Max = 1
	}
	if y.Max.set() {
		if c.Else == "reject" {
			l.add(y.Max.Pos, "max goes with warn or fail: reject leaves out every row that breaks the rule")
		}
		c.Max = l.share(y.Max)
	}
	t.Checks = append(t.Checks, c)
}

// builtinRules are the names of rules that rows break without a check.
var builtinRules = []string{"type", "required", "ragged", "quote"}

func (l *loader) share(t Text) float64 {
	text, percent := strings.CutSuffix(strings.TrimSpace(t.Value), "%")
	f, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
	if percent {
		f /= 100
	}
	if err != nil || math.IsNaN(f) || f < 0 || f > 1 {
		l.add(t.Pos, "%q is not a share: write it like 2%% or 0.02", t.Value)
		return 0
	}
	return f
}

func (l *loader) layout(t *Table, y layoutYAML) {
	const month = "month(" + lake.ColArrivedAt + ")"
	t.Partition = values(y.Partition)
	if t.Partition == nil {
		t.Partition = []string{lake.ColCustomer}
		if t.Change == nil {
			t.Partition = append(t.Partition, month)
		}
	}
	for i, p := range y.Partition {
		if p.Value != lake.ColCustomer && p.Value != month {
			l.add(p.Pos, "partition: %q is not %s or %s", p.Value, lake.ColCustomer, month)
		}
		if slices.Contains(t.Partition[:i], p.Value) {
			l.add(p.Pos, "partition: %s stands twice", p.Value)
		}
	}
	if t.Namespace != "ops" && !slices.Contains(t.Partition, lake.ColCustomer) {
		at := t.Pos
		if len(y.Partition) > 0 {
			at = y.Partition[0].Pos
		}
		l.add(at, "partition must have customer, so that each customer's rows lie apart")
	}
	t.Sort = l.columns(t, y.Sort, "sort", true)
	if y.Sort == nil {
		t.Sort = slices.DeleteFunc(slices.Clone(t.Key), func(k string) bool { return k == lake.ColCustomer })
		if t.Change != nil && len(t.Change.Replace) > 0 {
			t.Sort = t.Change.Replace
		}
	}
	t.FileSize = 128 << 20
	if y.File.set() {
		t.FileSize = l.size(y.File)
	}
}

var sizeSyntax = regexp.MustCompile(`^(\d{1,6})\s*(KB|MB|GB)$`)

func (l *loader) size(t Text) int64 {
	if m := sizeSyntax.FindStringSubmatch(t.Value); m != nil {
		n, _ := strconv.ParseInt(m[1], 10, 64)
		n <<= map[string]int{"KB": 10, "MB": 20, "GB": 30}[m[2]]
		if n >= 1<<20 && n <= 4<<30 {
			return n
		}
	}
	l.add(t.Pos, "%q is not a file size between 1MB and 4GB: write it like 128MB", t.Value)
	return 0
}

func (l *loader) age(t Text) time.Duration {
	if !t.set() {
		return 0
	}
	text := t.Value
	unit := time.Duration(1)
	if days, ok := strings.CutSuffix(text, "d"); ok {
		text, unit = days+"h", 24
	}
	d, err := time.ParseDuration(text)
	if err != nil || d <= 0 || d > 366*24*time.Hour {
		l.add(t.Pos, "%q is not an age: write it like 15m, 2h or 1d", t.Value)
		return 0
	}
	return d * unit
}
