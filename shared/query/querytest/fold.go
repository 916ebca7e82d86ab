package querytest

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"medlake/shared/lake"
	"medlake/shared/metadata"
	"medlake/shared/query"
	"medlake/shared/transform"
	"medlake/shared/transform/fold/foldtest"
)

// folds checks the views of changing tables, now and over time, against the fold that merge stores: two makers of the same
// rows, for definitions and rows at random.
func (h Harness) folds(t *testing.T) {
	t.Parallel()
	for seed := range uint64(16) {
		m, log := foldtest.Random(1000+seed, 80)
		lib, faults := transform.Compile(&metadata.Set{Tables: []*metadata.Table{m}})
		if len(faults) > 0 {
			t.Fatal(faults)
		}
		b, err := foldtest.Batch(m, log...)
		if err != nil {
			t.Fatal(err)
		}
		shown, versions := foldtest.Once(lib.Fold(m), m, b)
		l := NewLake(t)
		l.Create(m.Schema())
		for _, customer := range []string{acme, beta} {
			l.Add(m.Target(), customer, slices.DeleteFunc(slices.Clone(log), func(r map[string]string) bool { return r[lake.ColCustomer] != customer })...)
		}
		r := h.reader(l, m)
		for sql, want := range map[string][]string{"select * from t": shown, "select * from t_history": versions} {
			if len(m.Change.Replace) > 0 && sql != "select * from t" {
				continue
			}
			rows, err := result(t, r, query.Request{SQL: sql})
			if err != nil {
				t.Fatalf("seed %d: %s: %v", seed, sql, err)
			}
			var got []string
			for _, row := range rows {
				got = append(got, strings.Join(row, "|"))
			}
			slices.Sort(got)
			if d := cmp.Diff(want, got); d != "" {
				t.Errorf("seed %d, %+v: %s (-fold +view):\n%s", seed, m.Change, sql, d)
			}
		}
	}
}
