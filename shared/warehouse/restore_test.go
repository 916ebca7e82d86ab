package warehouse

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"medlake/shared/datafile"
	"medlake/shared/lake"
	"medlake/shared/store"
	"medlake/shared/transform/column"
)

// rows reads what a table holds at h: "load visit", sorted, without what position deletes hide.
func rows(t *testing.T, w *Warehouse, b *store.Bucket, s lake.Schema, h Head) []string {
	t.Helper()
	live, err := w.Live(t.Context(), h, "")
	if err != nil {
		t.Fatal(err)
	}
	all := []string{}
	for _, f := range live {
		hidden := map[int64]bool{}
		for _, d := range f.Deletes {
			err := datafile.ReadDeletes(reader(t, b, d), d.Bytes, func(path []byte, row int64) {
				if string(path) == f.Path {
					hidden[row] = true
				}
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		r, err := datafile.OpenReader(reader(t, b, f.DataFile), f.Bytes, s)
		if err != nil {
			t.Fatal(err)
		}
		batch := column.New([]lake.Column{{Name: lake.ColLoad, Type: lake.Type{Kind: lake.String}}, {Name: "visit_id", Type: lake.Type{Kind: lake.String}}})
		for g := range r.Groups() {
			if err := r.Read(g, []string{lake.ColLoad, "visit_id"}, batch); err != nil {
				t.Fatal(err)
			}
		}
		for i := range batch.Rows {
			if !hidden[int64(i)] {
				all = append(all, fmt.Sprintf("%s %s", batch.Columns[0].Text(i), batch.Columns[1].Text(i)))
			}
		}
	}
	slices.Sort(all)
	return all
}

func reader(t *testing.T, b *store.Bucket, f lake.DataFile) *bytes.Reader {
	t.Helper()
	key, err := b.Key(f.Path)
	if err != nil {
		t.Fatal(err)
	}
	data, err := b.Get(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	return bytes.NewReader(data)
}

// hide writes a delete file for one row of a file.
func hide(t *testing.T, b *store.Bucket, s lake.Schema, f lake.DataFile, row int64, name string) lake.DataFile {
	t.Helper()
	var out bytes.Buffer
	d, err := datafile.WriteDeletes(&out, []datafile.Position{{Path: f.Path, Row: row}})
	if err != nil {
		t.Fatal(err)
	}
	key := store.TablePrefix(s.Table) + "data/" + name + ".parquet"
	if err := b.PutIfAbsent(t.Context(), key, out.Bytes()); err != nil {
		t.Fatal(err)
	}
	d.Path, d.Customer, d.Month = b.URL(key), f.Customer, f.Month
	return d
}

// scanned counts what Iceberg's own reader finds.
func scanned(t *testing.T, w *Warehouse, name string) (n int) {
	t.Helper()
	tbl, err := w.load(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	_, records, err := tbl.Scan().ToArrowRecords(w.files.with(t.Context()))
	if err != nil {
		t.Fatal(err)
	}
	for rec, err := range records {
		if err != nil {
			t.Fatal(err)
		}
		n += int(rec.NumRows())
		rec.Release()
	}
	return n
}

// A table goes through appends, deletes, removals and restores of any earlier state, with changes on top; after each step
// it holds what a list of strings says, for us and for Iceberg.
func TestRestoreBringsBackExactlyTheOldRows(t *testing.T) {
	t.Parallel()
	w, b := lakeAt(t, t.TempDir())
	s := ensure(t, w, visits(t), 0)
	random := rand.New(rand.NewPCG(1, 2))
	type past struct {
		snapshot int64
		rows     []string
	}
	history := []past{{rows: []string{}}}
	for step := range 60 {
		name := fmt.Sprint("L", step)
		h := head(t, w, s.Table)
		c := Change{Batch: h.Batch + 1}
		want := slices.Clone(history[len(history)-1].rows)
		live, err := w.Live(t.Context(), h, "")
		if err != nil {
			t.Fatal(err)
		}
		from, restored := int64(0), false
		kind := random.IntN(4)
		if kind == 0 { // back to some state, which the rest of the change is about
			old := history[random.IntN(len(history))]
			from, want, restored = old.snapshot, slices.Clone(old.rows), true
			if live, err = w.Live(t.Context(), h.At(from), ""); err != nil {
				t.Fatal(err)
			}
			if from != 0 {
				if err := w.Hold(t.Context(), s.Table, from); err != nil {
					t.Fatal(err)
				}
			}
		}
		if kind < 2 || len(live) == 0 {
			c.Add = append(c.Add, newFile(t, b, s, []string{"acme", "bolt"}[random.IntN(2)], name, 3))
			want = append(want, name+" V0", name+" V1", name+" V2")
		}
		if len(live) > 0 && random.IntN(2) == 0 {
			f := live[random.IntN(len(live))]
			load := load(f.DataFile)
			if random.IntN(2) == 0 {
				row := random.Int64N(3)
				c.Deletes = append(c.Deletes, hide(t, b, s, f.DataFile, row, "d"+name))
				want = slices.DeleteFunc(want, func(r string) bool { return r == fmt.Sprintf("%s V%d", load, row) })
			} else {
				c.Remove = append(c.Remove, f.Path)
				want = slices.DeleteFunc(want, func(r string) bool { return r[:len(load)+1] == load+" " })
			}
		}
		if restored {
			err = w.Restore(t.Context(), h, from, c)
		} else {
			err = w.Apply(t.Context(), h, c)
		}
		if err != nil {
			t.Fatalf("step %d: %v", step, err)
		}
		slices.Sort(want)
		now := head(t, w, s.Table)
		if diff := cmp.Diff(want, rows(t, w, b, s, now)); diff != "" || now.Batch != c.Batch || now.Snapshot == h.Snapshot {
			t.Fatalf("step %d, restored %v: batch %d, want %d (-want +table):\n%s", step, restored, now.Batch, c.Batch, diff)
		}
		if n := scanned(t, w, s.Table); n != len(want) {
			t.Fatalf("step %d, restored %v: Iceberg finds %d rows, want %d", step, restored, n, len(want))
		}
		history = append(history, past{now.Snapshot, want})
	}
	all, err := w.Snapshots(t.Context(), s.Table)
	if err != nil {
		t.Fatal(err)
	}
	for i, one := range all {
		if one.ID != history[i+1].snapshot || one.Batch != int64(i+1) || one.First != (i == 0) {
			t.Errorf("snapshot %d is %+v", i, one)
		}
	}
}

// load is the load of a file that newFile made.
func load(f lake.DataFile) string {
	name := f.Path[bytes.LastIndexByte([]byte(f.Path), '/')+1:]
	return name[:len(name)-len(".parquet")]
}

// A commit that was prepared before a restore must not take effect after it, though the content is one it knew.
func TestCommitsPinnedBeforeARestoreFail(t *testing.T) {
	t.Parallel()
	w, b := lakeAt(t, t.TempDir())
	s := ensure(t, w, visits(t), 0)
	log := fakeLog(b, s, 5)
	append1 := func(h Head, n int64) error { return w.Append(t.Context(), h, log[n-1:n], n) }
	if err := append1(head(t, w, s.Table), 1); err != nil {
		t.Fatal(err)
	}
	paused := head(t, w, s.Table)
	if err := append1(paused, 2); err != nil {
		t.Fatal(err)
	}
	late := head(t, w, s.Table)
	if err := w.Restore(t.Context(), late, paused.Snapshot, Change{Batch: 3}); err != nil {
		t.Fatal(err)
	}
	for _, h := range []Head{paused, late} {
		if err := append1(h, 4); err == nil {
			t.Error("a commit from before the restore took effect")
		}
		if err := w.Restore(t.Context(), h, paused.Snapshot, Change{Batch: 4}); err == nil {
			t.Error("a restore from before the restore took effect")
		}
	}
	if err := append1(head(t, w, s.Table), 4); err != nil {
		t.Fatal(err)
	}
	if got, want := paths(plan(t.Context(), t, w, s.Table, "")), []string{log[0].Path, log[3].Path}; !slices.Equal(slices.Sorted(slices.Values(got)), slices.Sorted(slices.Values(want))) {
		t.Errorf("got %v, want %v", got, want)
	}
}
