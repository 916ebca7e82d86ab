package fold_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"medlake/shared/lake"
	"medlake/shared/metadata"
	"medlake/shared/transform"
	"medlake/shared/transform/column"
	"medlake/shared/transform/fold"
	"medlake/shared/transform/fold/foldtest"
)

func compile(t testing.TB, m *metadata.Table) *fold.Fold {
	t.Helper()
	lib, faults := transform.Compile(&metadata.Set{Tables: []*metadata.Table{m}})
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	return lib.Fold(m)
}

func batch(t testing.TB, m *metadata.Table, rows ...map[string]string) *column.Batch {
	t.Helper()
	b, err := foldtest.Batch(m, rows...)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// merged is a table that is kept up to its log batch by batch: by going on from the row that is there, or, for rows that
// come late and for keys that are hidden, by folding the key anew.
type merged struct {
	t       *testing.T
	m       *metadata.Table
	f       *fold.Fold
	log     []fold.Ref
	current map[string]*column.Batch // by key
	hidden  map[string]bool
	resumed int
}

func (c *merged) take(b *column.Batch) {
	refs := foldtest.Refs(c.f, b)
	c.log = append(c.log, refs...)
	s := c.f.State()
	for key, news := range foldtest.ByKey(c.f, refs) {
		old := c.current[key]
		s.Reset()
		switch {
		case old == nil:
		case !c.hidden[key] && c.f.Compare(last(c.f, old), news[0]) < 0:
			c.resumed++
			s.Resume(last(c.f, old))
		default:
			news = foldtest.ByKey(c.f, c.log)[key]
		}
		for _, r := range news {
			s.Step(r)
		}
		out := column.New(c.m.Schema().Columns)
		s.Append(out)
		c.current[key], c.hidden[key] = out, s.Deleted()
		if out.Rows != s.Rows() || string(c.f.Key(last(c.f, out), nil)) != key {
			c.t.Fatalf("%d rows were appended, not %d, or under another key", out.Rows, s.Rows())
		}
	}
}

// last is the latest row of a key's visible rows.
func last(f *fold.Fold, b *column.Batch) fold.Ref {
	rows := f.Rows(b)
	out := fold.Ref{Rows: rows}
	for i := range b.Rows {
		if r := (fold.Ref{Rows: rows, Row: i}); f.Compare(out, r) < 0 {
			out = r
		}
	}
	return out
}

func (c *merged) shown() []string {
	var out []string
	for key, b := range c.current {
		if !c.hidden[key] {
			out = append(out, foldtest.Texts(b)...)
		}
	}
	return slices.Sorted(slices.Values(out))
}

// TestBatchesDoNotMatter: whatever the definition, and however the rows are ordered and cut into batches, going on from
// what is there gives what folding everything at once gives.
func TestBatchesDoNotMatter(t *testing.T) {
	t.Parallel()
	resumed := 0
	for seed := range uint64(200) {
		m, log := foldtest.Random(seed, 60)
		f := compile(t, m)
		c := &merged{t: t, m: m, f: f, current: map[string]*column.Batch{}, hidden: map[string]bool{}}
		sets := len(m.Change.Replace) > 0
		if sets { // a load comes whole
			slices.SortStableFunc(log, func(a, b map[string]string) int { return strings.Compare(a[lake.ColLoad], b[lake.ColLoad]) })
		}
		for done := 0; done < len(log); {
			n := min(done+1+int(seed)%12, len(log))
			for sets && n < len(log) && log[n][lake.ColLoad] == log[n-1][lake.ColLoad] {
				n++
			}
			c.take(batch(t, m, log[done:n]...))
			done = n
			want, _ := foldtest.Once(f, m, batch(t, m, log[:done]...))
			if d := cmp.Diff(want, c.shown()); d != "" {
				t.Fatalf("seed %d, %+v: (-at once +in batches):\n%s", seed, m.Change, d)
			}
		}
		resumed += c.resumed
	}
	if resumed < 500 {
		t.Errorf("only %d times a key went on from its row", resumed)
	}
}
