package sweep_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cloudevents/sdk-go/v2/event"
	"github.com/google/go-cmp/cmp"

	"medlake/functions/sweep"
	"medlake/shared/faas"
	"medlake/shared/lake"
	"medlake/shared/store"
	"medlake/shared/store/faulty"
	"medlake/shared/store/journal"
)

// yard is a bucket with uploads and a log, and what was sent.
type yard struct {
	bucket *store.Bucket
	log    *journal.Journal
	sent   []string // names
	answer error
}

func open(t *testing.T) *yard {
	t.Helper()
	b, err := store.Open(t.Context(), "mem://")
	if err != nil {
		t.Fatal(err)
	}
	return &yard{bucket: b, log: journal.New(b)}
}

// sweeper looks from an hour in the future: everything is older than the grace.
func (y *yard) sweeper(t *testing.T) *sweep.Sweeper {
	t.Helper()
	s, err := sweep.New(sweep.Config{
		Bucket: y.bucket, Log: slog.New(slog.DiscardHandler),
		Now: func() time.Time { return time.Now().Add(time.Hour) },
		Send: func(_ context.Context, e event.Event) error {
			a, resent, err := faas.ParseArrival(e)
			if err != nil || !resent {
				return fmt.Errorf("resent %v: %w", resent, err)
			}
			y.sent = append(y.sent, a.Name())
			return y.answer
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func (y *yard) upload(t *testing.T, key string) lake.Arrival {
	t.Helper()
	o, err := y.bucket.Upload(t.Context(), key, strings.NewReader("x"))
	if err != nil {
		t.Fatal(err)
	}
	return y.bucket.Arrival(o)
}

func (y *yard) claim(t *testing.T, n int64, arrivals ...lake.Arrival) {
	t.Helper()
	e := lake.Entry{N: n}
	for _, a := range arrivals {
		e.Receipts = append(e.Receipts, lake.Receipt{ID: a.ID(), Arrival: a})
	}
	if _, err := y.log.Claim(t.Context(), e); err != nil {
		t.Fatal(err)
	}
}

func today(days int) string { return time.Now().UTC().AddDate(0, 0, -days).Format(time.DateOnly) }

func TestSweepSendsWhatIsNeitherLoggedNorPending(t *testing.T) {
	t.Parallel()
	y := open(t)
	logged := y.upload(t, "landing/acme/"+today(0)+"/visits/logged.zip@1")
	pending := y.upload(t, "landing/acme/"+today(0)+"/visits/pending.zip@2")
	y.upload(t, "landing/acme/"+today(0)+"/visits/lost.zip@3")
	y.upload(t, "landing/birch/"+today(40)+"/old.zip@4")
	y.upload(t, "landing/Not a customer/"+today(0)+"/x.zip@5")
	y.claim(t, 1, logged)
	for _, key := range []string{store.PendingKey(pending.ID(), 0), store.PendingKey(logged.ID(), 7)} { // 7: a replay
		if err := y.bucket.Put(t.Context(), key, nil); err != nil {
			t.Fatal(err)
		}
	}
	s := y.sweeper(t)
	if err := s.Handle(t.Context(), faas.NewTick("1")); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{"acme/visits/lost.zip"}, y.sent); d != "" {
		t.Errorf("recent dates: %s", d)
	}
	y.sent = nil
	tick := faas.NewTick("2")
	tick.SetSubject(sweep.All)
	if err := s.Handle(t.Context(), tick); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{"acme/visits/lost.zip", "birch/old.zip"}, slices.Sorted(slices.Values(y.sent))); d != "" {
		t.Errorf("all dates: %s", d)
	}
}

func TestSweepLeavesYoungUploadsAlone(t *testing.T) {
	t.Parallel()
	y := open(t)
	y.upload(t, "landing/acme/"+today(0)+"/young.zip@1")
	s, err := sweep.New(sweep.Config{Bucket: y.bucket, Log: slog.New(slog.DiscardHandler), Send: func(context.Context, event.Event) error {
		t.Error("sent")
		return nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	if r, err := s.Sweep(t.Context(), true); err != nil || r != (sweep.Report{Objects: 1}) {
		t.Errorf("got %+v, %v", r, err)
	}
}

func TestSweepGoesOnAfterAnArrivalThatIsNone(t *testing.T) {
	t.Parallel()
	y := open(t)
	y.upload(t, "landing/acme/"+today(0)+"/1.zip@1")
	y.upload(t, "landing/acme/"+today(0)+"/2.zip@2")
	y.answer = lake.ErrInvalid
	if r, err := y.sweeper(t).Sweep(t.Context(), false); err != nil || r.Sent != 0 || len(y.sent) != 2 {
		t.Errorf("got %+v, %v, sent %v", r, err, y.sent)
	}
	y.answer = errors.New("down")
	if _, err := y.sweeper(t).Sweep(t.Context(), false); err == nil {
		t.Error("want the error that passes")
	}
}

// TestIndexIsFolded: a long log is kept in objects by landing folder, not in memory, and is not read again.
func TestIndexIsFolded(t *testing.T) {
	t.Parallel()
	y := open(t)
	var arrivals []lake.Arrival
	for n := range 2100 {
		a := lake.Arrival{Bucket: "b", Key: fmt.Sprintf("landing/acme/%s/%d.zip@x", today(n%3), n), Version: "v"}
		if n < 3 || n > 2095 { // these are really there
			a = y.upload(t, a.Key)
		}
		arrivals = append(arrivals, a)
		y.claim(t, int64(n+1), a)
	}
	y.upload(t, "landing/acme/"+today(1)+"/lost.zip@1")
	if err := y.log.Hint(t.Context(), 2100); err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second process reads what the first has folded
		if _, err := y.sweeper(t).Sweep(t.Context(), true); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff([]string{"acme/lost.zip"}, y.sent); d != "" {
			t.Error(d)
		}
		y.sent = nil
		// Entries that were folded are not needed any more.
		if err := y.bucket.Delete(t.Context(), store.LogKey(7)); err != nil {
			t.Fatal(err)
		}
	}
	data, err := y.bucket.Get(t.Context(), "swept/acme/"+today(0)+"/1-2000")
	if err != nil {
		t.Fatal(err)
	}
	var s struct{ Arrivals []string }
	if err := json.Unmarshal(data, &s); err != nil || len(s.Arrivals) != 2*667 || s.Arrivals[0] != arrivals[0].ID() {
		t.Errorf("%d arrivals in the index object, %v", len(s.Arrivals), err)
	}
}

// TestIndexObjectsAreJoined: a folder that was filled over a long time keeps few index objects, whatever fails meanwhile.
func TestIndexObjectsAreJoined(t *testing.T) {
	t.Parallel()
	for n := -1; n < 40; n++ {
		for _, fault := range faulty.Faults() {
			y := open(t)
			folder := "swept/acme/" + today(0) + "/"
			for i := range 10 {
				a := y.upload(t, fmt.Sprintf("landing/acme/%s/%d.zip@x", today(0), i))
				segment := fmt.Sprintf(`{"format":1,"arrivals":["%s"]}`, a.ID())
				if err := y.bucket.Put(t.Context(), fmt.Sprintf("%s%d-%d", folder, 10*i+1, 10*i+10), []byte(segment)); err != nil {
					t.Fatal(err)
				}
			}
			y.upload(t, "landing/acme/"+today(0)+"/lost.zip@x")
			y.claim(t, 1)
			if err := y.bucket.Put(t.Context(), "swept/cursor", []byte(`{"format":1,"n":1}`)); err != nil {
				t.Fatal(err)
			}
			good := y.bucket
			y.bucket, _ = faulty.New(good, faulty.Nth(n, fault))
			y.bucket.Retry.Tries = 1
			_, _ = y.sweeper(t).Sweep(t.Context(), true)
			y.bucket, y.sent = good, nil
			if _, err := y.sweeper(t).Sweep(t.Context(), true); err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff([]string{"acme/lost.zip"}, y.sent); d != "" {
				t.Fatalf("call %d, %s: %s", n, fault, d)
			}
			var left []string
			for o, err := range good.List(t.Context(), folder) {
				if err != nil {
					t.Fatal(err)
				}
				left = append(left, strings.TrimPrefix(o.Key, folder))
			}
			if len(left) > 8 || !slices.Contains(left, "1-100") {
				t.Fatalf("call %d, %s: left %v", n, fault, left)
			}
		}
	}
}
