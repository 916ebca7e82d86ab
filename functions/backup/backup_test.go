package backup_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"medlake/shared/lake"
	"medlake/shared/store/faulty"
)

func want(t *testing.T, got []string, words ...string) {
	t.Helper()
	if !slices.Equal(got, words) {
		t.Errorf("got %v, want %v", got, words)
	}
}

// Whatever call of a run to either bucket fails, loses its reply or is the last, what is in the copy then names nothing
// that is missing, the last backup can be brought back, and the next run finishes.
func TestCopyIsWholeWhereverItStops(t *testing.T) {
	t.Parallel()
	for i, fault := range faulty.Faults() {
		for _, source := range []bool{true, false} {
			t.Run(fmt.Sprint(fault, " source ", source), func(t *testing.T) {
				t.Parallel()
				for nth := i; ; nth += 13 { // a full table takes minutes
					d := open(t)
					d.arrive(t, 1, "one")
					d.round(t)
					if _, err := d.backup(t, d.target, time.Hour); err != nil {
						t.Fatal(err)
					}
					d.arrive(t, 2, "two")
					d.round(t)
					sound := d.bucket
					target := d.target
					var driver *faulty.Driver
					if source {
						d.bucket, driver = faulty.New(sound, faulty.Nth(nth, fault))
					} else {
						target, driver = faulty.New(target, faulty.Nth(nth, fault))
					}
					_, err := d.backup(t, target, time.Hour)
					d.bucket = sound
					d.whole(t)
					n, c := d.back(t)
					n.round(t)
					if c.Tail == 1 && !slices.Equal(n.words(t), []string{"one"}) && !slices.Equal(n.words(t), []string{"one", "two"}) || c.Tail == 2 && len(n.words(t)) != 2 {
						t.Errorf("call %d: a backup of entry %d brings back %v", nth, c.Tail, n.words(t))
					}
					if done, again := d.backup(t, d.target, time.Hour); again != nil || done.Tail != 2 {
						t.Errorf("call %d: the next run: %v", nth, again)
					}
					if len(driver.Calls()) < nth {
						if err != nil {
							t.Errorf("a run without a fault: %v", err)
						}
						break
					}
				}
			})
		}
	}
}

// whole checks that no record and no entry of the log in the copy names a data file or an upload that is not there.
func (d *depot) whole(t *testing.T) {
	t.Helper()
	for _, prefix := range []string{"loads/", "log/"} {
		for o, err := range d.target.List(t.Context(), prefix) {
			if err != nil {
				t.Fatal(err)
			}
			data, err := d.target.Get(t.Context(), o.Key)
			if err != nil {
				t.Fatal(err)
			}
			for part := range strings.SplitSeq(string(data), `"`) {
				key, isURL := part, strings.HasPrefix(part, "landing/")
				if k, err := d.target.Key(part); err == nil {
					key, isURL = k, true
				}
				if _, err := d.target.Head(t.Context(), key); isURL && err != nil {
					t.Errorf("%s names what the copy lacks: %v", prefix, err)
				}
			}
		}
	}
}

// Maintenance compacts and deletes files while a backup runs.
func TestBackupFollowsMaintenance(t *testing.T) {
	t.Parallel()
	for _, at := range []string{"loads/", "tables/lake/words/data/", "tables/lake/words/metadata/"} {
		d := open(t)
		d.arrive(t, 1, "one")
		d.arrive(t, 2, "two")
		d.round(t)
		done, sound := false, d.bucket
		d.bucket, _ = faulty.New(sound, func(c faulty.Call) faulty.Fault {
			if !done && c.Op == faulty.Get && strings.HasPrefix(c.Key, at) {
				done = true
				d := *d
				d.bucket = sound
				d.compact(t, "both", "one", "two")
			}
			return faulty.None
		})
		_, err := d.backup(t, d.target, time.Hour)
		d.bucket = sound
		if err != nil || !done {
			t.Errorf("%s: maintained %v, %v", at, done, err)
			continue
		}
		n, _ := d.back(t)
		n.round(t)
		want(t, n.words(t), "one", "two")
	}
}

// A lake that takes in more while a backup runs comes back as it was when the backup began, and takes it in again.
func TestBackupOfALakeThatGrows(t *testing.T) {
	t.Parallel()
	d := open(t)
	d.arrive(t, 1, "one")
	d.round(t)
	done, sound := false, d.bucket
	d.bucket, _ = faulty.New(sound, func(c faulty.Call) faulty.Fault {
		if !done && c.Op == faulty.Get && strings.HasPrefix(c.Key, "loads/") {
			done = true
			d := *d
			d.bucket = sound
			d.arrive(t, 2, "two")
			d.round(t)
		}
		return faulty.None
	})
	b, err := d.backup(t, d.target, time.Hour)
	d.bucket = sound
	if err != nil || !done || b.Tail != 1 {
		t.Fatalf("grown %v, entry %d, %v", done, b.Tail, err)
	}
	n, _ := d.back(t)
	n.round(t)
	want(t, n.words(t), "one")
	n.arrive(t, 2, "two")
	n.round(t)
	want(t, n.words(t), "one", "two")
}

func TestErasedObjectsLeaveTheCopy(t *testing.T) {
	t.Parallel()
	d := open(t)
	d.arrive(t, 1, "one")
	d.arrive(t, 2, "two")
	d.round(t)
	if _, err := d.backup(t, d.target, 90*time.Minute); err != nil {
		t.Fatal(err)
	}
	key := "landing/acme/2026-11-24/1.zip@x"
	if err := d.bucket.Delete(t.Context(), key); err != nil {
		t.Fatal(err)
	}
	d.compact(t, "rest", "two")
	for run, there := range []bool{true, true, false} { // gone since the first of these, an hour apart
		done, err := d.backup(t, d.target, 90*time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := d.target.Head(t.Context(), key); (err == nil) != there {
			t.Errorf("run %d: %v, %d deleted, %d waiting", run, err, done.Deleted, done.Waiting)
		}
	}
	if n := d.count(t, d.target, "backups/2"); n != 2 { // the first two may need what is gone
		t.Errorf("%d backups are left", n)
	}
	n, _ := d.back(t)
	n.round(t)
	want(t, n.words(t), "two")
	d.arrive(t, 3, "three")
	d.round(t)
	if err := d.bucket.Delete(t.Context(), "landing/acme/2026-11-24/2.zip@x"); err != nil {
		t.Fatal(err)
	}
	if done, err := d.backup(t, d.target, 0); err != nil || done.Deleted == 0 {
		t.Errorf("without grace: %d deleted, %v", done.Deleted, err)
	}
	n, _ = d.back(t)
	n.round(t)
	want(t, n.words(t), "three", "two")
}

// A copy whose bytes are not those of the source is no backup, whatever its objects' sizes say.
func TestVerifyFindsACopyThatDiffers(t *testing.T) {
	t.Parallel()
	d := open(t)
	f := d.arrive(t, 1, "one")
	d.round(t)
	if _, err := d.backup(t, d.target, time.Hour); err != nil {
		t.Fatal(err)
	}
	key, err := d.bucket.Key(f.Path)
	if err != nil {
		t.Fatal(err)
	}
	other := open(t).file(t, strings.TrimSuffix(key[strings.LastIndexByte(key, '/')+1:], ".parquet"), "eno")
	if other.Bytes != f.Bytes {
		t.Fatalf("%d bytes, not %d", other.Bytes, f.Bytes)
	}
	data, err := d.bucket.Get(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	at := strings.Index(string(data), "one")
	copy(data[at:], "eno")
	if err := d.target.Put(t.Context(), key, data); err != nil {
		t.Fatal(err)
	}
	if done, err := d.backup(t, d.target, time.Hour); err == nil || done.Key != "" {
		t.Errorf("a copy with another word: %v", done.Key)
	}
}

func TestLakeBehindItsBackupIsRefused(t *testing.T) {
	t.Parallel()
	d := open(t)
	d.arrive(t, 1, "one")
	d.round(t)
	if _, err := d.backup(t, d.target, time.Hour); err != nil {
		t.Fatal(err)
	}
	n := open(t)
	if _, err := n.backup(t, d.target, 0); !errors.Is(err, lake.ErrConflict) {
		t.Errorf("an empty lake: %v", err)
	}
	if n := d.count(t, d.target, "landing/"); n != 1 {
		t.Errorf("%d uploads left in the copy", n)
	}
}
