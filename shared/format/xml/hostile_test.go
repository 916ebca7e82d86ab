package xml_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"medlake/shared/format"
	"medlake/shared/format/xml"
	"medlake/shared/lake"
)

func TestBadDocumentsAreRefused(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, doc string
		reason    lake.Reason
		line      int
	}{
		{"empty", "", lake.Malformed, 1},
		{"only a declaration", `<?xml version="1.0"?>`, lake.Malformed, 1},
		{"no declaration's end", `<?xml version="1.0"`, lake.Malformed, 1},
		{"text only", "hello", lake.Malformed, 1},
		{"two roots", "<a/>\n<b/>", lake.Malformed, 2},
		{"text behind the root", "<a/>\nx", lake.Malformed, 2},
		{"text before the root", "x<a/>", lake.Malformed, 1},
		{"CDATA behind the root", "<a/><![CDATA[x]]>", lake.Malformed, 1},
		{"never closed", "<a>\n<b>\n</b>", lake.Malformed, 3},
		{"crossed", "<a>\n<b></a></b>", lake.Malformed, 2},
		{"end without start", "<a/></a>", lake.Malformed, 1},
		{"longer end", "<a></ab>", lake.Malformed, 1},
		{"shorter end", "<ab></a>", lake.Malformed, 1},
		{"cut tag", "<a", lake.Malformed, 1},
		{"cut attribute", `<a b="1`, lake.Malformed, 1},
		{"attribute without value", `<a b></a>`, lake.Malformed, 1},
		{"attribute without quotes", `<a b=1/>`, lake.Malformed, 1},
		{"attribute twice", "<a>\n<b x='1' x='2'/></a>", lake.Malformed, 2},
		{"attribute twice among many", "<a " + many(20) + "x7='2'/>", lake.Malformed, 1},
		{"attributes without space", `<a b="1"c="2"/>`, lake.Malformed, 1},
		{"less in attribute", `<a b="<"/>`, lake.Malformed, 1},
		{"unknown entity", "<a>\n&nbsp;</a>", lake.Malformed, 2},
		{"unknown entity in attribute", "<a b='&nbsp;'/>", lake.Malformed, 1},
		{"bare ampersand", "<a>R&D</a>", lake.Malformed, 1},
		{"entity beyond Unicode", "<a>&#x110000;</a>", lake.Malformed, 1},
		{"entity for NUL", "<a>&#0;</a>", lake.Malformed, 1},
		{"entity for a surrogate", "<a>&#xD800;</a>", lake.Malformed, 1},
		{"CDATA end in text", "<a>]]></a>", lake.Malformed, 1},
		{"open CDATA", "<a><![CDATA[x</a>", lake.Malformed, 1},
		{"open comment", "<a><!-- x</a>", lake.Malformed, 1},
		{"dashes in comment", "<a><!-- x -- y --></a>", lake.Malformed, 1},
		{"declaration inside", "<a><?xml version='1.0'?></a>", lake.Malformed, 1},
		{"control character", "<a>\x01</a>", lake.Malformed, 1},
		{"control character in comment", "<a><!-- \x01 --></a>", lake.Malformed, 1},
		{"noncharacter", "<a>\n\uFFFE</a>", lake.Malformed, 2},
		{"DOCTYPE", "<?xml version=\"1.0\"?>\n<!DOCTYPE a [<!ENTITY x \"y\">]><a>&x;</a>", lake.Doctype, 2},
		{"64 levels are not too deep", strings.Repeat("<a>", 64) + strings.Repeat("</a>", 64), "", 0},
		{"65 levels", strings.Repeat("<a>", 65) + strings.Repeat("</a>", 65), lake.TooDeep, 1},
		{"50,000 levels", strings.Repeat("<a>\n", 50_000), lake.TooDeep, 65},
		{"not UTF-8", "<a>\n\xff</a>", lake.Undecodable, 2},
		{"declared ASCII", "<?xml version='1.0' encoding='US-ASCII'?>\n<a>\xe9</a>", lake.Undecodable, 2},
		{"unknown encoding", "<?xml version='1.0' encoding='EBCDIC-7'?><a/>", lake.Undecodable, 1},
		{"cut UTF-16", "\xff\xfe<\x00a\x00/\x00>", lake.Undecodable, 1},
		{"long text", "<a>" + strings.Repeat("x", format.MaxToken+1) + "</a>", lake.TooLarge, 1},
		{"long text in pieces", "<a>" + strings.Repeat("<b/>"+strings.Repeat("x", 1<<20), 17) + "</a>", lake.TooLarge, 1},
		{"long attribute", "<a b='" + strings.Repeat("x", format.MaxToken+1) + "'/>", lake.TooLarge, 1},
		{"long comment", "<a><!--" + strings.Repeat("x", format.MaxToken+1) + "--></a>", lake.TooLarge, 1},
	}
	p := compile(t, xml.Config{Groups: []xml.Group{{Each: "//a[b/@c='1']", Fields: []string{".", "@b", ".//b"}}}})
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			d := p.NewDecoder()
			_, err := decode(d, []byte(tt.doc))
			if tt.reason == "" {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			var r *lake.Refusal
			if !errors.As(err, &r) || r.Reason != tt.reason || r.Where.Line != tt.line || r.Where.Entry != -1 {
				t.Errorf("got %v, want %s, line %d", err, tt.reason, tt.line)
			}
			if _, err := decode(d, []byte("<a/>")); err != nil {
				t.Errorf("the next document: %v", err)
			}
		})
	}
}

func many(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "x%d='1' ", i)
	}
	return b.String()
}

// TestHeldRecordsAreBounded holds that records waiting for the end of the document do not take all memory.
func TestHeldRecordsAreBounded(t *testing.T) {
	t.Parallel()
	doc := append([]byte("<r>"), bytes.Repeat([]byte("<e><x>1</x></e>"), 1<<20)...)
	doc = append(doc, "</r>"...)
	d := compile(t, xml.Config{Groups: []xml.Group{{Each: "/r/e[x]", Fields: []string{"x", "x", "x", "/r/last"}}}}).NewDecoder()
	var r *lake.Refusal
	if err := d.Decode(source(doc), func(*format.Row) error { return nil }); !errors.As(err, &r) || r.Reason != lake.TooLarge {
		t.Errorf("got %v, want too_large", err)
	}
	rows := 0
	d = compile(t, xml.Config{Groups: []xml.Group{{Each: "/r/e[x]", Fields: []string{"x", "/r/@first"}}}}).NewDecoder()
	if err := d.Decode(source(doc), func(*format.Row) error { rows++; return nil }); err != nil || rows != 1<<20 {
		t.Errorf("%d rows, %v: records that wait for nothing must stream", rows, err)
	}
}

// TestEmitErrorStops holds that the caller's error comes back as it is.
func TestEmitErrorStops(t *testing.T) {
	t.Parallel()
	stop := errors.New("stop")
	d := compile(t, xml.Config{Groups: []xml.Group{{Each: "/r/e"}}}).NewDecoder()
	n := 0
	if err := d.Decode(source("<r><e/><e/></r>"), func(*format.Row) error { n++; return stop }); err != stop || n != 1 {
		t.Errorf("got %v after %d rows", err, n)
	}
}
