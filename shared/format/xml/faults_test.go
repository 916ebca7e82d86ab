package xml_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"medlake/shared/format/xml"
)

func TestFaultsTellTheAuthor(t *testing.T) {
	t.Parallel()
	c := xml.Config{NS: map[string]string{"": "urn:a"}, Groups: []xml.Group{
		{Each: "a | b", Fields: []string{"x[", "x[@a='1]", "x[0]", "a/../b", "p:x", "x[@a={none}]", "join(a)", "count(a", "", "a b", "../../../x", "@*", "x[../y]", "1x"}},
		{Each: "//a/@b"},
		{Each: "//a[b][1]"},
		{Each: "//a//b//c"},
	}}
	_, faults := c.Compile()
	var got []string
	for _, f := range faults {
		got = append(got, strings.Join([]string{string(rune('0' + f.Group)), string(rune('a' + f.Field + 1)), f.Message}, " "))
	}
	want := []string{
		`0 a "a | b": a record is one element, named by one path`,
		`1 a "//a/@b": a record is one element, named by one path`,
		`2 a in the path of a record a position must stand before predicates on what is in the element`,
		`3 a the path has more than 2 // steps`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	c.Groups = c.Groups[:1]
	c.Groups[0].Each = "/a"
	_, faults = c.Compile()
	got = nil
	for _, f := range faults {
		got = append(got, f.Message)
	}
	want = []string{
		`path "x[": a name is expected at character 3`,
		`path "x[@a='1]": a closing quote is missing at character 6`,
		`path "x[0]": a position is a number from 1 at character 3`,
		"path \"a/../b\": `..` may stand at the start of a path only at character 5",
		`prefix "p" is not in ns`,
		`there is no list "none"`,
		`path "join(a)": join needs a comma and the separator in quotes at character 7`,
		`path "count(a": a closing parenthesis is missing at character 8`,
		`path "": a name is expected at character 1`,
		`path "a b": "b" does not belong here at character 3`,
		`the path goes above the document`,
		`an attribute needs a name`,
		`path "x[../y]": a predicate looks at the element itself and below at character 7`,
		`path "1x": a name is expected at character 1`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestTextIsDecoded(t *testing.T) {
	t.Parallel()
	utf16 := func(s string, big bool) string {
		var b strings.Builder
		for _, r := range s {
			hi, lo := byte(r>>8), byte(r)
			if big {
				b.Write([]byte{hi, lo})
			} else {
				b.Write([]byte{lo, hi})
			}
		}
		return b.String()
	}
	tests := []struct{ name, doc, want string }{
		{"UTF-8", "<a>Zoë</a>", "Zoë"},
		{"UTF-8 with mark", "\xef\xbb\xbf<?xml version='1.0' encoding='iso-8859-1'?><a>Zoë</a>", "Zoë"},
		{"UTF-16 LE", "\xff\xfe" + utf16(`<?xml version="1.0" encoding="UTF-16"?><a>Zoë</a>`, false), "Zoë"},
		{"UTF-16 BE", "\xfe\xff" + utf16(`<a>Zoë</a>`, true), "Zoë"},
		{"UTF-16 without mark", utf16(`<?xml version="1.0" encoding="UTF-16"?><a>Zoë</a>`, false), "Zoë"},
		{"says UTF-16, is not", `<?xml version="1.0" encoding="utf-16"?><a>Zoë</a>`, "Zoë"},
		{"ISO-8859-1", "<?xml version='1.0' encoding=\"ISO-8859-1\" standalone='yes'?><a>Zo\xeb</a>", "Zoë"},
		{"windows-1252", "<?xml version='1.0' encoding = 'Windows-1252'?><a>5\x80</a>", "5€"},
		{"references", "<a>&#x20AC;&#8364;&lt;&gt;&amp;&quot;&apos;</a>", "€€<>&\"'"},
		{"line ends", "<a>1\r\n2\r3\n4</a>", "1\n2\n3\n4"},
		{"comment inside", "<a>1<!-- x -->2<?p x?>3</a>", "123"},
		{"CDATA", "<a> <![CDATA[<&]]>]]&gt; </a>", "<&]]>"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			rows, err := decode(compile(t, xml.Config{Groups: []xml.Group{{Fields: []string{"a"}}}}).NewDecoder(), []byte(tt.doc))
			if err != nil {
				t.Fatal(err)
			}
			if got := rows[0].Fields[0]; got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestAttributeSpaceIsNormal(t *testing.T) {
	t.Parallel()
	rows, err := decode(compile(t, xml.Config{Groups: []xml.Group{{Fields: []string{"a/@b"}}}}).NewDecoder(), []byte("<a b = \"1\r\n2\t&#10;\"/>"))
	if err != nil || rows[0].Fields[0] != "1 2 \n" {
		t.Errorf("got %+v, %v", rows, err)
	}
}
