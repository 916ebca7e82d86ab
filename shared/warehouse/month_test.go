package warehouse

import (
	"iter"
	"testing"
	"time"

	"github.com/apache/iceberg-go/table"
	"github.com/google/go-cmp/cmp"

	"medlake/shared/lake"
)

// history is a table's metadata with a snapshot at each time; their ids count from 1.
type history struct {
	table.Metadata
	at   []string
	tags []string
}

func (h history) Snapshots() []table.Snapshot {
	var all []table.Snapshot
	for i, s := range h.at {
		at, _ := time.Parse(time.RFC3339, s)
		all = append(all, table.Snapshot{SnapshotID: int64(i + 1), TimestampMs: at.UnixMilli()})
	}
	return all
}

func (h history) Refs() iter.Seq2[string, table.SnapshotRef] {
	return func(yield func(string, table.SnapshotRef) bool) {
		for _, tag := range h.tags {
			if !yield(tag, table.SnapshotRef{}) {
				return
			}
		}
	}
}

func TestMonthEnds(t *testing.T) {
	t.Parallel()
	at := []string{"2026-08-30T10:00:00Z", "2026-08-31T23:59:59Z", "2026-10-01T00:00:00Z", "2026-10-31T22:00:00Z", "2026-11-01T00:10:00Z"}
	for _, tt := range []struct {
		now  string
		tags []string
		want map[string]int64
	}{
		{"2026-11-25T03:00:00Z", nil, map[string]int64{"month-2026-08": 2, "month-2026-10": 4}},
		{"2026-11-25T03:00:00Z", []string{"main", "month-2026-08"}, map[string]int64{"month-2026-10": 4}},
		{"2026-11-01T00:59:00Z", nil, map[string]int64{"month-2026-08": 2}},
		{"2026-12-01T01:00:00Z", []string{"month-2026-08", "month-2026-10"}, map[string]int64{"month-2026-11": 5}},
	} {
		now, err := time.Parse(time.RFC3339, tt.now)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(tt.want, monthEnds(history{at: at, tags: tt.tags}, now)); diff != "" {
			t.Errorf("at %s with tags %v (-want +got):\n%s", tt.now, tt.tags, diff)
		}
	}
}

// What a tag names does not expire, and its files stay referenced after they left the table.
func TestTaggedMonthIsKept(t *testing.T) {
	t.Parallel()
	w, b := lakeAt(t, t.TempDir())
	s := ensure(t, w, visits(t), 0)
	old, next := newFile(t, b, s, "acme", "one", 3), newFile(t, b, s, "acme", "two", 3)
	apply := func(c Change) {
		h := head(t, w, s.Table)
		c.Batch = h.Batch + 1
		if err := w.Apply(t.Context(), h, c); err != nil {
			t.Fatal(err)
		}
	}
	apply(Change{Add: []lake.DataFile{old}})
	tagged := head(t, w, s.Table)
	for range 2 {
		if err := w.TagMonths(t.Context(), s.Table, time.Now().AddDate(0, 0, 32)); err != nil {
			t.Fatal(err)
		}
	}
	apply(Change{Add: []lake.DataFile{next}, Remove: []string{old.Path}})
	for range keepSnapshots + expireAt {
		apply(Change{})
	}
	if err := w.Expire(t.Context(), s.Table); err != nil {
		t.Fatal(err)
	}
	h := head(t, w, s.Table)
	kept := len(h.tbl.Metadata().Snapshots())
	if kept > keepSnapshots+2+len(keepWindows) {
		t.Errorf("%d snapshots are kept", kept)
	}
	files, err := w.Live(t.Context(), h.At(tagged.Snapshot), "")
	if err != nil || len(files) != 1 || files[0].Path != old.Path {
		t.Errorf("at the month's end: %d files, %v", len(files), err)
	}
	named, err := w.Referenced(t.Context(), s.Table)
	if err != nil {
		t.Fatal(err)
	}
	there := map[string]bool{}
	for o, err := range b.List(t.Context(), "tables/lake/visits/") {
		if err != nil {
			t.Fatal(err)
		}
		there[o.Key] = true
	}
	for key := range named {
		if !there[key] {
			t.Errorf("%s is named and not there", key)
		}
		delete(there, key)
	}
	for _, f := range []lake.DataFile{old, next} {
		if key, err := b.Key(f.Path); err != nil || !named[key] {
			t.Errorf("%s is not named", f.Path)
		}
	}
	if len(there) == 0 || len(there) > 3*(2+keepSnapshots+expireAt) { // metadata of what expired
		t.Errorf("%d files are left over", len(there))
	}
}
