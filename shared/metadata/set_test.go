package metadata

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/rogpeppe/go-internal/txtar"

	"medlake/shared/lake"
)

// whole loads the set of testdata that has no faults.
func whole(t *testing.T) (*Set, fstest.MapFS) {
	t.Helper()
	a, err := txtar.ParseFile("testdata/faults/none.txtar")
	if err != nil {
		t.Fatal(err)
	}
	fsys := filesOf(a)
	delete(fsys, "faults")
	set, faults := Load(fsys)
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	return set, fsys
}

// noPlaces compares sets without the places things were written at.
var noPlaces = cmp.Options{
	cmpopts.IgnoreTypes(Pos{}),
	cmp.Transformer("pattern", func(p *Pattern) string { return p.String() }),
	cmp.Transformer("zone", func(l *time.Location) string {
		if l == nil {
			return ""
		}
		return l.String()
	}),
}

func TestFeedIsReadWhole(t *testing.T) {
	t.Parallel()
	set, _ := whole(t)
	f := set.Feed("visits_csv")
	if want := (Pos{"feeds/visits_csv.yaml", 1}); f.Pos != want {
		t.Errorf("feed stands at %s, want %s", f.Pos, want)
	}
	if want := (Pos{"feeds/visits_csv.yaml", 12}); f.Into[0].Set[2].Pos != want {
		t.Errorf("set.event stands at %s, want %s", f.Into[0].Set[2].Pos, want)
	}
	if d := cmp.Diff(map[string]string{"customer": "acme"}, must(f.From.Match("acme/visits/x.zip"))); d != "" {
		t.Error(d)
	}
	newYork, err := time.LoadLocation("America/New_York")
	if err != nil {
		t.Fatal(err)
	}
	want := Read{As: "csv", Delimiter: "|", Quote: `"`, Header: "first", Ragged: "reject", Encoding: "utf-8", Empty: []string{"", "NULL", "-"}, Zone: newYork, NS: map[string]string{}}
	if d := cmp.Diff(want, f.Read, noPlaces); d != "" {
		t.Errorf("read (-want +got):\n%s", d)
	}
	wantExpect := []Expect{
		{Table: "lake.visits", Values: []Named{{"visit_id", Text{Value: "V1"}}, {"facility_id", Text{Value: "10"}}, {"event", Text{Value: "A01"}}}, Nulls: map[string]bool{}},
		{Table: "lake.visits", Values: []Named{{"visit_id", Text{Value: "V2"}}}, Nulls: map[string]bool{}, Rejected: "known_facility"},
	}
	if d := cmp.Diff(wantExpect, f.Expect, noPlaces); d != "" {
		t.Errorf("expect (-want +got):\n%s", d)
	}
	if f.Dedupe != "member" || f.Open.Nested != 1 || f.Open.Password.Value != "zip/{customer}" {
		t.Errorf("got dedupe %s, open %+v", f.Dedupe, f.Open)
	}
}

func must(m map[string]string, _ bool) map[string]string { return m }

func TestFeedLikeAnotherTakesItsSettingsOver(t *testing.T) {
	t.Parallel()
	set, _ := whole(t)
	f, parent := set.Feed("visits_again"), set.Feed("visits_csv")
	if d := cmp.Diff(parent.Read, f.Read, noPlaces); d != "" {
		t.Errorf("read (-want +got):\n%s", d)
	}
	if f.From.String() != "{customer}/again/*.zip" || f.Sample != nil || f.Expect != nil || f.Doc != "" {
		t.Errorf("own keys were taken over: %+v", f)
	}
	want := append(append([]Named{}, parent.Into[0].Set...), Named{"bed", Text{Value: "upper(bed)"}})
	if d := cmp.Diff(want, f.Into[0].Set, noPlaces); d != "" {
		t.Errorf("set (-want +got):\n%s", d)
	}
	if f.Into[0].Entry.String() != "*visit*.csv" || f.Into[0].When != parent.Into[0].When {
		t.Errorf("entry and when were not taken over: %+v", f.Into[0])
	}
}

func TestTablesOfAFeedTakeItsRowsOver(t *testing.T) {
	t.Parallel()
	set, _ := whole(t)
	f := set.Feed("ccda")
	var got []string
	for _, in := range f.Into {
		for _, field := range in.Fields {
			got = append(got, in.Table+" "+field.Name)
		}
	}
	want := []string{
		"lake.conditions patient_id", "lake.conditions status", "lake.conditions code", "lake.conditions onset",
		"lake.visits patient_id",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("fields (-want +got):\n%s", d)
	}
}

func TestTableIsReadWhole(t *testing.T) {
	t.Parallel()
	set, _ := whole(t)
	got := set.Table("visits")
	column := func(name string, k lake.Kind, required bool, phi string) Column {
		return Column{Name: name, Type: lake.Type{Kind: k}, Required: required, PHI: phi}
	}
	want := &Table{
		Name: "visits", Namespace: "lake", Grain: "one row a visit",
		Doc: "Current state and full history of every visit, from events in any order.",
		Columns: []Column{
			column("visit_id", lake.String, true, ""), column("facility_id", lake.Long, false, ""), column("mrn", lake.String, false, "mrn"),
			column("birth_date", lake.Date, false, "date"), column("event", lake.String, true, ""), column("event_at", lake.Timestamp, true, ""),
			column("admitted_at", lake.Timestamp, false, ""), column("discharged_at", lake.Timestamp, false, ""), column("bed", lake.String, false, ""),
		},
		Key: []string{"customer", "visit_id"},
		Change: &Change{
			Order: []string{"event_at"}, Delete: Text{Value: `event in ["A11", "A23"]`}, Keep: []string{"admitted_at"},
			Only: []Named{{"discharged_at", Text{Value: `event in ["A03", "A13"]`}}},
		},
		Checks: []Check{
			{Name: "known_facility", Rule: Text{Value: "facility_id != nil"}, Else: "reject"},
			{Name: "dob_present", Rule: Text{Value: "birth_date != nil"}, Else: "warn", Max: 0.02},
		},
		New: "keep", Missing: "warn", Mismatch: "reject",
		Partition: []string{"customer"}, Sort: []string{"visit_id"}, FileSize: 128 << 20, Fresh: 15 * time.Minute,
	}
	if d := cmp.Diff(want, got, noPlaces); d != "" {
		t.Errorf("table (-want +got):\n%s", d)
	}
	if got.Target() != "lake.visits_log" {
		t.Errorf("target is %s", got.Target())
	}
}

func TestEventTableHasDefaults(t *testing.T) {
	t.Parallel()
	set, _ := whole(t)
	got := set.Table("lake.conditions")
	if d := cmp.Diff([]string{"customer", "month(_arrived_at)"}, got.Partition); d != "" {
		t.Error(d)
	}
	if got.FileSize != 128<<20 || got.New != "keep" || got.Change != nil || got.Column("code").Doc != "A code." {
		t.Errorf("got %+v", got)
	}
}

func TestReferencesAreLookedUpByCustomer(t *testing.T) {
	t.Parallel()
	set, _ := whole(t)
	columns, types, ok := set.Ref("facilities")
	if !ok || len(columns) != 7 || types[1].Kind != lake.Long || types[6].Kind != lake.Long || types[0].Kind != lake.String {
		t.Errorf("got %v %v", columns, types)
	}
	if row, ok := set.Lookup("acme", "facilities", "F1"); !ok || row[1] != "10" {
		t.Errorf("got %v", row)
	}
	for _, miss := range [][3]string{{"beta", "facilities", "F1"}, {"acme", "facilities", "F2"}, {"acme", "codes", "F1"}} {
		if _, ok := set.Lookup(miss[0], miss[1], miss[2]); ok {
			t.Errorf("%v was found", miss)
		}
	}
	want := []Facility{{Code: "F1", ID: 10, Name: "Main Street", Kind: "urgent care", NPI: "1234567893", Beds: 12}}
	if d := cmp.Diff(want, set.Customer("acme").Facilities); d != "" {
		t.Errorf("facilities (-want +got):\n%s", d)
	}
}

func TestVersionFollowsEveryFile(t *testing.T) {
	t.Parallel()
	set, fsys := whole(t)
	again, _ := Load(fsys)
	if set.Version != again.Version || len(set.Version) != lake.IDLen {
		t.Errorf("versions of the same files are %s and %s", set.Version, again.Version)
	}
	for name, f := range fsys {
		changed := fstest.MapFS{}
		for n, g := range fsys {
			changed[n] = g
		}
		changed[name] = &fstest.MapFile{Data: append(append([]byte{}, f.Data...), '\n'), Mode: fs.ModePerm}
		other, faults := Load(changed)
		if len(faults) > 0 {
			t.Fatal(faults)
		}
		if other.Version == set.Version {
			t.Errorf("a change of %s does not change the version", name)
		}
	}
}

func TestSetWithFaultsHoldsWhatIsGood(t *testing.T) {
	t.Parallel()
	_, fsys := whole(t)
	fsys["tables/conditions.yaml"].Data = []byte("table: conditions\ncolumns: { code: strin }\n")
	set, faults := Load(fsys)
	if len(faults) == 0 || set.Table("conditions") != nil || set.Feed("ccda") != nil {
		t.Errorf("a faulty table or a feed that fills it is in the set: %v", faults)
	}
	if set.Table("visits") == nil || set.Feed("visits_csv") == nil || set.Version != "" {
		t.Error("the good table and feed are not in the set, or it has a version")
	}
}

func TestTablesNeedNoFeeds(t *testing.T) {
	t.Parallel()
	set, fsys := whole(t)
	fsys["feeds/visits_csv.yaml"].Data = []byte("feed: [\n")
	tables, faults := LoadTables(fsys)
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	if len(tables.Tables) != len(set.Tables) || len(tables.Customers) != len(set.Customers) || len(tables.Feeds)+len(tables.Reports) > 0 {
		t.Errorf("%d tables, %d customers, %d feeds, %d reports", len(tables.Tables), len(tables.Customers), len(tables.Feeds), len(tables.Reports))
	}
	fsys["tables/conditions.yaml"].Data = []byte("table: conditions\ncolumns: { code: strin }\n")
	if _, faults := LoadTables(fsys); len(faults) != 1 || faults[0].File != "tables/conditions.yaml" {
		t.Errorf("got %v", faults)
	}
}

func TestFaultsOfReading(t *testing.T) {
	t.Parallel()
	fsys := fstest.MapFS{"feeds/a.yaml/b": &fstest.MapFile{}, "tables": &fstest.MapFile{Data: []byte("x")}}
	_, faults := Load(fsys)
	if len(faults) != 1 || faults[0].File != "tables" {
		t.Errorf("got %v", faults)
	}
}

func FuzzLoad(f *testing.F) {
	a, err := txtar.ParseFile("testdata/faults/none.txtar")
	if err != nil {
		f.Fatal(err)
	}
	fsys := filesOf(a)
	f.Add(fsys["feeds/visits_csv.yaml"].Data, fsys["tables/visits.yaml"].Data, fsys["customers/acme/customer.yaml"].Data, fsys["customers/acme/facilities.csv"].Data)
	f.Add(fsys["feeds/ccda.yaml"].Data, fsys["tables/conditions.yaml"].Data, fsys["reports/bed_availability.yaml"].Data, []byte("a,b\n1,2"))
	for _, name := range []string{"visits_csv", "beds", "ccda", "medicare", "cpcds"} {
		read := func(file string) []byte {
			text, err := os.ReadFile(filepath.Join(published, file))
			if err != nil {
				f.Fatal(err)
			}
			return text
		}
		f.Add(read("feeds/"+name+".yaml"), read("tables/visits.yaml"), read("customers/acme/customer.yaml"), read("customers/acme/facilities.csv"))
	}
	f.Fuzz(func(t *testing.T, feed, table, customer, ref []byte) {
		set, faults := Load(fstest.MapFS{
			"feeds/visits_csv.yaml": &fstest.MapFile{Data: feed}, "tables/visits.yaml": &fstest.MapFile{Data: table},
			"customers/acme/customer.yaml": &fstest.MapFile{Data: customer}, "customers/acme/facilities.csv": &fstest.MapFile{Data: ref},
			"reports/x.yaml": &fstest.MapFile{Data: customer}, "ref/codes.csv": &fstest.MapFile{Data: ref},
		})
		if (set.Version == "") != (len(faults) > 0) {
			t.Errorf("version is %q, with %d faults", set.Version, len(faults))
		}
		for _, fault := range faults {
			if fault.Line < 1 || fault.File == "" || fault.Message == "" {
				t.Errorf("fault without a place or message: %q", fault.Error())
			}
		}
	})
}
