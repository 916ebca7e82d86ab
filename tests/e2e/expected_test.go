package e2e

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"math/big"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"medlake/shared/archive/lock"
	"medlake/shared/metadata"
)

// fact is one line of EXPECTED.csv: what another program counted in the files.
type fact struct{ path, what, column, value string }

func facts(t *testing.T, dir string) []fact {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, "EXPECTED.csv"))
	if err != nil {
		t.Fatal(err)
	}
	lines, err := csv.NewReader(bytes.NewReader(data)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var out []fact
	for _, l := range lines[1:] {
		out = append(out, fact{l[0], l[1], l[2], l[3]})
	}
	return out
}

// parcel is real files sent as one upload.
type parcel struct {
	customer, path string
	files          []string
	load           string // set when it is loaded
}

func parcels(t *testing.T, dir string) []*parcel {
	t.Helper()
	at := func(pattern string) []string { return glob(t, filepath.Join(dir, pattern)) }
	claims := func(folder string) []string {
		return slices.DeleteFunc(at(folder+"/*.csv"), func(f string) bool { return strings.Contains(f, "export_summary") })
	}
	return []*parcel{
		{customer: "acme", path: "synthea/all.zip", files: at("synthea-ma/csv/*.csv")},
		{customer: "stmary", path: "ccda/synthea-ma/ccda.zip", files: at("synthea-ma/ccda/*.xml")},
		{customer: "stmary", path: "ccda/ccda-onc.zip", files: at("ccda-onc/*.xml")},
		{customer: "stmary", path: "ccda/ccda-microsoft.zip", files: at("ccda-microsoft/*.ccda")},
		{customer: "lakeside", path: "medicare/rif-bfd-synthea.zip", files: claims("rif-bfd-synthea")},
		{customer: "lakeside", path: "medicare-summary/rif-bfd-synthea.zip", files: at("rif-bfd-synthea/export_summary.csv")},
		{customer: "stmary", path: "medicare/rif-pipe.zip", files: claims("synthea-ma/rif-pipe")},
		{customer: "stmary", path: "medicare-summary/rif-pipe.zip", files: at("synthea-ma/rif-pipe/export_summary.csv")},
		{customer: "stmary", path: "npi/npi.zip", files: at("synthea-ma/rif-pipe/npi.tsv")},
	}
}

// TestRealFiles loads every real file locked, asks SQL every figure of EXPECTED.csv that concerns them, sends all again
// locked anew, and sees that nothing changed.
func TestRealFiles(t *testing.T) {
	t.Parallel()
	dir := realData(t)
	l := newLake(t)
	all := parcels(t, dir)
	for i, p := range all {
		cipher := []lock.Cipher{lock.AES256, lock.ZipCrypto}[i%2]
		r := l.send(t, p.customer, p.path, pack(t, cipher, password(p.customer), 1, p.files...))
		rejects := int64(0)
		if p.path == "ccda/ccda-microsoft.zip" {
			rejects = 1 // a visit that begins at 200130212, which is no time
		}
		if r.Status != "loaded" || r.Rejects != rejects {
			t.Errorf("%s: %s %s with %d rejects, want %d", p.path, r.Status, r.Reason, r.Rejects, rejects)
		}
		p.load = r.Load
	}
	askFacts(t, l, dir, all)
	before := census(t, l)
	for _, p := range all {
		r := l.send(t, p.customer, p.path, pack(t, lock.AES256, previous(p.customer), 2, p.files...))
		if r.Status != "duplicate" || r.Load != p.load {
			t.Errorf("%s again: %s as %s, want a duplicate of %s", p.path, r.Status, r.Load, p.load)
		}
	}
	if diff := cmp.Diff(before, census(t, l)); diff != "" {
		t.Errorf("sending all again changed the tables (-before +after):\n%s", diff)
	}
	balance(t, l, 2*len(all))
}

// askFacts turns every fact into a column of one statement a table.
func askFacts(t *testing.T, l *lakeDir, dir string, all []*parcel) {
	t.Helper()
	set, faults := metadata.Load(os.DirFS(l.metadata))
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	questions := map[string][]string{} // table and load -> expressions
	wanted := map[string][]fact{}
	asked := 0
	for _, f := range facts(t, dir) {
		p := parcelOf(all, f.path)
		if p == nil {
			continue
		}
		asked++
		from, expr := question(t, set, p, f)
		questions[from] = append(questions[from], expr)
		wanted[from] = append(wanted[from], f)
	}
	if asked < 215 {
		t.Errorf("only %d figures of EXPECTED.csv were asked", asked)
	}
	for from, exprs := range questions {
		var sql strings.Builder
		sql.WriteString("SELECT ")
		for i, e := range exprs {
			fmt.Fprintf(&sql, "(%s)::VARCHAR AS f%d, ", e, i)
		}
		row := l.ask(t, strings.TrimSuffix(sql.String(), ", ")+" FROM "+from)
		for i, f := range wanted[from] {
			var got string
			if err := json.Unmarshal(row[fmt.Sprintf("f%d", i)], &got); err != nil {
				t.Fatal(err)
			}
			if !equal(got, f.value) {
				t.Errorf("%s: %s of %s is %s, want %s", f.path, f.what, f.column, got, f.value)
			}
		}
	}
}

func equal(a, b string) bool {
	x, ok1 := new(big.Rat).SetString(a)
	y, ok2 := new(big.Rat).SetString(b)
	return ok1 && ok2 && x.Cmp(y) == 0
}

// parcelOf finds the upload that holds what a fact is about.
func parcelOf(all []*parcel, where string) *parcel {
	for _, p := range all {
		for _, f := range p.files {
			if strings.HasSuffix(filepath.ToSlash(f), "/"+where) || strings.HasSuffix(path.Dir(filepath.ToSlash(f)), "/"+where) {
				return p
			}
		}
	}
	return nil
}

// question says what to ask, of which table, for a fact.
func question(t *testing.T, set *metadata.Set, p *parcel, f fact) (from, expr string) {
	t.Helper()
	if f.what == "count" {
		return documentQuestion(p, f)
	}
	feed, _, _ := strings.Cut(p.path, "/")
	feed = strings.ReplaceAll(feed, "-", "_")
	if f.what == "lines after the header" && strings.HasPrefix(feed, "medicare") {
		return medicareQuestion(p, f)
	}
	for _, in := range set.Feed(feed).Into {
		if in.Entry.String() != path.Base(f.path) {
			continue
		}
		table := set.Table(in.Table)
		from = fmt.Sprintf("%s WHERE _load = '%s'", table.Name, p.load)
		if f.what == "rows" {
			return from, "count(*)"
		}
		c := columnOf(in, table, f.column)
		switch f.what {
		case "distinct":
			return from, fmt.Sprintf("count(DISTINCT %s)", c)
		case "empty":
			return from, fmt.Sprintf("count(*) - count(%s)", c)
		case "sum":
			return from, fmt.Sprintf("sum(%s)", c)
		}
	}
	t.Fatalf("no question for %s %s %s", f.path, f.what, f.column)
	return "", ""
}

// columnOf is the column that a source column goes to as it is.
func columnOf(in *metadata.Into, table *metadata.Table, source string) string {
	for _, s := range in.Set {
		if s.Value == source {
			return s.Name
		}
	}
	for _, c := range table.Columns {
		if strings.EqualFold(c.Name, source) {
			return c.Name
		}
	}
	return fmt.Sprintf("json_extract_string(_extra, '$.%s')", source)
}

// documentQuestion asks for documents, entries and observations of C-CDA sections.
func documentQuestion(p *parcel, f fact) (from, expr string) {
	if f.column == "documents" {
		return fmt.Sprintf("documents WHERE _load = '%s'", p.load), "count(*)"
	}
	section, what, _ := strings.Cut(f.column, " ")
	expr = fmt.Sprintf("count(*) FILTER (section = '%s')", section)
	if what == "observations" {
		expr = fmt.Sprintf("coalesce(sum(observations) FILTER (section = '%s'), 0)", section)
	}
	return fmt.Sprintf("document_entries WHERE _load = '%s'", p.load), expr
}

var year = regexp.MustCompile(`beneficiary_(\d{4})\.csv`)

// medicareQuestion asks for the lines of a claim file.
func medicareQuestion(p *parcel, f fact) (from, expr string) {
	name := path.Base(f.path)
	entry := slices.IndexFunc(p.files, func(x string) bool { return filepath.Base(x) == name })
	table := "claim_lines"
	switch {
	case year.MatchString(name):
		table = "medicare_beneficiaries_log"
	case name == "beneficiary_history.csv":
		table = "medicare_former_identities"
	case name == "export_summary.csv":
		table = "medicare_export_summaries"
	case name == "pde.csv":
		table = "prescription_events_log"
	}
	return fmt.Sprintf("%s WHERE _load = '%s' AND _entry = %d", table, p.load, entry), "count(*)"
}
