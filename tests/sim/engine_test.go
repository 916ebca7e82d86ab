package sim

import (
	"crypto/sha256"
	"strings"

	"medlake/functions/ingest"
	"medlake/shared/lake"
	"medlake/shared/transform/column"
)

// smallEngine reads uploads whose text says what happens: "rows a b" brings two rows to each of two tables, "reject x"
// one row and one reject, "poison" is refused, "killer" kills who opens it. A name without .txt has no feed.
type smallEngine struct{}

func (smallEngine) Version() string { return "v1" }

func (smallEngine) Match(name string) (ingest.Plan, error) {
	if !strings.HasSuffix(name, ".txt") {
		return nil, lake.Refuse(lake.UnknownFeed, -1)
	}
	return smallPlan{}, nil
}

type smallPlan struct{}

func (smallPlan) About() ingest.About { return ingest.About{Feed: "small"} }

func smallTables() []lake.Schema {
	var s []lake.Schema
	for _, name := range []string{"lake.a", "lake.b"} {
		s = append(s, lake.Schema{
			Format: lake.Format, Table: name, Partition: []string{"customer", "month(_arrived_at)"},
			Columns: append(lake.SystemColumns(), lake.Column{Name: "word", Type: lake.Type{Kind: lake.String}}),
		})
	}
	return s
}

func (smallPlan) Tables() []ingest.Table {
	var t []ingest.Table
	for _, s := range append(smallTables(), lake.RejectsSchema()) {
		t = append(t, ingest.Table{Schema: s})
	}
	return t
}

func (smallPlan) Open(data []byte, _ []string) (ingest.Content, error) {
	if string(data) == "killer" {
		panic("killed")
	}
	return smallContent(data), nil
}

type smallContent string

func (c smallContent) Sums() [][32]byte { return [][32]byte{sha256.Sum256([]byte(c))} }

func (c smallContent) Close() error { return nil }

func (c smallContent) Run(o ingest.Origin) (ingest.Outcome, error) {
	words := strings.Fields(string(c))
	if words[0] == "poison" {
		return ingest.Outcome{}, lake.Refuse(lake.Malformed, 0).At(1)
	}
	out := ingest.Outcome{Entries: 1}
	rejects := column.New(lake.RejectsSchema().Columns)
	for i, s := range smallTables() {
		b := column.New(s.Columns)
		for row, word := range words[1:] {
			place(b, o, int64(row+1))
			b.Columns[5].AppendText([]byte(word))
			b.EndRow()
		}
		n := int64(b.Rows)
		counts := lake.TableFiles{Table: s.Table, Read: n, Committed: n}
		if words[0] == "reject" {
			counts.Read++
			counts.Rejected++
			rejected(rejects, s.Table, o, n+1)
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

// place appends the system columns.
func place(b *column.Batch, o ingest.Origin, row int64) {
	b.Columns[0].AppendText([]byte("acme"))
	b.Columns[1].AppendText([]byte(o.Load))
	b.Columns[2].AppendInt(0)
	b.Columns[3].AppendInt(row)
	b.Columns[4].AppendInt(o.ArrivedAt.UnixMicro())
}

func rejected(b *column.Batch, table string, o ingest.Origin, row int64) {
	place(b, o, row)
	b.Columns[5].AppendText([]byte(table))
	b.Columns[6].AppendInt(1)
	b.Columns[7].AppendText([]byte("word"))
	b.Columns[8].AppendText([]byte("type"))
	b.Columns[9].AppendNull()
	b.EndRow()
}
