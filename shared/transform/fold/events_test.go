package fold_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"medlake/shared/lake"
	"medlake/shared/metadata"
	"medlake/shared/transform/column"
	"medlake/shared/transform/fold"
	"medlake/shared/transform/fold/foldtest"
)

// published is a table of the metadata that come with Medlake.
func published(t testing.TB, name string) *metadata.Table {
	t.Helper()
	set, faults := metadata.Load(os.DirFS("../../../metadata"))
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	return set.Table(name)
}

// event is a row of visits: what happened in which hour, and columns as name=value.
func event(code string, hour int, columns ...string) map[string]string {
	out := map[string]string{"visit_id": "V1", "event": code, "event_at": fmt.Sprintf("2026-03-05T%02d:00:00Z", hour)}
	for _, c := range columns {
		name, v, _ := strings.Cut(c, "=")
		out[name] = v
	}
	return out
}

// TestVisits: real sequences of HL7 events, in every order of arrival, one upload each.
func TestVisits(t *testing.T) {
	t.Parallel()
	m := published(t, "visits")
	f := compile(t, m)
	a01 := event("A01", 8, "admitted_at=2026-03-05T08:00:00Z", "bed=I-1")
	a02 := event("A02", 9, "bed=W-4")
	a03 := event("A03", 17, "discharged_at=2026-03-05T17:00:00Z", "bed=W-4")
	a08 := event("A08", 12, "bed=W-4", "status=active")
	const admitted = "admitted_at=2026-03-05T08:00:00Z"
	for name, c := range map[string]struct {
		events []map[string]string
		want   string // event, admitted_at, discharged_at, bed; empty: the visit is hidden
	}{
		"admit":                                {[]map[string]string{a01}, "A01 08 - I-1"},
		"transfer":                             {[]map[string]string{a01, a02}, "A02 08 - W-4"},
		"transfer cancelled":                   {[]map[string]string{a01, a02, event("A12", 10, "bed=I-1")}, "A12 08 - I-1"},
		"transfer cancelled, no bed":           {[]map[string]string{a01, a02, event("A12", 10)}, "A12 08 - -"},
		"admit cancelled":                      {[]map[string]string{a01, event("A11", 9)}, ""},
		"admit cancelled, admitted again":      {[]map[string]string{a01, event("A11", 9), event("A01", 10, "admitted_at=2026-03-05T10:00:00Z", "bed=I-2")}, "A01 10 - I-2"},
		"admit cancelled, then a change":       {[]map[string]string{a01, event("A11", 9), event("A08", 10, "bed=I-1")}, "A08 08 - I-1"},
		"discharge":                            {[]map[string]string{a01, a02, a08, a03}, "A03 08 17 W-4"},
		"discharge cancelled":                  {[]map[string]string{a01, a03, event("A13", 18, "bed=W-4")}, "A13 08 - W-4"},
		"discharge cancelled, then a change":   {[]map[string]string{a01, a03, event("A13", 18), event("A08", 19, "discharged_at=2026-03-05T19:00:00Z", "bed=W-4")}, "A08 08 - W-4"},
		"discharge cancelled, discharged anew": {[]map[string]string{a01, a03, event("A13", 18), event("A03", 20, "discharged_at=2026-03-05T20:00:00Z")}, "A03 08 20 -"},
		"a change leaves the discharge":        {[]map[string]string{a01, a03, event("A08", 18, "bed=W-4")}, "A08 08 17 W-4"},
		"the whole visit is deleted":           {[]map[string]string{a01, a02, event("A23", 10)}, ""},
		"an export tells all":                  {[]map[string]string{a01, a03, event("EXPORT", 20, admitted, "discharged_at=2026-03-05T16:30:00Z")}, "EXPORT 08 16 -"},
	} {
		for _, order := range orders(len(c.events)) {
			var log []map[string]string
			for arrived, i := range order {
				log = append(log, system(c.events[i], arrived))
			}
			if got := visit(t, f, m, log); got != c.want {
				t.Errorf("%s, arrived as %v: got %q, want %q", name, order, got, c.want)
			}
		}
	}
}

// system adds the columns of a row that comes in an upload of its own.
func system(row map[string]string, arrived int) map[string]string {
	out := map[string]string{
		lake.ColCustomer: "acme", lake.ColLoad: fmt.Sprintf("L%d", arrived), lake.ColEntry: "0", lake.ColRow: "1",
		lake.ColArrivedAt: fmt.Sprintf("2026-03-06T00:00:%02dZ", arrived),
	}
	for k, v := range row {
		out[k] = v
	}
	return out
}

// visit folds a log of one visit; hours stand for times.
func visit(t *testing.T, f *fold.Fold, m *metadata.Table, log []map[string]string) string {
	t.Helper()
	c := &merged{t: t, m: m, f: f, current: map[string]*column.Batch{}, hidden: map[string]bool{}}
	for _, r := range log {
		c.take(batch(t, m, r))
	}
	whole := batch(t, m, log...)
	shown, _ := foldtest.Once(f, m, whole)
	if d := cmp.Diff(shown, c.shown()); d != "" {
		t.Fatal(d)
	}
	if len(shown) == 0 {
		return ""
	}
	var out []string
	cells := strings.Split(shown[0], "|")
	for _, name := range []string{"event", "admitted_at", "discharged_at", "bed"} {
		v := cells[slices.IndexFunc(whole.Columns, func(c column.Column) bool { return c.Name == name })]
		switch {
		case v == "NULL":
			v = "-"
		case strings.HasSuffix(name, "_at"):
			v = v[11:13]
		}
		out = append(out, v)
	}
	return strings.Join(out, " ")
}

// orders are all orders of n things.
func orders(n int) [][]int {
	if n == 0 {
		return [][]int{nil}
	}
	var out [][]int
	for _, o := range orders(n - 1) {
		for i := range n {
			out = append(out, slices.Insert(slices.Clone(o), i, n-1))
		}
	}
	return out
}

// TestMerges: a patient's identity is merged into another's.
func TestMerges(t *testing.T) {
	t.Parallel()
	text := lake.Type{Kind: lake.String}
	m := &metadata.Table{
		Name: "patients", Namespace: "lake", Key: []string{lake.ColCustomer, "patient_id"},
		Columns: []metadata.Column{
			{Name: "patient_id", Type: text, Required: true},
			{Name: "prior_patient_id", Type: text},
			{Name: "event", Type: text},
			{Name: "n", Type: lake.Type{Kind: lake.Long}},
			{Name: "phone", Type: text},
		},
		Change: &metadata.Change{
			Order: []string{"n"}, Keep: []string{"phone"},
			MergeOn: &metadata.MergeOn{When: metadata.Text{Value: `event in ["A34", "A40"]`}, From: "prior_patient_id"},
		},
	}
	f := compile(t, m)
	row := func(id, event string, n int, prior, phone string) map[string]string {
		out := map[string]string{"patient_id": id, "event": event, "n": fmt.Sprint(n)}
		if prior != "" {
			out["prior_patient_id"] = prior
		}
		if phone != "" {
			out["phone"] = phone
		}
		return out
	}
	for name, c := range map[string]struct {
		rows []map[string]string
		want string // ids, events and phones
	}{
		"merged":                      {[]map[string]string{row("P1", "A28", 1, "", "1"), row("P2", "A28", 2, "", "2"), row("P1", "A40", 3, "P2", "")}, "P1 A40 1"},
		"the other is not known yet":  {[]map[string]string{row("P1", "A40", 3, "P2", "")}, "P1 A40 NULL"},
		"used again afterwards":       {[]map[string]string{row("P2", "A28", 2, "", "2"), row("P1", "A40", 3, "P2", "1"), row("P2", "A31", 4, "", "")}, "P1 A40 1, P2 A31 2"},
		"a chain":                     {[]map[string]string{row("P3", "A28", 1, "", ""), row("P2", "A40", 2, "P3", ""), row("P1", "A34", 3, "P2", "")}, "P1 A34 NULL"},
		"another event says nothing":  {[]map[string]string{row("P2", "A28", 1, "", ""), row("P1", "A08", 2, "P2", "")}, "P1 A08 NULL, P2 A28 NULL"},
		"into itself, or of no other": {[]map[string]string{row("P1", "A40", 1, "P1", ""), row("P2", "A40", 2, "", "")}, "P1 A40 NULL, P2 A40 NULL"},
		"the merge is older":          {[]map[string]string{row("P1", "A40", 1, "P2", ""), row("P2", "A28", 2, "", "")}, "P1 A40 NULL, P2 A28 NULL"},
		"another customer's same id":  {[]map[string]string{{lake.ColCustomer: "beta", "patient_id": "P2", "event": "A28", "n": "1"}, row("P1", "A40", 2, "P2", "")}, "P1 A40 NULL, P2 A28 NULL"},
		"merged twice, used between":  {[]map[string]string{row("P2", "A28", 1, "", "2"), row("P1", "A40", 2, "P2", ""), row("P2", "A31", 3, "", ""), row("P4", "A40", 4, "P2", "")}, "P1 A40 NULL, P4 A40 NULL"},
		"an older row of the hidden":  {[]map[string]string{row("P1", "A40", 5, "P2", ""), row("P2", "A31", 1, "", ""), row("P2", "A31", 2, "", "")}, "P1 A40 NULL"},
		"each into the other":         {[]map[string]string{row("P2", "A40", 1, "P1", ""), row("P1", "A40", 2, "P2", "")}, "P1 A40 NULL"},
	} {
		for _, order := range orders(len(c.rows)) {
			mt := &merged{t: t, m: m, f: f, current: map[string]*column.Batch{}, hidden: map[string]bool{}}
			for arrived, i := range order {
				mt.take(batch(t, m, system(c.rows[i], arrived)))
			}
			var got []string
			for _, line := range mt.shown() {
				cells := strings.Split(line, "|")
				got = append(got, cells[5]+" "+cells[7]+" "+cells[9])
			}
			slices.Sort(got)
			if s := strings.Join(got, ", "); s != c.want {
				t.Errorf("%s, arrived as %v: got %s, want %s", name, order, s, c.want)
			}
		}
	}
}
