package xml_test

import (
	"encoding/csv"
	stdxml "encoding/xml"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"

	"medlake/shared/format"
	"medlake/shared/format/xml"
)

// real is a path below the folder of the real sample files.
func real(t testing.TB, name string) string {
	t.Helper()
	dir := os.Getenv("MEDLAKE_DATA")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "..", "shared", "data")
	}
	if _, err := os.Stat(dir); err != nil {
		t.Skip("the real files are not here: set MEDLAKE_DATA to their folder")
	}
	return filepath.Join(dir, filepath.FromSlash(name))
}

// sections are the C-CDA sections with the template of their entries-optional form; ".1" is the other.
var sections = []struct{ name, template string }{
	{"problems", "2.16.840.1.113883.10.20.22.2.5"},
	{"medications", "2.16.840.1.113883.10.20.22.2.1"},
	{"results", "2.16.840.1.113883.10.20.22.2.3"},
	{"vital_signs", "2.16.840.1.113883.10.20.22.2.4"},
	{"encounters", "2.16.840.1.113883.10.20.22.2.22"},
	{"immunizations", "2.16.840.1.113883.10.20.22.2.2"},
	{"procedures", "2.16.840.1.113883.10.20.22.2.7"},
}

func clinical() xml.Config {
	c := xml.Config{NS: map[string]string{"": "urn:hl7-org:v3"}, Lists: map[string][]string{}}
	for _, s := range sections {
		c.Lists[s.name] = []string{s.template, s.template + ".1"}
		entry := "//section[templateId/@root = {" + s.name + "}]/entry"
		patient := "/ClinicalDocument/recordTarget/patientRole/id[1]/@extension"
		c.Groups = append(c.Groups,
			xml.Group{Each: entry, Fields: []string{patient, "count(.//observation)"}},
			xml.Group{Each: entry + "//observation", Fields: []string{patient, "../../statusCode/@code", "value/@code | value/translation/@code"}})
	}
	return c
}

func TestClinicalDocumentsHoldTheExpectedEntries(t *testing.T) {
	t.Parallel()
	f, err := os.Open(real(t, "EXPECTED.csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	lines, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	d := compile(t, clinical()).NewDecoder()
	for _, set := range []string{"synthea-ma/ccda", "ccda-onc", "ccda-microsoft"} {
		got, want := map[string]int{}, map[string]int{}
		for _, l := range lines {
			if n, err := strconv.Atoi(l[3]); l[0] == set && l[1] == "count" && l[2] != "documents" && err == nil {
				want[l[2]] = n
			}
		}
		for _, s := range sections {
			got[s.name+" entries"], got[s.name+" observations"] = 0, 0
		}
		files, err := filepath.Glob(real(t, set+"/*"))
		if err != nil || len(files) == 0 {
			t.Fatal("no documents", err)
		}
		for i, name := range files {
			doc, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			counted := 0 // observations by count(), equal to those that are rows
			err = d.Decode(source(doc), func(r *format.Row) error {
				what := " entries"
				if r.Group%2 == 1 {
					what = " observations"
					counted--
				} else {
					n, err := strconv.Atoi(string(r.Fields[1]))
					if err != nil {
						return err
					}
					counted += n
				}
				got[sections[r.Group/2].name+what]++
				return nil
			})
			if err != nil || counted != 0 {
				t.Errorf("%s, document %d: %v; %d observations too many", set, i, err, counted)
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", set, diff)
		}
	}
}

// TestRegistryDocumentHoldsItsTumors reads many records of one document, with values of the element around them.
func TestRegistryDocumentHoldsItsTumors(t *testing.T) {
	t.Parallel()
	doc, err := os.ReadFile(real(t, "naaccr/naaccr-xml-v240-abstract-100.xml"))
	if err != nil {
		t.Fatal(err)
	}
	type item struct {
		ID    string `xml:"naaccrId,attr"`
		Value string `xml:",chardata"`
	}
	var tree struct {
		Type     string `xml:"recordType,attr"`
		Patients []struct {
			Items  []item `xml:"Item"`
			Tumors []struct {
				Items []item `xml:"Item"`
			} `xml:"Tumor"`
		} `xml:"Patient"`
	}
	if err := stdxml.Unmarshal(doc, &tree); err != nil {
		t.Fatal(err)
	}
	find := func(items []item, id string) string {
		if i := slices.IndexFunc(items, func(i item) bool { return i.ID == id }); i >= 0 && items[i].Value != "" {
			return items[i].Value
		}
		return "-"
	}
	var want [][]string
	for _, p := range tree.Patients {
		for _, x := range p.Tumors {
			want = append(want, []string{tree.Type, find(p.Items, "patientIdNumber"), find(p.Items, "nameLast"), find(x.Items, "primarySite"), find(x.Items, "dateOfDiagnosis"), strconv.Itoa(len(x.Items))})
		}
	}
	d := compile(t, xml.Config{
		NS: map[string]string{"": "http://naaccr.org/naaccrxml"},
		Groups: []xml.Group{{Each: "/NaaccrData/Patient/Tumor", Fields: []string{
			"/NaaccrData/@recordType", "../Item[@naaccrId='patientIdNumber']", "../Item[@naaccrId='nameLast']",
			"Item[@naaccrId='primarySite']", "Item[@naaccrId='dateOfDiagnosis']", "count(Item)",
		}}},
	}).NewDecoder()
	rows, err := decode(d, doc)
	if err != nil {
		t.Fatal(err)
	}
	var got [][]string
	for _, r := range rows {
		got = append(got, r.Fields)
	}
	if len(got) != 100 {
		t.Errorf("%d tumors, the source says 100", len(got))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
