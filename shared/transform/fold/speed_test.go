package fold_test

import (
	"bytes"
	"fmt"
	"math"
	"slices"
	"testing"

	"medlake/shared/lake"
	"medlake/shared/metadata"
	"medlake/shared/transform/column"
	"medlake/shared/transform/fold"
	"medlake/shared/transform/fold/foldtest"
)

// steps makes n visits, each with a row to go on from and one new event.
func steps(t testing.TB, n int) (m *metadata.Table, f *fold.Fold, news, states []fold.Ref) {
	m = published(t, "visits")
	f = compile(t, m)
	var rows []map[string]string
	for i := range n {
		r := system(event([]string{"A01", "A02", "A03", "A08", "A11", "A13"}[i%6], i%12, "bed=W-4", "class=inpatient"), 1)
		r["visit_id"] = fmt.Sprintf("V%07d", i)
		rows = append(rows, r)
	}
	news = foldtest.Refs(f, batch(t, m, rows...))
	for _, r := range rows {
		r["event"], r["event_at"], r["admitted_at"] = "A01", "2026-03-04T00:00:00Z", "2026-03-04T00:00:00Z"
	}
	return m, f, news, foldtest.Refs(f, batch(t, m, rows...))
}

// step goes on from every state by one event.
func step(f *fold.Fold, s *fold.State, news, states []fold.Ref, out *column.Batch, key []byte) {
	out.Reset()
	for i, r := range news {
		key = f.Key(r, key[:0])
		if f.Compare(states[i], r) > 0 {
			s.Reset()
		} else {
			s.Resume(states[i])
		}
		s.Step(r)
		s.Append(out)
	}
}

// TestStepsAllocateNothing: a step in used memory takes no more of it.
func TestStepsAllocateNothing(t *testing.T) {
	m, f, news, states := steps(t, 600)
	s, out, key := f.State(), column.New(m.Schema().Columns), make([]byte, 0, 100)
	if n := testing.AllocsPerRun(20, func() { step(f, s, news, states, out, key) }); n > 5 { // a frame of the pool may have gone
		t.Errorf("600 steps make %v allocations", n)
	}
}

// BenchmarkSteps: 10,000 of them on one core.
func BenchmarkSteps(b *testing.B) {
	m, f, news, states := steps(b, 10_000)
	s, out, key := f.State(), column.New(m.Schema().Columns), make([]byte, 0, 100)
	for b.Loop() {
		step(f, s, news, states, out, key)
	}
}

// TestKeys: bytes of keys are equal only for equal keys, and sort as the columns do.
func TestKeys(t *testing.T) {
	t.Parallel()
	m := &metadata.Table{
		Name: "t", Namespace: "lake", Key: []string{"a", "n", "x", "ok", "b"}, Change: &metadata.Change{Order: []string{lake.ColArrivedAt}},
		Columns: []metadata.Column{
			{Name: "a", Type: lake.Type{Kind: lake.String}},
			{Name: "n", Type: lake.Type{Kind: lake.Long}},
			{Name: "x", Type: lake.Type{Kind: lake.Double}},
			{Name: "ok", Type: lake.Type{Kind: lake.Boolean}},
			{Name: "b", Type: lake.Type{Kind: lake.String}},
		},
	}
	f := compile(t, m)
	var rows []map[string]string
	for _, r := range [][]string{ // rising
		{"", "0", "0", "no", "x"},
		{"\x00", "0", "0", "no", "x"},
		{"\x00\x00", "0", "0", "no", "x"},
		{"\x00\x01", "0", "0", "no", "x"},
		{"\x00\xff", "0", "0", "no", "x"},
		{"\x01", "0", "0", "no", "x"},
		{"a", fmt.Sprint(math.MinInt64), "0", "no", "x"},
		{"a", "-1", "0", "no", "x"},
		{"a", "0", "-1e300", "no", "x"},
		{"a", "0", "-0.5", "no", "x"},
		{"a", "0", "0", "no", "x"},
		{"a", "0", "0", "yes", "x"},
		{"a", "0", "0.5", "no", "x"},
		{"a", "1", "0", "no", "x"},
		{"a", fmt.Sprint(math.MaxInt64), "0", "no", "x"},
		{"a\x00b", "0", "0", "no", "x"},
		{"ab", "0", "0", "no", ""},
		{"ab", "0", "0", "no", "c"},
		{"abc", "0", "0", "no", ""},
	} {
		rows = append(rows, system(map[string]string{"a": r[0], "n": r[1], "x": r[2], "ok": r[3], "b": r[4]}, 0))
	}
	var keys [][]byte
	for _, r := range foldtest.Refs(f, batch(t, m, rows...)) {
		keys = append(keys, f.Key(r, nil))
	}
	for i := 1; i < len(keys); i++ {
		if bytes.Compare(keys[i-1], keys[i]) >= 0 {
			t.Errorf("key %d is not below key %d", i-1, i)
		}
	}
	zeros := foldtest.Refs(f, batch(t, m, system(map[string]string{"x": "0"}, 0), system(map[string]string{"x": "-0.0"}, 0), system(nil, 0)))
	if a, b, c := f.Key(zeros[0], nil), f.Key(zeros[1], nil), f.Key(zeros[2], nil); !bytes.Equal(a, b) || bytes.Equal(a, c) {
		t.Error("zero is one key, and null is another")
	}
}

// TestVersion: it changes with all that a fold depends on, and with nothing else.
func TestVersion(t *testing.T) {
	t.Parallel()
	seen := map[string]int{}
	same := func(change func(m *metadata.Table)) string {
		m, _ := foldtest.Random(5, 0)
		m.Change = &metadata.Change{Order: []string{"at"}, Keep: []string{"note"}, Delete: metadata.Text{Value: "ok"}}
		change(m)
		return compile(t, m).Version()
	}
	plain := same(func(*metadata.Table) {})
	for i, change := range []func(m *metadata.Table){
		func(*metadata.Table) {},
		func(m *metadata.Table) { m.Change.Order = []string{"at", "n"} },
		func(m *metadata.Table) { m.Change.Keep = nil },
		func(m *metadata.Table) { m.Change.Keep = []string{"day"} },
		func(m *metadata.Table) { m.Change.Delete.Value = "not ok" },
		func(m *metadata.Table) {
			m.Change.Only = []metadata.Named{{Name: "note", Text: metadata.Text{Value: "ok"}}}
		},
		func(m *metadata.Table) {
			m.Change.MergeOn = &metadata.MergeOn{When: metadata.Text{Value: "ok"}, From: "prior"}
		},
		func(m *metadata.Table) { m.Change = &metadata.Change{Replace: []string{"day"}} },
		func(m *metadata.Table) { m.Key = slices.Clone(m.Key[:1]) },
		func(m *metadata.Table) { m.Columns = m.Columns[:len(m.Columns)-1] },
		func(m *metadata.Table) { m.Columns[4].Type.Kind = lake.Double },
	} {
		v := same(change)
		if j, ok := seen[v]; ok || (v == plain) != (i == 0) {
			t.Errorf("change %d: the version is as that of %d", i, j)
		}
		seen[v] = i
	}
	if again := same(func(m *metadata.Table) { m.Doc, m.Change.Delete.Pos.Line = "other", 7 }); again != plain {
		t.Error("the version changes with what does not matter")
	}
}
