package xml_test

import (
	"encoding/csv"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"medlake/shared/format"
	"medlake/shared/format/xml"
)

// data is the folder of the real sample files.
func data(t testing.TB) string {
	t.Helper()
	dir := os.Getenv("MEDLAKE_DATA")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "..", "shared", "data")
	}
	if _, err := os.Stat(dir); err != nil {
		t.Skipf("real files are not here: set MEDLAKE_DATA to their folder")
	}
	return dir
}

func TestX(t *testing.T) {
	dir := data(t)
	secs := map[string]string{"problems": "22.2.5", "medications": "22.2.1", "results": "22.2.3", "vital_signs": "22.2.4", "encounters": "22.2.22", "immunizations": "22.2.2", "procedures": "22.2.7"}
	c := xml.Config{NS: map[string]string{"": "urn:hl7-org:v3"}, Lists: map[string][]string{}}
	var names []string
	for n, id := range secs {
		c.Lists[n] = []string{"2.16.840.1.113883.10.20." + id, "2.16.840.1.113883.10.20." + id + ".1"}
		names = append(names, n)
		s := fmt.Sprintf("//section[templateId/@root = {%s}]/entry", n)
		c.Groups = append(c.Groups, xml.Group{Each: s, Fields: []string{"count(.//observation)"}})
	}
	p := compile(t, c)
	d := p.NewDecoder()
	f, _ := os.Open(filepath.Join(dir, "EXPECTED.csv"))
	recs, err := csv.NewReader(f).ReadAll()
	if err != nil { t.Fatal(err) }
	want := map[string]string{}
	for _, r := range recs { want[r[0]+" "+r[2]] = r[3] }
	for _, set := range []string{"synthea-ma/ccda", "ccda-onc", "ccda-microsoft"} {
		files, _ := filepath.Glob(filepath.Join(dir, set, "*"))
		n, o := map[string]int{}, map[string]int{}
		for _, f := range files {
			b, _ := os.ReadFile(f)
			err := d.Decode(source(b), func(r *format.Row) error {
				n[names[r.Group]]++
				k, _ := strconv.Atoi(string(r.Fields[0]))
				o[names[r.Group]] += k
				return nil
			})
			if err != nil { t.Error(f, err) }
		}
		for _, s := range names {
			t.Log(set, s, n[s], want[set+" "+s+" entries"], o[s], want[set+" "+s+" observations"])
		}
	}
}
