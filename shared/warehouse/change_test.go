package warehouse

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"

	"medlake/shared/lake"
	"medlake/shared/store/faulty"
)

// step makes one random change and says what it was.
func (m *model) step() (string, Change) {
	c := Change{Batch: head(m.t, m.w, m.s.Table).Batch + 1}
	switch m.rand.IntN(7) {
	case 0, 1:
		for range 1 + m.rand.IntN(3) {
			f := m.fresh()
			c.Add = append(c.Add, f.DataFile)
			m.files[f.Path] = f
		}
		return "append", c
	case 2:
		c.Deletes = m.hide(m.some())
		return "delete", c
	case 3: // new rows, some of which are hidden by the change itself, and some of old ones of the same customer
		f := m.fresh()
		m.files[f.Path] = f
		of := []*modelled{f}
		for _, p := range slices.Sorted(maps.Keys(m.files)) {
			if o := m.files[p]; o.Customer == f.Customer && o != f && m.rand.IntN(2) == 0 {
				of = append(of, o)
			}
		}
		c.Add, c.Deletes = []lake.DataFile{f.DataFile}, m.hide(of)
		return "merge", c
	case 4: // compaction
		of := m.some()
		var ids, loads []string
		for _, f := range of {
			for row := range f.ids {
				if !f.hidden[row] {
					ids, loads = append(ids, f.ids[row]), append(loads, f.loads[row])
				}
			}
			c.Remove = append(c.Remove, f.Path)
			delete(m.files, f.Path)
		}
		c.Same = true
		if len(ids) > 0 {
			f := m.file(of[0].Customer, ids, loads)
			m.files[f.Path] = f
			c.Add = append(c.Add, f.DataFile)
		}
		return "compaction", c
	case 5: // loads are replaced
		gone := []string{fmt.Sprintf("a-load-with-a-long-name-%02d", m.rand.IntN(30)), fmt.Sprintf("a-load-with-a-long-name-%02d", m.rand.IntN(30))}
		var err error
		if c.Remove, c.Deletes, err = m.w.RowsOf(m.t.Context(), head(m.t, m.w, m.s.Table), gone); err != nil {
			m.t.Fatal(err)
		}
		for p, f := range m.files {
			left := false
			for row := range f.ids {
				f.hidden[row] = f.hidden[row] || slices.Contains(gone, f.loads[row])
				left = left || !slices.Contains(gone, f.loads[row])
			}
			if !left {
				delete(m.files, p)
			}
		}
		return "replace", c
	}
	if _, err := m.w.RewriteManifests(m.t.Context(), head(m.t, m.w, m.s.Table)); err != nil && !errors.Is(err, faulty.ErrInjected) {
		m.t.Fatal(err)
	}
	return "manifests", c // and an empty change
}

// want lists the rows that must be visible.
func (m *model) want() []string {
	var ids []string
	for _, f := range m.files {
		for row, id := range f.ids {
			if !f.hidden[row] {
				ids = append(ids, id)
			}
		}
	}
	slices.Sort(ids)
	return ids
}

// visible reads the table with Iceberg's own library.
func (m *model) visible() []string {
	tbl, err := m.w.load(m.t.Context(), m.s.Table)
	if err != nil {
		m.t.Fatal(err)
	}
	at, records, err := tbl.Scan().ToArrowRecords(m.w.files.with(m.t.Context()))
	if err != nil {
		m.t.Fatal(err)
	}
	var ids []string
	field := at.FieldIndices("visit_id")[0]
	for rec, err := range records {
		if err != nil {
			m.t.Fatal(err)
		}
		for row := range int(rec.NumRows()) {
			ids = append(ids, rec.Column(field).ValueStr(row))
		}
		rec.Release()
	}
	slices.Sort(ids)
	return ids
}

// sums checks what the newest snapshot's summary says against the files.
func (m *model) sums(what string) {
	m.t.Helper()
	h := head(m.t, m.w, m.s.Table)
	live, err := m.w.Live(m.t.Context(), h, "")
	if err != nil {
		m.t.Fatal(err)
	}
	deletes := map[string]int64{}
	bytes := int64(0)
	var rows int64
	for _, f := range live {
		rows += f.Rows
		bytes += f.Bytes
		for _, d := range f.Deletes {
			if _, ok := deletes[d.Path]; !ok {
				bytes += d.Bytes
			}
			deletes[d.Path] = d.Rows
		}
		if m.files[f.Path] == nil {
			m.t.Fatalf("%s: a file that left is live", what)
		}
	}
	var gone int64
	for _, n := range deletes {
		gone += n
	}
	want := map[string]int64{"total-data-files": int64(len(m.files)), "total-records": rows, "medlake.batch": h.Batch}
	if len(live) == 0 || what == "compaction" || what == "replace" { // else delete files may be there that touch nothing
		want["total-delete-files"], want["total-position-deletes"], want["total-files-size"] = int64(len(deletes)), gone, bytes
	}
	got := map[string]int64{}
	for k := range want {
		if got[k], err = strconv.ParseInt(h.tbl.CurrentSnapshot().Summary.Properties[k], 10, 64); err != nil {
			m.t.Fatal(err)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		m.t.Fatalf("%s: summary (-files +summary):\n%s", what, diff)
	}
	p := plan(m.t.Context(), m.t, m.w, m.s.Table, "")
	if len(p.Files) != len(live) || len(p.Deletes) != len(deletes) || p.Snapshot != h.Snapshot {
		m.t.Fatalf("%s: the plan has %d files and %d deletes; %d and %d are live", what, len(p.Files), len(p.Deletes), len(live), len(deletes))
	}
}

// apply makes the change once, though replies of the catalog may get lost.
func (m *model) apply(c Change) error {
	var err error
	for range 10 {
		var h Head
		if h, err = m.w.Batch(m.t.Context(), m.s.Table); err != nil {
			return err
		}
		if h.Batch == c.Batch {
			return nil
		}
		err = m.w.Apply(m.t.Context(), h, c)
	}
	return err
}

func TestRandomChangesLeaveTheRowsOfAModel(t *testing.T) {
	t.Parallel()
	for seed := range uint64(6) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			m := newModel(t, seed)
			if seed%2 == 1 {
				m.w.cat.commits = &deaf{opened: m.w.cat, fault: func() faulty.Fault {
					return []faulty.Fault{faulty.None, faulty.Before, faulty.After}[m.rand.IntN(3)]
				}}
			}
			for n := range 40 {
				what, c := m.step()
				if err := m.apply(c); err != nil {
					t.Fatalf("change %d, %s: %v", n, what, err)
				}
				if len(c.Remove) == 0 {
					what += " of nothing"
				}
				m.sums(what)
				if diff := cmp.Diff(m.want(), m.visible()); diff != "" {
					t.Fatalf("change %d, %s (-model +table):\n%s", n, what, diff)
				}
			}
		})
	}
}

// Every call to the bucket fails in turn, or does its work and loses its reply, or is the last of the process.
func TestFaultsOfTheBucketChangeOnce(t *testing.T) {
	t.Parallel()
	for _, f := range faulty.Faults() {
		t.Run(f.String(), func(t *testing.T) {
			t.Parallel()
			for nth := 0; ; nth++ {
				m := newModel(t, 1)
				stays, goes, comes := m.file("acme", []string{"1", "2"}, []string{"a", "b"}), m.file("acme", []string{"3"}, []string{"b"}), m.file("acme", []string{"4"}, []string{"c"})
				if err := m.apply(Change{Add: []lake.DataFile{stays.DataFile, goes.DataFile}, Batch: 1}); err != nil {
					t.Fatal(err)
				}
				bad, record := faulty.New(m.b, faulty.Nth(nth, f))
				sound := m.w.files.bucket
				m.w.files.bucket = bad
				replace := func() error {
					c := Change{Add: []lake.DataFile{comes.DataFile}, Batch: 2}
					h, err := m.w.Batch(t.Context(), m.s.Table)
					if err == nil && h.Batch == 1 {
						if c.Remove, c.Deletes, err = m.w.RowsOf(t.Context(), h, []string{"b"}); err == nil {
							err = m.w.Apply(t.Context(), h, c)
						}
					}
					return err
				}
				_ = replace() // as far as it gets
				done := len(record.Calls()) <= nth
				m.w.files.bucket = sound
				if err := replace(); err != nil {
					t.Fatalf("after call %d: %v", nth, err)
				}
				if diff := cmp.Diff([]string{"1", "4"}, m.visible()); diff != "" {
					t.Fatalf("after call %d (-want +got):\n%s", nth, diff)
				}
				if done {
					return
				}
			}
		})
	}
}
