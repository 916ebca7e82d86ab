package warehouse

import (
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"medlake/shared/lake"
	"medlake/shared/store"
)

func col(t *testing.T, s lake.Schema, name string) *lake.Column {
	t.Helper()
	i := slices.IndexFunc(s.Columns, func(c lake.Column) bool { return c.Name == name })
	if i < 0 {
		t.Fatalf("no column %s", name)
	}
	return &s.Columns[i]
}

func TestEnsureCreatesAndPublishes(t *testing.T) {
	t.Parallel()
	w, b := lakeAt(t, t.TempDir())
	if _, err := PublishedSchema(t.Context(), b, "lake.visits"); !errors.Is(err, lake.ErrNotFound) {
		t.Errorf("before: got %v, want not found", err)
	}
	if _, err := w.Batch(t.Context(), "lake.visits"); !errors.Is(err, lake.ErrNotFound) {
		t.Errorf("before: got %v, want not found", err)
	}
	want := visits(t)
	s := ensure(t, w, want, 7)
	if s.N != 1 || s.Location != b.URL("tables/lake/visits") {
		t.Errorf("got schema %d at %s", s.N, s.Location)
	}
	tbl, err := w.load(t.Context(), s.Table)
	if err != nil {
		t.Fatal(err)
	}
	for i, c := range s.Columns {
		f, ok := tbl.Schema().FindFieldByName(c.Name)
		if !ok || f.ID != c.ID || c.ID == 0 || f.Required != c.Required || c.Name != want.Columns[i].Name {
			t.Errorf("column %s: published as %+v, in the table as %+v", c.Name, c, f)
		}
	}
	for key, want := range map[string]string{
		"write.delete.mode": "merge-on-read", "commit.retry.num-retries": "0", "commit.manifest-merge.enabled": "true",
		"write.metadata.delete-after-commit.enabled": "true", "write.parquet.compression-codec": "zstd",
		"medlake.batch": "7", "write.metadata.metrics.column.mrn": "counts", "write.metadata.metrics.column.charge": "",
	} {
		if got := tbl.Properties()[key]; got != want {
			t.Errorf("property %s is %q, want %q", key, got, want)
		}
	}
	if tbl.Metadata().Version() != 2 || tbl.SortOrder().Len() != 1 {
		t.Errorf("format version %d, %d sort fields", tbl.Metadata().Version(), tbl.SortOrder().Len())
	}
	spec := tbl.Spec()
	if got := spec.String(); !strings.Contains(got, "identity(1)") || !strings.Contains(got, "month(5)") {
		t.Errorf("partition spec %s", got)
	}
	read, err := PublishedSchema(t.Context(), b, s.Table)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(s, read); diff != "" {
		t.Errorf("(-returned +published):\n%s", diff)
	}
	if again := ensure(t, w, want, 9); again.N != 1 || head(t, w, s.Table).Batch != 7 {
		t.Errorf("ensured again: schema %d, batch %d; want 1, 7", again.N, head(t, w, s.Table).Batch)
	}
	if names, err := w.Tables(t.Context()); err != nil || !slices.Equal(names, []string{"lake.visits"}) {
		t.Errorf("got tables %v, %v", names, err)
	}
}

// A crash between the catalog and the bucket leaves a table without a published schema.
func TestEnsureFinishesWhatACrashLeft(t *testing.T) {
	t.Parallel()
	w, b := lakeAt(t, t.TempDir())
	want := ensure(t, w, visits(t), 3)
	if err := b.Delete(t.Context(), store.SchemaKey(want.Table, want.N)); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, ensure(t, w, visits(t), 8)); diff != "" {
		t.Errorf("(-before +after):\n%s", diff)
	}
}

func TestEnsureAddsColumns(t *testing.T) {
	t.Parallel()
	w, b := lakeAt(t, t.TempDir())
	first := ensure(t, w, visits(t), 0)
	if err := w.Append(t.Context(), head(t, w, first.Table), []lake.DataFile{newFile(t, b, first, "acme", "one", 2)}, 1); err != nil {
		t.Fatal(err)
	}
	want := visits(t)
	want.Columns = append(want.Columns, lake.Column{Name: "bed", Type: typ(t, "string"), Required: true, Bounds: true, Doc: "Bed."})
	col(t, want, "mrn").Doc = "Record number."
	second := ensure(t, w, want, 5)
	if second.N != 2 || col(t, second, "bed").ID != len(first.Columns)+1 || col(t, second, "bed").Required {
		t.Errorf("got schema %d with bed %+v", second.N, *col(t, second, "bed"))
	}
	p := plan(t.Context(), t, w, first.Table, "")
	if bed := col(t, p.Schema, "bed"); bed.Required || bed.Doc != "Bed." || p.Rows() != 2 || p.Batch != 1 {
		t.Errorf("the table has bed %+v, %d rows, batch %d", *bed, p.Rows(), p.Batch)
	}
	if got := col(t, p.Schema, "mrn").Doc; got != "Record number." {
		t.Errorf("doc of mrn is %q", got)
	}

	// A column that is no longer wanted stays in the table, but no file needs it.
	want.Columns = slices.DeleteFunc(want.Columns, func(c lake.Column) bool { return c.Name == "visit_id" })
	want.Sort = nil
	third := ensure(t, w, want, 5)
	if third.N != 3 || col(t, third, "visit_id").Required || col(t, third, "visit_id").ID != col(t, second, "visit_id").ID {
		t.Errorf("got schema %d with visit_id %+v: a process with the metadata before must find it, and none must need it", third.N, *col(t, third, "visit_id"))
	}
	if c := col(t, plan(t.Context(), t, w, first.Table, "").Schema, "visit_id"); c.Required {
		t.Error("visit_id is still required in the table")
	}

	// A column that is wanted as optional becomes optional, in the table and for those who write.
	want = visits(t)
	want.Table = "lake.relaxed"
	ensure(t, w, want, 0)
	col(t, want, "visit_id").Required = false
	if s := ensure(t, w, want, 0); s.N != 2 || col(t, s, "visit_id").Required || col(t, plan(t.Context(), t, w, want.Table, "").Schema, "visit_id").Required {
		t.Errorf("visit_id is still required: schema %d", s.N)
	}
	col(t, want, "visit_id").Required = true // rows without one may be there
	if s := ensure(t, w, want, 0); s.N != 2 || col(t, s, "visit_id").Required {
		t.Errorf("visit_id is required again: schema %d", s.N)
	}
}

func TestEnsureProtectsColumns(t *testing.T) {
	t.Parallel()
	w, _ := lakeAt(t, t.TempDir())
	want := visits(t)
	ensure(t, w, want, 0)

	// It is published anew, so that writers stop giving its bounds.
	col(t, want, "charge").Bounds = false
	if s := ensure(t, w, want, 5); s.N != 2 || col(t, s, "charge").Bounds {
		t.Errorf("got schema %d with charge %+v", s.N, *col(t, s, "charge"))
	}
	if col(t, plan(t.Context(), t, w, want.Table, "").Schema, "charge").Bounds {
		t.Error("the table still gives bounds of charge")
	}
}

func TestEnsureRefuses(t *testing.T) {
	t.Parallel()
	w, _ := lakeAt(t, t.TempDir())
	ensure(t, w, visits(t), 0)
	for sentence, change := range map[string]func(*lake.Schema){
		"column mrn is string and cannot become long: give the new column another name":                   func(s *lake.Schema) { col(t, *s, "mrn").Type = typ(t, "long") },
		"column charge is decimal(9,2) and cannot become decimal(18,2): give the new column another name": func(s *lake.Schema) { col(t, *s, "charge").Type = typ(t, "decimal(18,2)") },
		"is partitioned by customer, month(_arrived_at) and cannot become partitioned by customer":        func(s *lake.Schema) { s.Partition = s.Partition[:1] },
		"namespace is not one of lake, ops, mart":                                                         func(s *lake.Schema) { s.Table = "other.visits" },
		"is not namespace.table": func(s *lake.Schema) { s.Table = "visits" },
		`partition "day(event_at)" is not customer or month(_arrived_at)`: func(s *lake.Schema) {
			s.Table, s.Partition = "lake.other", []string{"day(event_at)"}
		},
		"sort: no column nowhere": func(s *lake.Schema) { s.Table, s.Sort = "lake.other", []string{"nowhere"} },
	} {
		s := visits(t)
		change(&s)
		_, err := w.Ensure(t.Context(), s, 0)
		if !errors.Is(err, lake.ErrInvalid) || !strings.Contains(err.Error(), sentence) {
			t.Errorf("got %v, want %q", err, sentence)
		}
	}
}

func TestEnsuresRace(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	one, b := lakeAt(t, dir)
	two, _ := lakeAt(t, dir)
	for _, wider := range []bool{false, true} {
		var wg sync.WaitGroup
		for i := range 6 {
			wg.Go(func() {
				want := visits(t)
				if wider {
					want.Columns = append(want.Columns, lake.Column{Name: "bed", Type: typ(t, "string")})
				}
				if s, err := []*Warehouse{one, two}[i%2].Ensure(t.Context(), want, int64(i)); err != nil {
					t.Error(err)
				} else if wider && col(t, s, "bed").ID == 0 {
					t.Error("a racer published a column without an id")
				}
			})
		}
		wg.Wait()
	}
	s, err := PublishedSchema(t.Context(), b, "lake.visits")
	if err != nil {
		t.Fatal(err)
	}
	if s.N != 2 {
		t.Errorf("got schema %d, want 2", s.N)
	}
	tbl, err := one.load(t.Context(), s.Table)
	if err != nil {
		t.Fatal(err)
	}
	if got := len(tbl.Schema().Fields()); got != len(s.Columns) {
		t.Errorf("the table has %d columns, want %d", got, len(s.Columns))
	}
}

// Two versions of the metadata may be at work at once: whoever ensures last must not hide the other's columns from ingest.
func TestOlderMetadataHidesNothing(t *testing.T) {
	t.Parallel()
	w, b := lakeAt(t, t.TempDir())
	old, next := visits(t), visits(t)
	next.Columns = append(next.Columns, lake.Column{Name: "bed", Type: typ(t, "string"), Required: true})
	bed := *col(t, ensure(t, w, next, 0), "bed")
	ensure(t, w, old, 0) // a process with the older metadata starts
	ensure(t, w, next, 0)
	ensure(t, w, old, 0)
	got, err := PublishedSchema(t.Context(), b, old.Table)
	if err != nil {
		t.Fatal(err)
	}
	if i := slices.IndexFunc(got.Columns, func(c lake.Column) bool { return c.Name == "bed" }); i < 0 || got.Columns[i].ID != bed.ID || got.Columns[i].Required {
		t.Errorf("bed is hidden or required: %+v", got.Columns)
	}
}
