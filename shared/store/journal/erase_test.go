package journal_test

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"medlake/shared/lake"
	"medlake/shared/store"
	"medlake/shared/store/faulty"
	"medlake/shared/store/journal"
)

// named is a log of which entries 2, 3, 6 and 24 have what can be forgotten: a name of arrival n and bounds of its load's file.
func named(t *testing.T) *store.Bucket {
	t.Helper()
	b := long(t)
	for _, n := range []int64{2, 3, 6, 24} {
		e, err := journal.New(b).Entry(t.Context(), n)
		if err != nil {
			t.Fatal(err)
		}
		e.Receipts[0].Arrival = lake.Arrival{Bucket: "b", Key: "landing/acme/2026-11-24/SOMEBODY.zip@1", Version: "v", At: time.Unix(n, 0)}
		e.Loads[0].Tables[0].Files = []lake.DataFile{{Path: "p", Rows: 3, Lower: map[int][]byte{7: []byte("SOMEBODY")}, Upper: map[int][]byte{7: []byte("SOMEBODY")}}}
		if err := b.Put(t.Context(), store.LogKey(n), marshal(t, e.Entry)); err != nil {
			t.Fatal(err)
		}
	}
	return b
}

// forgotten checks that exactly entries 2 and 24, and some more, have forgotten, in a process that knew them before and in a new one.
func forgotten(t *testing.T, b *store.Bucket, old *journal.Journal, more ...int64) {
	t.Helper()
	readable(t, b)
	for _, j := range []*journal.Journal{old, journal.New(b)} {
		for _, n := range []int64{2, 3, 6, 24} {
			want := n == 2 || n == 24 || slices.Contains(more, n)
			e, err := j.Entry(t.Context(), n)
			if err != nil {
				t.Fatal(err)
			}
			f, a := e.Loads[0].Tables[0].Files[0], e.Receipts[0].Arrival
			if f.Path != "p" || f.Rows != 3 || a.Customer() != "acme" || a.Date() != "2026-11-24" || a.At.Unix() != n {
				t.Errorf("entry %d has lost too much: %+v, %+v", n, a, f)
			}
			if bytes.Contains(marshal(t, e.Entry), []byte("SOMEBODY")) == want || (f.Lower == nil && f.Upper == nil) != want {
				t.Errorf("entry %d: %+v, %+v", n, a, f)
			}
		}
	}
}

var forget = journal.Forgotten{Arrivals: map[string]bool{"a2": true, "a24": true}, Loads: map[string]bool{"load2": true, "load24": true}}

func TestForget(t *testing.T) {
	t.Parallel()
	for _, folds := range []bool{false, true} {
		b := named(t)
		j := folder(b)
		if !folds {
			j.Recent = entries
		}
		for n := int64(1); n <= entries; n++ { // and keeps them in memory
			if _, err := j.Entry(t.Context(), n); err != nil {
				t.Fatal(err)
			}
		}
		for range 2 {
			if err := j.Forget(t.Context(), []int64{2, 24}, forget); err != nil {
				t.Fatal(err)
			}
			forgotten(t, b, j)
		}
		if n, err := folder(b).Fold(t.Context(), 100); n != 22 || err != nil {
			t.Errorf("folds %v: folded to %d, %v", folds, n, err)
		}
	}
}

func TestForgetSurvivesFaults(t *testing.T) {
	t.Parallel()
	for _, fault := range faulty.Faults() {
		for n := 0; ; n++ {
			b := named(t)
			over, d := faulty.New(b, faulty.Nth(n, fault))
			err := folder(over).Forget(t.Context(), []int64{2, 24}, forget)
			if err != nil {
				err = folder(b).Forget(t.Context(), []int64{2, 24}, forget)
			}
			if err != nil {
				t.Fatalf("%v at call %d: %v", fault, n, err)
			}
			forgotten(t, b, folder(b))
			if len(d.Calls()) <= n {
				break
			}
			n += 3
		}
	}
}

// TestEntriesThatEraseHaveAFormatOfTheirOwn: programs that know none must not take them for empty ones.
func TestEntriesThatEraseHaveAFormatOfTheirOwn(t *testing.T) {
	t.Parallel()
	b := bucket(t)
	j := journal.New(b)
	stop := errors.New("stop")
	if _, err := j.Compose(t.Context(), func(_ context.Context, n int64) (lake.Entry, error) { return lake.Entry{}, stop }); !errors.Is(err, stop) {
		t.Errorf("got %v", err)
	}
	var asked []int64
	e, err := j.Compose(t.Context(), func(_ context.Context, n int64) (lake.Entry, error) {
		if asked = append(asked, n); n == 1 { // another is first
			if _, err := journal.New(b).Claim(t.Context(), entry(1, "a")); err != nil {
				t.Fatal(err)
			}
		}
		return lake.Entry{ID: "x", Erase: &lake.Erasure{Customer: "acme", Uploads: []lake.Erased{{Arrival: "a"}}}}, nil
	})
	if err != nil || e.N != 2 || len(asked) != 2 || asked[1] != 2 {
		t.Fatalf("%+v, %v; asked for %v", e, err, asked)
	}
	data, err := b.Get(t.Context(), store.LogKey(2))
	if err != nil || !bytes.Contains(data, []byte(`"format":3`)) {
		t.Errorf("%s, %v", data, err)
	}
	if e, err = journal.New(b).Entry(t.Context(), 2); err != nil || e.Erase.Uploads[0].Arrival != "a" {
		t.Errorf("%+v, %v", e, err)
	}
	if _, err := journal.New(b).Receipts(t.Context(), 2); err != nil {
		t.Error(err)
	}
}

// TestForgetBesideFold: whoever folds the log at any moment of a Forget, or is paused at any moment of its own while one
// begins and ends, brings nothing back.
func TestForgetBesideFold(t *testing.T) {
	t.Parallel()
	jobs := map[string]func(*store.Bucket) error{
		"fold": func(b *store.Bucket) error { // when there are more entries to fold than Forget has met
			j := folder(b)
			j.Recent = 0
			_, err := j.Fold(t.Context(), 100)
			return err
		},
		"forget": func(b *store.Bucket) error { return folder(b).Forget(t.Context(), []int64{2, 24}, forget) },
	}
	for outer, inner := range map[string]string{"fold": "forget", "forget": "fold"} {
		for n := 0; ; n++ {
			b := named(t)
			over, d := faulty.New(b, func(c faulty.Call) faulty.Fault {
				if c.N == n {
					if err := jobs[inner](b); err != nil {
						t.Errorf("%s at call %d of %s: %v", inner, n, outer, err)
					}
				}
				return faulty.None
			})
			if err := jobs[outer](over); err != nil {
				t.Fatalf("%s around %s at call %d: %v", outer, inner, n, err)
			}
			if len(d.Calls()) <= n {
				break
			}
			forgotten(t, b, folder(b))
			if t.Failed() {
				t.Fatalf("%s at call %d of %s", inner, n, outer)
			}
			n += 2
		}
	}
}

// TestForgetBesideForget: one who is paused at any moment, or dies there and is run again, while another forgets something else of
// the same group brings nothing back.
func TestForgetBesideForget(t *testing.T) {
	t.Parallel()
	other := journal.Forgotten{Arrivals: map[string]bool{"a3": true}, Loads: map[string]bool{"load3": true}}
	for _, fault := range append(faulty.Faults(), faulty.None) {
		for n := 0; ; n++ {
			b := named(t)
			meanwhile := func() {
				if err := folder(b).Forget(t.Context(), []int64{3}, other); err != nil {
					t.Errorf("%s at call %d: the other: %v", fault, n, err)
				}
			}
			over, d := faulty.New(b, func(c faulty.Call) faulty.Fault {
				switch c.N {
				case n:
					meanwhile()
				case n + 1:
					return fault
				}
				return faulty.None
			})
			err := folder(over).Forget(t.Context(), []int64{2, 24}, forget)
			if err != nil && fault != faulty.None {
				err = folder(b).Forget(t.Context(), []int64{2, 24}, forget)
			}
			if err != nil {
				t.Fatalf("%s at call %d: %v", fault, n, err)
			}
			if len(d.Calls()) <= n {
				break
			}
			if forgotten(t, b, folder(b), 3); t.Failed() {
				t.Fatalf("%s after call %d", fault, n)
			}
			if fault != faulty.None {
				n += 6
			}
		}
	}
}
