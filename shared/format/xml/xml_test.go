package xml_test

import (
	"bytes"
	"io"
	"testing"

	"github.com/google/go-cmp/cmp"

	"medlake/shared/format"
	"medlake/shared/format/xml"
)

type source []byte

func (s source) Bytes() ([]byte, error)         { return s, nil }
func (s source) Reader() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(s)), nil }

// row is a format.Row that lasts.
type row struct {
	Group  int
	Line   int
	Row    int64
	Fields []string
}

func compile(t testing.TB, c xml.Config) *xml.Program {
	t.Helper()
	p, faults := c.Compile()
	for _, f := range faults {
		t.Errorf("group %d, field %d: %s", f.Group, f.Field, f.Message)
	}
	if len(faults) > 0 {
		t.FailNow()
	}
	return p
}

func decode(d *xml.Decoder, doc []byte) ([]row, error) {
	var rows []row
	err := d.Decode(source(doc), func(r *format.Row) error {
		o := row{Group: r.Group, Line: r.Line, Row: r.Row}
		for _, f := range r.Fields {
			v := string(f)
			if f == nil {
				v = "-"
			}
			o.Fields = append(o.Fields, v)
		}
		rows = append(rows, o)
		return nil
	})
	return rows, err
}

func TestPathsTakeWhatTheyName(t *testing.T) {
	t.Parallel()
	const doc = `<?xml version="1.0"?>
<r v="1"><h><d>2026</d></h>
  <s><e n="a"><x>1</x><y u="k">2</y><y u="m">3</y></e><t root="P"/></s>
  <s><t root="Q"/><e n="b"><x>4 &amp; <![CDATA[<5>]]></x><!-- c --><c/><c>z</c></e></s>
  <s><t root="P"/><e n="c"><x> </x><z><x>9</x></z></e><e n="d"/></s>
  <f>end</f>
</r>`
	tests := []struct {
		each, field string
		want        []string
	}{
		{"", "/r/@v", []string{"1"}},
		{"", "r/s/e/x", []string{"1"}},
		{"", "count(//e)", []string{"4"}},
		{"", "join(r/s/e/@n, ',')", []string{"a,b,c,d"}},
		{"", "join(//x, '|')", []string{"1|4 & <5>|9"}},
		{"", "r/s[2]/e/@n", []string{"b"}},
		{"/r/s", "e/@n", []string{"a", "b", "c"}},
		{"/r/s[2]", "e/@n", []string{"b"}},
		{"/r/s/e", "@n", []string{"a", "b", "c", "d"}},
		{"/r/s/e", "x", []string{"1", "4 & <5>", "-", "-"}},
		{"/r/s/e", "x | z/x | @n", []string{"1", "4 & <5>", "9", "d"}},
		{"/r/s/e", ".//x", []string{"1", "4 & <5>", "9", "-"}},
		{"/r/s/e", "y[@u='m']", []string{"3", "-", "-", "-"}},
		{"/r/s/e", "y[2]", []string{"3", "-", "-", "-"}},
		{"/r/s/e", "y[@u='m'][1]/@u", []string{"m", "-", "-", "-"}},
		{"/r/s/e", "y[not(@u='k')]", []string{"3", "-", "-", "-"}},
		{"/r/s/e", "y[@u!='k']/@u", []string{"m", "-", "-", "-"}},
		{"/r/s/e", "c", []string{"-", "z", "-", "-"}},
		{"/r/s/e", "count(c)", []string{"0", "2", "0", "0"}},
		{"/r/s/e", "/r/f", []string{"end", "end", "end", "end"}},
		{"/r/s/e", "/r/h/d", []string{"2026", "2026", "2026", "2026"}},
		{"/r/s/e", "/r/none", []string{"-", "-", "-", "-"}},
		{"/r/s/e", "../t/@root", []string{"P", "Q", "P", "P"}},
		{"/r/s/e", "../../h/d", []string{"2026", "2026", "2026", "2026"}},
		{"/r/s/e", "../../@v", []string{"1", "1", "1", "1"}},
		{"/r/s/e", "../../s[t/@root='Q']/e/@n", []string{"b", "b", "b", "b"}},
		{"//s[t/@root='P']/e", "@n", []string{"a", "c", "d"}},
		{"//s[t/@root={l}]/e", "@n", []string{"a", "c", "d"}},
		{"//s[t/@root!='P']/e", "@n", []string{"b"}},
		{"//s[not(t/@root='P')]/e", "@n", []string{"b"}},
		{"//e[x]", "@n", []string{"a", "b", "c"}},
		{"//e[not(x)]", "@n", []string{"d"}},
		{"//e[x='1']", "@n", []string{"a"}},
		{"//e[@n='b']", "x", []string{"4 & <5>"}},
		{"//e[@n][y]", "x", []string{"1"}},
		{"//x", ".", []string{"1", "4 & <5>", "-", "9"}},
		{"//x", "../@n", []string{"a", "b", "c", "-"}},
		{"//x", "../../@n", []string{"-", "-", "-", "c"}},
		{"//s/*", "@n | @root", []string{"a", "P", "Q", "b", "P", "c", "d"}},
		{"/r/s/e[2]", "@n", []string{"d"}},
		{"//s[e[y/@u='m']]", "t/@root", []string{"P"}},
		{"//*[not(s)]//x", "join(//t[not(x)]/@root, ',')", []string{"P,Q,P", "P,Q,P", "P,Q,P", "P,Q,P"}},
		{"//*[not(s)][not(e)][not(x)][not(z)]//x", "count(//t[not(x)])", nil}, // the document is no element
	}
	for _, tt := range tests {
		t.Run(tt.each+" "+tt.field, func(t *testing.T) {
			t.Parallel()
			c := xml.Config{Groups: []xml.Group{{Each: tt.each, Fields: []string{tt.field}}}, Lists: map[string][]string{"l": {"O", "P"}}}
			d := compile(t, c).NewDecoder()
			for range 2 { // a decoder is as good as new for the next document
				rows, err := decode(d, []byte(doc))
				if err != nil {
					t.Fatal(err)
				}
				var got []string
				for i, r := range rows {
					if r.Row != int64(i+1) {
						t.Errorf("row %d has number %d", i+1, r.Row)
					}
					got = append(got, r.Fields[0])
				}
				if diff := cmp.Diff(tt.want, got); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
			}
		})
	}
}
