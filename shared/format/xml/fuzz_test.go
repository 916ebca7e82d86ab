package xml

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"medlake/shared/format"
	"medlake/shared/lake"
)

// FuzzXML holds that whatever the decoder accepts is well-formed to encoding/xml too and holds the same values, that all
// else is refused with a reason, and that a used decoder is as good as new.
func FuzzXML(f *testing.F) {
	for _, s := range []string{
		`<a/>`, `<?xml version="1.0"?><a b="1"><!-- c --><b>x &amp; y</b><![CDATA[<]]></a>`, `<a xmlns="u" xmlns:p="v"><p:b p:c="&#x41;"/></a>`,
		`<a><b></a></b>`, `<a/><b/>`, `<!DOCTYPE a><a/>`, `<a>&nbsp;</a>`, `<a b="1" b="2"/>`, `<a b='<'/>`, "\xef\xbb\xbf<a/>", "\xff\xfe<\x00a\x00/\x00>\x00",
		`<?xml version="1.0" encoding="ISO-8859-1"?><a>` + "\xe9</a>", `<a>]]></a>`, `<a><!-- -- --></a>`, `<a b = "1
	2" />x`, strings.Repeat("<a>", 70), `<a><?p i?>&#0;</a>`, `<:a/>`, `<a:/>`, `<a b="1"c="2"/>`,
	} {
		f.Add([]byte(s))
	}
	cases, err := filepath.Glob(filepath.Join("testdata", "*.txtar"))
	if err != nil || len(cases) == 0 {
		f.Fatal("no cases", err)
	}
	for _, name := range cases {
		a, err := txtar.ParseFile(name)
		if err != nil {
			f.Fatal(err)
		}
		for _, part := range a.Files {
			if part.Name == "document.xml" {
				f.Add(part.Data)
			}
		}
	}
	real := os.Getenv("MEDLAKE_DATA")
	if real == "" {
		real = filepath.Join("..", "..", "..", "..", "shared", "data")
	}
	if doc, err := os.ReadFile(filepath.Join(real, "ccda-onc", "170.315_b2_ciri__r21_sample1_ds_recon_v12.xml")); err == nil { // also seeded where the real files are
		f.Add(doc)
	}
	p, faults := Config{Groups: []Group{
		{Each: "//*", Fields: []string{".", "@b", "count(*)", "*[2]", "../@b | b", "/a/b"}},
		{Each: "//a[b]", Fields: []string{"count(b/@b)", "join(.//b, '/')"}},
	}}.Compile()
	if len(faults) > 0 {
		f.Fatal(faults)
	}
	used := p.NewDecoder()
	f.Fuzz(func(t *testing.T, doc []byte) {
		collect := func(d *Decoder) (rows [2][]string, err error) {
			err = d.Decode(member(doc), func(r *format.Row) error {
				rows[r.Group] = append(rows[r.Group], string(bytes.Join(r.Fields, []byte{0})))
				return nil
			})
			return rows, err
		}
		rows, err := collect(p.NewDecoder())
		again, err2 := collect(used)
		if diff := cmp.Diff(rows, again); diff != "" || (err == nil) != (err2 == nil) {
			t.Fatalf("the used decoder says %v, a new one %v:\n%s", err2, err, diff)
		}
		var refusal *lake.Refusal
		if err != nil {
			if !errors.As(err, &refusal) {
				t.Fatalf("not a refusal: %v", err)
			}
			return
		}
		if bytes.ContainsFunc(doc, func(r rune) bool { return r >= 0x80 || r == 0 }) || bytes.HasPrefix(doc, []byte("<?xml")) {
			return // encoding/xml has its own mind about names and declarations
		}
		root, err := parseTree(doc)
		if err != nil {
			t.Fatalf("encoding/xml refuses what we accept: %v", err)
		}
		if len(root.kids) != 1 {
			t.Fatalf("%d roots accepted", len(root.kids))
		}
		var all []*element
		var visit func(e *element)
		visit = func(e *element) {
			for _, k := range e.kids {
				all = append(all, k)
				visit(k)
			}
		}
		visit(root)
		if len(all) != len(rows[0]) {
			t.Fatalf("%d rows of %d elements", len(rows[0]), len(all))
		}
		for i, e := range all {
			if got, _, _ := strings.Cut(rows[0][i], "\x00"); got != strings.Trim(e.text, " \t\r\n") {
				t.Fatalf("element %q: got text %q, want %q", e.name, got, e.text)
			}
		}
	})
}
