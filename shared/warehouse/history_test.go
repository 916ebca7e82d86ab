package warehouse

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/apache/iceberg-go"

	"medlake/shared/lake"
)

func TestHeldSnapshotsDoNotExpire(t *testing.T) {
	t.Parallel()
	w, b := lakeAt(t, t.TempDir())
	s := ensure(t, w, visits(t), 0)
	log := fakeLog(b, s, 2*keepSnapshots+2*expireAt)
	var first Head
	for n := int64(1); n <= int64(len(log)); n++ {
		if err := w.Append(t.Context(), head(t, w, s.Table), log[n-1:n], n); err != nil {
			t.Fatal(err)
		}
		if n == 2 {
			first = head(t, w, s.Table)
			for range 2 {
				if err := w.Hold(t.Context(), s.Table, first.Snapshot); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	if err := w.Expire(t.Context(), s.Table); err != nil {
		t.Fatal(err)
	}
	all, err := w.Snapshots(t.Context(), s.Table)
	if err != nil || len(all) != keepSnapshots+1 || all[0].ID != first.Snapshot {
		t.Fatalf("%d snapshots, the first at entry %d: %v", len(all), all[0].Batch, err)
	}
	if _, err := w.SnapshotAt(t.Context(), s.Table, all[0].At.Add(-time.Hour)); !errors.Is(err, lake.ErrNotFound) {
		t.Errorf("a time before the kept snapshots: %v", err)
	}
	if err := w.Hold(t.Context(), s.Table, 12345); !errors.Is(err, lake.ErrNotFound) {
		t.Errorf("hold a snapshot that is not there: %v", err)
	}
	h := head(t, w, s.Table)
	if err := w.Restore(t.Context(), h, 12345, Change{Batch: h.Batch}); !errors.Is(err, lake.ErrNotFound) {
		t.Errorf("restore a snapshot that is not there: %v", err)
	}
	if err := w.Restore(t.Context(), h, first.Snapshot, Change{Batch: h.Batch + 1}); err != nil {
		t.Fatal(err)
	}
	// A second restore of it may be on its way: it stays until it is old.
	for _, held := range []bool{true, false} {
		if !held {
			tbl, err := w.load(t.Context(), s.Table)
			if err != nil {
				t.Fatal(err)
			}
			if err := w.letGo(t.Context(), tbl, -time.Second); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Expire(t.Context(), s.Table); err != nil {
			t.Fatal(err)
		}
		all, err := w.Snapshots(t.Context(), s.Table)
		if there := slices.ContainsFunc(all, func(s Snapshot) bool { return s.ID == first.Snapshot }); err != nil || there != held {
			t.Errorf("the snapshot is there: %v, want %v: %v", there, held, err)
		}
	}
}

func TestNewestSnapshotOfATime(t *testing.T) {
	t.Parallel()
	at := func(s int64) time.Time { return time.Unix(s, 0) }
	all := []Snapshot{{ID: 1, At: at(10), First: true}, {ID: 2, At: at(20)}, {ID: 3, At: at(20)}, {ID: 4, At: at(30)}}
	for _, tt := range []struct {
		all  []Snapshot
		at   time.Time
		want int64
		kept bool
	}{
		{nil, at(10), 0, true},
		{all, at(9), 0, true},
		{all, at(10), 1, true},
		{all, at(20), 3, true},
		{all, at(29), 3, true},
		{all, at(99), 4, true},
		{all[1:], at(20), 3, true},
		{all[1:], at(19), 0, false},
	} {
		if got, kept := newest(tt.all, tt.at); got.ID != tt.want || kept != tt.kept {
			t.Errorf("%d snapshots at %v: got %d, %v, want %d, %v", len(tt.all), tt.at.Unix(), got.ID, kept, tt.want, tt.kept)
		}
	}
}

// Another engine's snapshot holds the part of the log that the one before it held.
func TestForeignSnapshotsHaveTheNumberBefore(t *testing.T) {
	t.Parallel()
	w, b := lakeAt(t, t.TempDir())
	s := ensure(t, w, visits(t), 0)
	if err := w.Append(t.Context(), head(t, w, s.Table), []lake.DataFile{newFile(t, b, s, "acme", "one", 3)}, 4); err != nil {
		t.Fatal(err)
	}
	for _, visit := range []string{"V1", "V2"} {
		tbl, err := w.load(t.Context(), s.Table)
		if err == nil {
			_, err = tbl.Delete(w.files.with(t.Context()), iceberg.EqualTo(iceberg.Reference("visit_id"), visit), nil)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	h := head(t, w, s.Table)
	all, err := w.Snapshots(t.Context(), s.Table)
	if err != nil || len(all) != 3 || all[1].Batch != 4 || all[2].Batch != 4 || all[2].ID != h.Snapshot {
		t.Fatalf("%+v, %v", all, err)
	}
	if err := w.Restore(t.Context(), h, all[1].ID, Change{Batch: 5}); err != nil {
		t.Fatal(err)
	}
	want := []string{"one V0", "one V2"}
	if got := rows(t, w, b, s, head(t, w, s.Table)); !slices.Equal(got, want) || scanned(t, w, s.Table) != 2 {
		t.Errorf("got %v, want %v", got, want)
	}
	if err := w.remove(w.files.with(t.Context()), h.tbl.Identifier(), head(t, w, s.Table).tbl.Metadata(), []int64{all[0].ID}); err != nil {
		t.Fatal(err)
	}
	if all, err := w.Snapshots(t.Context(), s.Table); err != nil || len(all) != 1 || all[0].Batch != 5 {
		t.Errorf("%+v, %v: want what is known alone", all, err)
	}
}
