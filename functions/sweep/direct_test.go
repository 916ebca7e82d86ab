package sweep_test

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
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

// TestSweepFindsUploadsOutsideDateFolders: senders who write to the bucket need not know about date folders.
func TestSweepFindsUploadsOutsideDateFolders(t *testing.T) {
	t.Parallel()
	y := open(t)
	var logged []lake.Arrival
	for _, key := range []string{
		"landing/acme/direct.zip", "landing/acme/visits/deep/é +%25.zip", "landing/acme/visits/a@b.zip", "landing/acme/2026-13-01/no date.zip",
		"landing/acme/" + today(0) + "/visits/dated.zip@1",
	} {
		y.upload(t, key)
		logged = append(logged, y.upload(t, key+".logged"))
	}
	y.upload(t, "landing/acme/folder/")
	y.upload(t, "landing/acme/")
	y.claim(t, 1, logged...)
	want := []string{
		"acme/2026-13-01/no date.zip", "acme/direct.zip", "acme/visits/a@b.zip", "acme/visits/dated.zip", "acme/visits/deep/é +%25.zip",
	}
	for _, subject := range []string{"", sweep.All} {
		tick := faas.NewTick("1")
		tick.SetSubject(subject)
		y.sent = nil
		if err := y.sweeper(t).Handle(t.Context(), tick); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, slices.Sorted(slices.Values(y.sent))); d != "" {
			t.Errorf("%q: %s", subject, d)
		}
	}
}

// TestSweepOfRecentDatesIsBounded: what lies outside date folders and is old, or is too much, waits for the sweep of all.
func TestSweepOfRecentDatesIsBounded(t *testing.T) {
	t.Parallel()
	y := open(t)
	for n := range 10_500 {
		y.upload(t, fmt.Sprintf("landing/acme/a/%05d.zip", n))
	}
	y.upload(t, "landing/birch/b.zip")
	count := func(days int, subject string) (r sweep.Report) {
		s, err := sweep.New(sweep.Config{
			Bucket: y.bucket, Log: slog.New(slog.DiscardHandler),
			Now:  func() time.Time { return time.Now().AddDate(0, 0, days).Add(time.Hour) },
			Send: func(context.Context, event.Event) error { return nil },
		})
		if err != nil {
			t.Fatal(err)
		}
		if r, err = s.Sweep(t.Context(), subject == sweep.All); err != nil {
			t.Fatal(err)
		}
		return r
	}
	for _, tt := range []struct {
		days    int
		subject string
		want    sweep.Report
	}{
		{0, "", sweep.Report{Objects: 10_001, Sent: 10_001}},
		{3, "", sweep.Report{Objects: 10_001}},
		{3, sweep.All, sweep.Report{Objects: 10_501, Sent: 10_501}},
	} {
		if r := count(tt.days, tt.subject); r != tt.want {
			t.Errorf("%d days, %q: got %+v, want %+v", tt.days, tt.subject, r, tt.want)
		}
	}
}

// TestSweepAsksOnlyForVersionsThatItNeeds: where a listing tells no versions, what is in the log costs no request.
func TestSweepAsksOnlyForVersionsThatItNeeds(t *testing.T) {
	t.Parallel()
	y := open(t)
	for n := range 20 {
		a := y.upload(t, fmt.Sprintf("landing/acme/%s/%d.zip@x", today(0), n))
		a.At = a.At.Truncate(time.Second) // as a store tells that is asked for one object
		y.claim(t, int64(n+1), a)
	}
	y.upload(t, "landing/acme/"+today(0)+"/lost.zip@x")
	bad, driver := faulty.New(y.bucket, func(faulty.Call) faulty.Fault { return faulty.None })
	y.bucket = bad
	if r, err := y.sweeper(t).Sweep(t.Context(), true); err != nil || r.Sent != 1 {
		t.Fatalf("got %+v, %v", r, err)
	}
	heads := 0
	for _, c := range driver.Calls() {
		if c.Op == faulty.Head {
			heads++
		}
	}
	if heads != 1 {
		t.Errorf("%d versions asked for, want 1", heads)
	}
}

// TestSweepKnowsRewrittenUploads: what an erasure puts in the place of an upload has its first receipt under its number.
func TestSweepKnowsRewrittenUploads(t *testing.T) {
	t.Parallel()
	y := open(t)
	old := lake.Arrival{Bucket: y.bucket.Name(), Key: "landing/acme/" + today(0) + "/a.zip@1"}
	a := y.upload(t, lake.RewrittenKey(old.Key, 1, old.ID()))
	e := lake.Entry{N: 1, Receipts: []lake.Receipt{{ID: a.ID(), Epoch: 1, Arrival: a}}}
	if _, err := journal.New(y.bucket).Claim(t.Context(), e); err != nil {
		t.Fatal(err)
	}
	b := y.upload(t, lake.RewrittenKey(old.Key, 1, a.ID()))
	if err := y.bucket.Put(t.Context(), store.PendingKey(b.ID(), 1), nil); err != nil {
		t.Fatal(err)
	}
	if r, err := y.sweeper(t).Sweep(t.Context(), true); err != nil || r.Sent != 0 {
		t.Errorf("got %+v, %v", r, err)
	}
}
