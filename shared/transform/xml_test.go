package transform_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/fstest"

	"medlake/shared/transform"
)

// xmlMetadata is a feed of one document a member with 40 mapped fields.
func xmlMetadata() fstest.MapFS {
	var table, fields strings.Builder
	table.WriteString("table: doc\ndoc: D.\ngrain: one row a document\ncolumns:\n")
	for i := range wideColumns {
		fmt.Fprintf(&table, "  c%d: string\n", i)
		fmt.Fprintf(&fields, "  c%d: /Encounter/Group%d/Field%d\n", i, i/8, i)
	}
	return fstest.MapFS{
		"customers/acme/customer.yaml": {Data: []byte(customerYAML)},
		"tables/doc.yaml":              {Data: []byte(table.String())},
		"feeds/doc.yaml":               {Data: []byte("feed: doc\ndoc: D.\nfrom: \"{customer}/doc/*.zip\"\nread: { as: xml }\nentry: \"*.xml\"\ninto: doc\nfields:\n" + fields.String())},
	}
}

func xmlDocument() []byte {
	var b strings.Builder
	b.WriteString("<?xml version=\"1.0\"?>\n<Encounter>")
	for i := range wideColumns {
		if i%8 == 0 {
			fmt.Fprintf(&b, "\n <Group%d>", i/8)
		}
		fmt.Fprintf(&b, "\n  <Field%d>value %d &amp; more</Field%d>", i, i, i)
		if i%8 == 7 {
			fmt.Fprintf(&b, "\n </Group%d>", i/8)
		}
	}
	b.WriteString("\n</Encounter>\n")
	return []byte(b.String())
}

func loadDocuments(t testing.TB, m *transform.Match, doc []byte, n int) {
	t.Helper()
	run := m.NewRun(transform.Origin{Load: "load", ArrivedAt: arrived})
	defer run.Release()
	for i := range n {
		if wanted, err := run.Member(i, "enc_F000001_000001.xml", source(doc)); err != nil || !wanted {
			t.Fatal(wanted, err)
		}
	}
	counts, _, err := run.Finish()
	if err != nil {
		t.Fatal(err)
	}
	if counts[0].Committed != int64(n) {
		t.Fatalf("%d of %d documents landed", counts[0].Committed, n)
	}
}

// TestFewAllocationsPerDocument: a document of one record costs at most two allocations.
func TestFewAllocationsPerDocument(t *testing.T) {
	if raced {
		t.Skip("the race detector makes pools forget")
	}
	m := match(t, compile(t, xmlMetadata()), "acme/doc/x.zip")
	doc := xmlDocument()
	loadDocuments(t, m, doc, 300)
	few := testing.AllocsPerRun(10, func() { loadDocuments(t, m, doc, 10) })
	many := testing.AllocsPerRun(10, func() { loadDocuments(t, m, doc, 210) })
	if each := (many - few) / 200; each > 2 {
		t.Errorf("%.1f allocations a document", each)
	}
}

func BenchmarkDocuments(b *testing.B) {
	m := match(b, compile(b, xmlMetadata()), "acme/doc/x.zip")
	doc := xmlDocument()
	const n = 195
	b.SetBytes(int64(n * len(doc)))
	b.ReportAllocs()
	for b.Loop() {
		loadDocuments(b, m, doc, n)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/document")
}
