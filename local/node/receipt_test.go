package node

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"medlake/functions/commit"
	"medlake/shared/lake"
	"medlake/shared/metadata"
	"medlake/shared/store"
	"medlake/shared/store/journal"
	"medlake/shared/transform"
)

// bare is a node with a log and receipts, and nothing else.
func bare(t *testing.T, entries ...lake.Entry) *Node {
	t.Helper()
	b, err := store.Open(t.Context(), "mem://")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close() })
	j := journal.New(b)
	for i, e := range entries {
		e.N = int64(i + 1)
		if _, err := j.Claim(t.Context(), e); err != nil {
			t.Fatal(err)
		}
	}
	library, faults := transform.Compile(&metadata.Set{})
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	return &Node{Library: library, journal: j, recent: newRecent(2), log: slog.New(slog.DiscardHandler)}
}

func loaded(id string, rows map[string]int64) lake.Receipt {
	return lake.Receipt{ID: id, Status: lake.Loaded, Rows: rows}
}

// knownOf lists which arrivals have a receipt.
func (n *Node) knownOf(ids ...string) (out string) {
	for _, id := range ids {
		if _, ok, _, _ := n.recent.get(id); ok {
			out += id
		}
	}
	return out
}

func TestReceiptsWaitForTheirTables(t *testing.T) {
	t.Parallel()
	n := bare(t, lake.Entry{Receipts: []lake.Receipt{loaded("a", map[string]int64{"lake.x": 1, "lake.y": 0}), loaded("b", map[string]int64{"lake.y": 2})}})
	n.done(t.Context(), commit.Round{Entry: 1, Behind: []string{"lake.y"}})
	if got := n.knownOf("a", "b"); got != "a" {
		t.Errorf("with lake.y behind: receipts of %q, want a", got)
	}
	n.done(t.Context(), commit.Round{Entry: 1})
	if got := n.knownOf("a", "b"); got != "ab" {
		t.Errorf("with all tables filled: receipts of %q, want ab", got)
	}
}

func TestReceiptsAreBounded(t *testing.T) {
	t.Parallel()
	n := bare(t, lake.Entry{Receipts: []lake.Receipt{loaded("a", nil), loaded("b", nil)}}, lake.Entry{Receipts: []lake.Receipt{loaded("c", nil)}})
	n.done(t.Context(), commit.Round{Entry: 2})
	if got := n.knownOf("a", "b", "c"); got != "bc" {
		t.Errorf("receipts of %q, want the latest two", got)
	}
}

func TestReceiptWaits(t *testing.T) {
	t.Parallel()
	n := bare(t, lake.Entry{Receipts: []lake.Receipt{loaded("a", nil)}})
	n.recent.expect("a")
	if _, err := n.Receipt(t.Context(), "a", 0); err == nil {
		t.Fatal("a receipt that is due was there")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := n.Receipt(ctx, "a", time.Hour); err == nil {
		t.Fatal("a wait outlived its context")
	}
	go n.done(t.Context(), commit.Round{Entry: 1})
	r, err := n.Receipt(t.Context(), "a", time.Hour)
	if err != nil || r.ID != "a" {
		t.Fatalf("got %v %v", r, err)
	}
	n.recent.expect("a") // the sweep was faster than the door: nothing is due any more
	if _, _, due, _ := n.recent.get("a"); due {
		t.Error("an arrival with a receipt is due")
	}
}
