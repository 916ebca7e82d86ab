package query

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"medlake/shared/lake"
	"medlake/shared/metadata"
)

// stored is a source of tables as they are.
type stored []Table

func (s stored) Tables(context.Context) (names []string, err error) {
	for _, t := range s {
		names = append(names, t.Schema.Table)
	}
	return names, nil
}

func (s stored) Table(_ context.Context, name, _ string) (Table, error) {
	for _, t := range s {
		if t.Schema.Table == name {
			return t, nil
		}
	}
	return Table{}, fmt.Errorf("table %s: %w", name, lake.ErrNotFound)
}

// watch is an engine that notes the catalog it is given.
type watch struct {
	names   Names
	catalog Catalog
	s       Statement
	closed  int
}

func (w *watch) Prepare(_ context.Context, s Statement) (Prepared, error) { w.s = s; return w, nil }
func (w *watch) Reads() Names                                             { return w.names }
func (w *watch) Close() error                                             { w.closed++; return nil }

func (w *watch) Run(_ context.Context, c Catalog) (*Result, error) {
	w.catalog = c
	return resultOf([]Column{{Name: "a"}}), nil
}

func table(name string, partition []string, customers ...string) Table {
	t := Table{Schema: lake.Schema{Table: name, Partition: partition, Columns: lake.SystemColumns()}, Snapshot: 7, Batch: 3}
	for _, c := range customers {
		t.Files = append(t.Files, File{URL: "file:///d/" + c + ".parquet", Customer: c})
	}
	return t
}

func changing() *metadata.Table {
	return &metadata.Table{
		Namespace: "lake", Name: "visits", Key: []string{"customer", "visit_id"}, Partition: []string{"customer"},
		Columns: []metadata.Column{{Name: "visit_id", Type: lake.Type{Kind: lake.String}}, {Name: "event", Type: lake.Type{Kind: lake.String}}},
		Change:  &metadata.Change{Delete: metadata.Text{Value: `event == "A11"`}},
	}
}

func TestCatalogHoldsWhatIsNamed(t *testing.T) {
	t.Parallel()
	set := &metadata.Set{Tables: []*metadata.Table{changing(), {Namespace: "lake", Name: "beds", Partition: []string{"customer"}}}}
	src := stored{table("lake.events", []string{"customer"}), table("lake.old", []string{"customer"}), {Schema: lake.Schema{Table: "ops.settings"}}}
	for _, c := range []struct {
		names    Names
		customer string
		want     string
	}{
		{Names{Tables: []string{"lake.events", "lake.nothing", "lake.beds"}}, "", "lake.beds lake.events"},
		{Names{Tables: []string{"lake.visits"}}, "", "lake.visits_log +lake.visits"},
		{Names{Tables: []string{"lake.visits_log"}}, "", "lake.visits_log"},
		{Names{Tables: []string{"ops.settings", "ops.loads"}}, "", "ops.loads ops.settings"},
		{Names{Tables: []string{"ops.settings", "ops.loads"}}, "acme", "ops.loads"},
		{Names{All: true}, "acme", "lake.beds lake.events lake.old lake.visits_log ops.loads ops.rejects +lake.visits +lake.visits_history"},
		{Names{Tables: []string{"lake.visits_history"}}, "acme", "lake.visits_log +lake.visits_history"},
	} {
		w := &watch{names: c.names}
		r := &Reader{Source: src, Set: set, Engine: w, Sandbox: w}
		set.Customers = []*metadata.Customer{{ID: "acme"}}
		res, err := r.Query(t.Context(), Request{SQL: "x", Customer: c.customer, At: time.Unix(0, 0)})
		if err != nil {
			t.Errorf("%+v: %v", c.names, err)
			continue
		}
		if d := cmp.Diff(c.want, w.catalog.list()); d != "" {
			t.Errorf("%+v of %q: %s", c.names, c.customer, d)
		}
		if w.catalog.Customer != c.customer || !w.catalog.At.Equal(time.Unix(0, 0)) || (w.s.Limits != Limits{}) != (c.customer != "") {
			t.Errorf("%+v: got customer %q at %v with %+v", c.names, w.catalog.Customer, w.catalog.At, w.s.Limits)
		}
		if err := res.Close(); err != nil || w.closed != 1 {
			t.Errorf("%+v: closed %d times, %v", c.names, w.closed, err)
		}
	}
}

// TestMergedTableIsReadAsItStands: once it holds something, and unless a moment is asked for.
func TestMergedTableIsReadAsItStands(t *testing.T) {
	t.Parallel()
	merged, fresh := table("lake.visits", nil), table("lake.visits", nil)
	fresh.Batch = 0
	for name, c := range map[string]struct {
		current Table
		at      time.Time
		want    string
	}{
		"merged":         {merged, time.Time{}, "lake.visits"},
		"at a moment":    {merged, time.Unix(0, 0), "lake.visits_log +lake.visits"},
		"not yet merged": {fresh, time.Time{}, "lake.visits_log +lake.visits"},
	} {
		w := &watch{names: Names{Tables: []string{"lake.visits"}}}
		r := &Reader{Source: stored{c.current, table("lake.visits_log", nil)}, Set: &metadata.Set{Tables: []*metadata.Table{changing()}}, Engine: w}
		if _, err := r.Query(t.Context(), Request{SQL: "x", At: c.at}); err != nil {
			t.Fatal(err)
		}
		if got := w.catalog.list(); got != c.want {
			t.Errorf("%s: got %s, want %s", name, got, c.want)
		}
	}
}

// list names the catalog's tables, then its views.
func (c *Catalog) list() string {
	var out []string
	for _, t := range c.Tables {
		out = append(out, t.Schema.Table)
	}
	for _, v := range c.Views {
		out = append(out, "+"+v.Name)
	}
	return strings.Join(out, " ")
}

func TestCustomersFilesAreChecked(t *testing.T) {
	t.Parallel()
	w := &watch{names: Names{Tables: []string{"lake.events"}}}
	r := &Reader{Source: stored{table("lake.events", []string{"customer"}, "acme", "beta")}, Engine: w, Sandbox: w}
	if _, err := r.Query(t.Context(), Request{SQL: "x", Customer: "acme"}); !errors.Is(err, lake.ErrDenied) {
		t.Errorf("a plan with another customer's file: got %v", err)
	}
	if w.closed != 1 {
		t.Error("the statement was not closed")
	}
	r.Sandbox = nil
	if _, err := r.Query(t.Context(), Request{SQL: "x", Customer: "acme"}); err == nil {
		t.Error("a customer's statement ran without a sandbox")
	}
	for _, c := range []string{"Acme", "a'b", "../x", "-"} {
		if _, err := r.Query(t.Context(), Request{SQL: "x", Customer: c}); !errors.Is(err, lake.ErrNotFound) {
			t.Errorf("customer %q: got %v", c, err)
		}
	}
}

func TestCheckPlacesFaults(t *testing.T) {
	t.Parallel()
	m := changing()
	if f := Check(m); len(f) != 0 {
		t.Errorf("got %v", f)
	}
	if f := Check(&metadata.Table{}); len(f) != 0 {
		t.Errorf("got %v", f)
	}
	m.Change.Delete = metadata.Text{Value: "upper(event) == 'A11'", Pos: metadata.Pos{File: "visits.yaml", Line: 9}}
	m.Change.Only = []metadata.Named{{Name: "event", Text: metadata.Text{Value: "event ==", Pos: metadata.Pos{File: "visits.yaml", Line: 11}}}}
	m.Change.MergeOn = &metadata.MergeOn{When: metadata.Text{Value: "event", Pos: metadata.Pos{File: "visits.yaml", Line: 13}}, From: "event"}
	var got []string
	for _, f := range Check(m) {
		got = append(got, f.Error())
	}
	want := []string{
		`visits.yaml:9: table lake.visits: change: delete: "upper" is not a column of the table`,
		`visits.yaml:11: table lake.visits: change: only: event: the end is not supported here`,
		`visits.yaml:13: table lake.visits: change: merge_on: must be true or false`,
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestQuoting(t *testing.T) {
	t.Parallel()
	for got, want := range map[string]string{
		Ident(`a"b`): `"a""b"`, Idents(`lake.a"b`): `"lake"."a""b"`, Idents("x"): `"x"`, Literal("it's"): `'it''s'`,
		Moment(time.Date(2026, 3, 5, 7, 0, 0, 1500, time.FixedZone("", -5*3600))): "TIMESTAMP WITH TIME ZONE '2026-03-05 12:00:00.000001+00:00'",
	} {
		if got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}
