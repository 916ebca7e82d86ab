package restore_test

import (
	"encoding/json"
	"testing"
	"time"

	"medlake/shared/lake"
	"medlake/shared/store"
	"medlake/shared/store/journal"
)

// TestWhatWasLeftOutStaysOutWithItsSuccessor: a replay was left out, so was the next one: what was there before both is
// shown, not the first of them.
func TestWhatWasLeftOutStaysOutWithItsSuccessor(t *testing.T) {
	t.Parallel()
	d := open(t, table)
	loads := d.loaded(t, []string{table}, "v1")
	at := d.at(t, table, 1)
	replay := func(word string, replaces string, older ...string) string {
		t.Helper()
		e, err := journal.New(d.bucket).Add(t.Context(), lake.Entry{ID: word, Replay: &lake.ReplayRequest{Reason: "r", Metadata: "v2"}})
		if err != nil {
			t.Fatal(err)
		}
		when := time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC)
		a := lake.Arrival{Bucket: "b", Key: "landing/acme/2026-11-24/v1.zip@x", Version: "v", Size: 10, At: when}
		load := lake.Hash("load", word)
		r := lake.Record{
			Format: lake.Format, Load: load, Arrival: a.ID(), Epoch: e.N, Customer: "acme", Feed: "words", Metadata: "v2", Status: lake.Loaded, ArrivedAt: when,
			Tables: []lake.TableFiles{{Table: table, Schema: 1, Read: 1, Committed: 1, Files: []lake.DataFile{d.file(t, table, load, word, when)}}},
		}
		data, err := json.Marshal(lake.Pending{
			Format: lake.Format, Arrival: a, Epoch: e.N, Base: e.N, Record: r, Replaces: replaces, Older: older, Drops: []string{table},
		})
		if err == nil {
			err = d.bucket.Put(t.Context(), store.PendingKey(a.ID(), e.N), data)
		}
		if err != nil {
			t.Fatal(err)
		}
		d.round(t)
		return load
	}
	second := replay("v2", loads[0])
	want(t, d.words(t, table), "v2")
	d.back(t, table, at, second)
	want(t, d.words(t, table), "v1")
	third := replay("v3", second, loads[0])
	want(t, d.words(t, table), "v3")
	d.back(t, table, at, third)
	want(t, d.words(t, table), "v1")
}
