package xml_test

import (
	"testing"

	"medlake/shared/format"
	"medlake/shared/format/xml"
)

// TestRecordsCostNoAllocation holds for plain and for late paths, once a decoder has seen documents of the kind.
func TestRecordsCostNoAllocation(t *testing.T) {
	docs, _ := visits(20)
	late := xml.Config{NS: map[string]string{"": "urn:acme:emr:v2"}, Groups: []xml.Group{
		{Each: "//Dx[Code]", Fields: []string{"Code | Description", "../../Patient/MRN", "count(..//POA)", "/Encounter/Facility[Name]/@id"}},
		{Each: "//Visit[Location/Room]/Location", Fields: []string{"../Class", "join(.//Bed, '|')"}},
	}}
	for _, c := range []xml.Config{{Groups: []xml.Group{{Fields: visitFields}}}, late} {
		d := compile(t, c).NewDecoder()
		rows := 0
		emit := func(*format.Row) error { rows++; return nil }
		sources := make([]format.Source, len(docs))
		for i, doc := range docs {
			sources[i] = source(doc)
		}
		all := func() {
			for _, s := range sources {
				if err := d.Decode(s, emit); err != nil {
					t.Fatal(err)
				}
			}
		}
		if n := testing.AllocsPerRun(10, all); n > 0 || rows < len(docs) {
			t.Errorf("%v allocations for %d documents", n, len(docs))
		}
	}
}
