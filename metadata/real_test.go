package metadata_test

import (
	"bytes"
	"encoding/csv"
	"math/big"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"medlake/shared/metadata"
)

// fact is one line of EXPECTED.csv: what someone else counted in the files.
type fact struct{ path, what, column, value string }

func facts(t *testing.T, dir string) []fact {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, "EXPECTED.csv"))
	if err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(bytes.NewReader(text)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var out []fact
	for _, r := range rows[1:] {
		out = append(out, fact{r[0], r[1], r[2], r[3]})
	}
	return out
}

// TestSyntheaFilesLandWhole asks every count, sum, distinct value and empty cell of EXPECTED.csv of what lands, column by
// column, and that keys of tables that change are unique.
func TestSyntheaFilesLandWhole(t *testing.T) {
	t.Parallel()
	dir := data(t)
	lib := library(t)
	var files []string
	for _, in := range lib.Set().Feed("synthea").Into {
		files = append(files, filepath.Join(dir, "synthea-ma/csv", in.Entry.String()))
	}
	if len(files) != 18 {
		t.Fatalf("the feed takes %d files", len(files))
	}
	landed := load(t, lib, 0, "acme/synthea/export.zip", files...)
	asked := 0
	for _, in := range lib.Set().Feed("synthea").Into {
		table := lib.Set().Table(in.Table)
		got := landed[table.Name]
		if table.Change != nil && int64(len(got.keys)) != got.rows {
			t.Errorf("%s: %d rows, but %d keys", table.Name, got.rows, len(got.keys))
		}
		if n := got.rows - got.nulls["_extra"]; n != 0 {
			t.Errorf("%s: %d rows have source columns that are no columns", table.Name, n)
		}
		for _, f := range facts(t, dir) {
			if f.path != "synthea-ma/csv/"+in.Entry.String() {
				continue
			}
			asked++
			if f.what == "rows" {
				equal(t, f, strconv.FormatInt(got.rows, 10))
				continue
			}
			c := columnOf(in, table, f.column)
			if c == nil {
				t.Errorf("%s: no column has %s", table.Name, f.column)
				continue
			}
			switch f.what {
			case "distinct":
				equal(t, f, strconv.Itoa(len(got.values[c.Name])))
			case "empty":
				equal(t, f, strconv.FormatInt(got.nulls[c.Name], 10))
			case "sum":
				want, ok := new(big.Rat).SetString(f.value)
				if sum := got.sums[c.Name]; !ok || sum.Cmp(want) != 0 {
					t.Errorf("%s %s: sum is %s, want %s", f.path, f.column, sum.FloatString(2), f.value)
				}
			}
		}
	}
	if asked < 150 {
		t.Errorf("only %d facts were asked", asked)
	}
}

func equal(t *testing.T, f fact, got string) {
	t.Helper()
	if got != f.value {
		t.Errorf("%s: %s %s is %s, want %s", f.path, f.what, f.column, got, f.value)
	}
}

// columnOf is the column a source column goes to as it is.
func columnOf(in *metadata.Into, table *metadata.Table, source string) *metadata.Column {
	for _, s := range in.Set {
		if s.Value == source {
			return table.Column(s.Name)
		}
	}
	return table.Column(strings.ToLower(source))
}

// badTimes is the number of visits of ccda-microsoft that begin at 200130212, which is no time.
const badTimes = 1

// TestDocumentsLandWhole asks the counts of documents, entries and observations by section.
func TestDocumentsLandWhole(t *testing.T) {
	t.Parallel()
	dir := data(t)
	lib := library(t)
	for _, folder := range []string{"synthea-ma/ccda", "ccda-onc", "ccda-microsoft"} {
		t.Run(folder, func(t *testing.T) {
			t.Parallel()
			entries, err := os.ReadDir(filepath.Join(dir, folder))
			if err != nil {
				t.Fatal(err)
			}
			var files []string
			for _, e := range entries {
				files = append(files, filepath.Join(dir, folder, e.Name()))
			}
			landed := map[string]int64{}
			rejects := int64(0)
			if folder == "ccda-microsoft" {
				rejects = badTimes
			}
			for table, y := range load(t, lib, rejects, "stmary/ccda/documents.zip", files...) {
				landed["table "+table] = y.rows
				for section, n := range y.entries {
					landed[section+" entries"] = n
					landed[section+" observations"] = y.observations[section]
				}
			}
			landed["documents"] = landed["table documents"]
			asked := 0
			for _, f := range facts(t, dir) {
				if f.path == folder {
					asked++
					equal(t, f, strconv.FormatInt(landed[f.column], 10))
				}
			}
			if asked != 15 {
				t.Errorf("%d facts were asked, want 15", asked)
			}
			if got, want := landed["table observations"], landed["results observations"]+landed["vital_signs observations"]; got != want {
				t.Errorf("%d observations landed, want %d", got, want)
			}
			for table, section := range map[string]string{"medications": "medications", "immunizations": "immunizations", "procedures": "procedures", "visits": "encounters"} {
				want := landed[section+" entries"]
				if folder == "ccda-microsoft" && table == "visits" {
					want -= badTimes
				}
				if got := landed["table "+table]; got != want {
					t.Errorf("%d %s landed, want %d", got, table, want)
				}
			}
			if got := landed["table conditions"]; got < landed["problems entries"] {
				t.Errorf("%d conditions landed of %d entries", got, landed["problems entries"])
			}
		})
	}
}

// TestLinesLand compares every line of every Medicare, NPI and CPCDS file with the rows that land.
func TestLinesLand(t *testing.T) {
	t.Parallel()
	dir := data(t)
	lib := library(t)
	want := map[string]string{}
	for _, f := range facts(t, dir) {
		if f.what == "lines after the header" {
			want[f.path] = f.value
		}
	}
	tables := map[string]string{ // where the lines of a file go, if not into claim_lines
		"npi.tsv": "npi_directory", "export_summary.csv": "medicare_export_summaries", "pde.csv": "prescription_events",
		"beneficiary_history.csv": "medicare_former_identities", "CPCDS_Members.csv": "members", "CPCDS_Coverages.csv": "coverages",
		"Organizations.csv": "network_organizations", "PractitionerRoles.csv": "network_providers",
	}
	for _, folder := range []string{"synthea-ma/rif-pipe", "rif-bfd-synthea", "synthea-ma/cpcds"} {
		entries, err := os.ReadDir(filepath.Join(dir, folder))
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			base := e.Name()
			if base == "manifest.xml" { // a list of the other files
				continue
			}
			table, upload := tables[base], "lakeside/medicare/x.zip"
			switch {
			case strings.HasPrefix(base, "beneficiary_2"):
				table = "medicare_beneficiaries"
			case table == "":
				table = "claim_lines"
			case base == "npi.tsv":
				upload = "lakeside/npi/x.zip"
			case base == "export_summary.csv":
				upload = "lakeside/medicare-summary/x.zip"
			case folder == "synthea-ma/cpcds":
				upload = "lakeside/cpcds/x.zip"
			}
			name := path.Join(folder, base)
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				file := filepath.Join(dir, name)
				got := load(t, lib, 0, upload, file)[table]
				text, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				if lines := int64(bytes.Count(bytes.TrimSpace(text), []byte("\n"))); got.rows != lines {
					t.Errorf("%d rows landed in %s, want %d", got.rows, table, lines)
				}
				if w, ok := want[name]; ok {
					equal(t, fact{path: name, what: "lines", value: w}, strconv.FormatInt(got.rows, 10))
				}
				if got.table.Change != nil && int64(len(got.keys)) != got.rows {
					t.Errorf("%s: %d rows, but %d keys", table, got.rows, len(got.keys))
				}
			})
		}
	}
}
