package sim

import (
	"crypto/sha256"
	"strconv"
	"strings"

	"medlake/functions/ingest"
	"medlake/functions/merge"
	"medlake/shared/lake"
	"medlake/shared/transform/column"
)

// smallEngine reads uploads whose text says what happens. "rows a b" brings two rows to each of two tables; a word with
// commas, "id,at,event,name,bed", is a row of the table that changes. "reject x" brings one row and one reject to each,
// "poison" is refused, "killer" kills who opens it. A name without .txt has no feed. The later metadata read poison like
// rows, spell words and names otherwise, and leave out rows whose event is "bad".
type smallEngine struct{ later bool }

func (e smallEngine) Version() string { return map[bool]string{false: "v1", true: "v2"}[e.later] }

func (e smallEngine) Match(name string) (ingest.Plan, error) {
	if !strings.HasSuffix(name, ".txt") {
		return nil, lake.Refuse(lake.UnknownFeed, -1)
	}
	customer, _, _ := strings.Cut(name, "/")
	return smallPlan{e, customer}, nil
}

type smallPlan struct {
	smallEngine
	customer string
}

func (smallPlan) About() ingest.About { return ingest.About{Feed: "small"} }

// smallTables are lake.a and lake.b, to which rows are only added, and the log of lake.v, which changes.
var smallTables = append(plainTables("lake.a", "lake.b"), changing.Log)

func plainTables(names ...string) (s []lake.Schema) {
	for _, name := range names {
		s = append(s, lake.Schema{
			Format: lake.Format, Table: name, Partition: []string{"customer", "month(_arrived_at)"},
			Columns: append(lake.SystemColumns(), lake.Column{Name: "word", Type: lake.Type{Kind: lake.String}}),
		})
	}
	return s
}

// changing is the table that changes; later metadata fold it otherwise, and it is made anew.
var (
	changing      = mustChange(`{ order: [at], delete: event == "del", only: { bed: event == "move" }, keep: [name] }`)
	changingLater = mustChange(`{ order: [at], delete: event == "move", keep: [name, bed] }`)
)

func mustChange(change string) merge.Table {
	t, err := changeOf("table: v\ncolumns: { id: string!, at: long, event: string!, name: string, bed: string }\nkey: [id]\nchange: " + change)
	if err != nil {
		panic(err)
	}
	return t
}

func (smallPlan) Tables() []ingest.Table {
	var t []ingest.Table
	for _, s := range append(smallTables[:len(smallTables):len(smallTables)], lake.RejectsSchema()) {
		t = append(t, ingest.Table{Schema: s})
	}
	return t
}

func (p smallPlan) Open(data []byte, _ []string) (ingest.Content, error) {
	if string(data) == "killer" {
		panic("killed")
	}
	return smallContent{p, string(data)}, nil
}

type smallContent struct {
	smallPlan
	text string
}

func (c smallContent) Sums() [][32]byte { return [][32]byte{sha256.Sum256([]byte(c.text))} }

func (smallContent) Close() error { return nil }

// read spells the rows of an upload for a table, whatever load brings them, and counts those that are left out.
func (e smallEngine) read(text, table string) (rows []row, filtered int64) {
	for _, word := range strings.Fields(text)[1:] {
		values := strings.Split(word, ",")
		if isChange := len(values) > 1; isChange != (table == changing.Log.Table) {
			continue
		}
		r := row{Word: values[0]}
		if len(values) > 1 {
			r = row{ID: values[0], Event: values[2], Name: values[3], Bed: values[4], At: none}
			if at, err := strconv.ParseInt(values[1], 10, 64); err == nil {
				r.At = at
			}
		}
		if e.later && r.Event == "bad" {
			filtered++
			continue
		}
		if e.later && r.Name+r.Word != "" {
			r.Name, r.Word = strings.ToUpper(r.Name), strings.ToUpper(r.Word)
		}
		r.N = int64(len(rows)) + 1
		rows = append(rows, r)
	}
	return rows, filtered
}

func (c smallContent) Run(o ingest.Origin) (ingest.Outcome, error) {
	kind := strings.Fields(c.text)[0]
	if kind == "poison" && !c.later {
		return ingest.Outcome{}, lake.Refuse(lake.Malformed, 0).At(1)
	}
	out := ingest.Outcome{Entries: 1}
	rejects := column.New(lake.RejectsSchema().Columns)
	for i, s := range smallTables {
		b := column.New(s.Columns)
		rows, filtered := c.read(c.text, s.Table)
		for _, r := range rows {
			r.Customer, r.Load, r.Arrived = c.customer, o.Load, o.ArrivedAt.UnixMicro()
			r.append(b)
		}
		n := int64(b.Rows)
		counts := lake.TableFiles{Table: s.Table, Read: n + filtered, Committed: n, Filtered: filtered}
		if kind == "reject" {
			counts.Read++
			counts.Rejected++
			r := row{Customer: c.customer, Load: o.Load, N: n + 1, Arrived: o.ArrivedAt.UnixMicro(), Word: s.Table}
			r.append(rejects)
		}
		out.Tables = append(out.Tables, counts)
		if err := o.Flush(i, b); err != nil {
			return out, err
		}
	}
	n := int64(rejects.Rows)
	out.Tables = append(out.Tables, lake.TableFiles{Table: lake.OpsRejects, Read: n, Committed: n})
	return out, o.Flush(len(out.Tables)-1, rejects)
}
