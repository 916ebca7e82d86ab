package node

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"medlake/functions/erase"
	"medlake/shared/lake"
	"medlake/shared/store"
)

// TestErase erases two patients, one after the other, who share uploads with others and with each other, and then the
// customer.
func TestErase(t *testing.T) {
	t.Parallel()
	c := filled(t)
	n, _ := c.opened(0)
	defer c.close(n)
	copied := store.FileURL(t.TempDir())
	if _, err := n.Reader.Backup(t.Context(), copied, time.Hour, slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
	want := rows(t, n)
	for _, patient := range []string{one, two} {
		before := want
		want = without(want, "acme", patient)
		order := erase.Order{Customer: "acme", Patient: patient, Reason: "asked by letter"}
		certificate, left, err := c.erase(n, order, copied)
		if err != nil {
			t.Fatalf("%v: %q, %q", err, left.Holding, left.Unread)
		}
		if certificate.Uploads < 4 || certificate.Records < 5 || certificate.Objects < 100 || len(certificate.Copies) != 1 {
			t.Errorf("certificate %+v", certificate)
		}
		if len(without(before, "acme", patient)) == len(before) && cmp.Equal(before, want) {
			t.Fatal("there was nothing to erase")
		}
		same(t, "erased", rows(t, n), want)
		c.gone(patient)
		if certificate, _, err = c.erase(n, order); err != nil || certificate.Uploads > 0 {
			t.Errorf("once more: %+v, %v", certificate, err)
		}
		c.replay(n)
		same(t, "replayed", rows(t, n), want)
	}
	if _, _, err := c.erase(n, erase.Order{Customer: "acme", Patient: two, Resume: 1}); !errors.Is(err, lake.ErrNotFound) {
		t.Errorf("resumed: %v", err)
	}
	certificate, left, err := c.erase(n, erase.Order{Customer: "acme", Reason: "left us"}, copied)
	if err != nil || !certificate.All || certificate.Removed != certificate.Uploads || certificate.Uploads < 8 {
		t.Fatalf("%+v, %v: %q", certificate, err, left.Holding)
	}
	for key := range want {
		if strings.HasSuffix(key, " of acme") {
			delete(want, key)
		}
	}
	same(t, "without the customer", rows(t, n), want)
	c.documents(n, want)
	if _, err := n.Reader.Backup(t.Context(), copied, 0, slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
	c.restored(copied, want)
}

// documents erases a patient whose document is one of two members. A zip that was cut is in the way: it can only leave.
func (c clinic) documents(n *Node, want map[string][]string) {
	c.t.Helper()
	order := erase.Order{Customer: "stmary", Patient: "ddab9368-6d06-b1f9-4632-8aff7d975cd1", Reason: "asked by letter"}
	begun, left, err := c.erase(n, order)
	if !errors.Is(err, erase.ErrLeft) || len(begun.Entries) != 1 || len(left.Holding) > 0 || len(left.Unread) != 1 {
		c.t.Errorf("%v: %q, %q", err, left.Holding, left.Unread)
	}
	order.Unreadable, order.Resume = true, begun.Entries[0]
	certificate, left, err := c.erase(n, order)
	if err != nil || certificate.Uploads != 2 || certificate.Removed != 1 || certificate.Members != 1 || certificate.Records != 0 {
		c.t.Errorf("%+v, %v: %q, %q", certificate, err, left.Holding, left.Unread)
	}
	maps.Copy(want, without(want, "stmary", order.Patient))
	same(c.t, "documents", rows(c.t, n), want)
}

// restored brings the copy back into an empty place of the same URL, and compares.
func (c clinic) restored(from string, want map[string][]string) {
	t := c.t
	t.Helper()
	if err := errors.Join(os.RemoveAll(filepath.Join(c.dir, "bucket")), os.Remove(filepath.Join(c.dir, "catalog.db"))); err != nil {
		t.Fatal(err)
	}
	if _, err := Back(t.Context(), from, Place{Data: c.dir}); err != nil {
		t.Fatal(err)
	}
	if _, err := Rebuild(t.Context(), Place{Data: c.dir}); err != nil {
		t.Fatal(err)
	}
	n, _ := c.opened(0)
	defer c.close(n)
	same(t, "brought back", rows(t, n), want)
}

// TestEraseStoppedAgainAndAgain stops an erasure at a write, the same order at a later one, and so on until one comes to its
// end: each goes on where the one before was stopped. With -kill-every=1 every order comes one write further.
func TestEraseStoppedAgainAndAgain(t *testing.T) {
	t.Parallel()
	c := filled(t)
	n, _ := c.opened(0)
	want := without(rows(t, n), "acme", one)
	c.close(n)
	stops := 0
	for at := 1; ; at += 1 + *every/20 {
		n, arm := c.opened(at)
		arm()
		_, left, err := c.erase(n, erase.Order{Customer: "acme", Patient: one, Reason: "asked by letter"})
		_ = n.Close()
		if err == nil {
			break
		}
		if errors.Is(err, erase.ErrLeft) || at > 300 {
			t.Fatalf("stop %d: %v: %q, %q", at, err, left.Holding, left.Unread)
		}
		stops++
	}
	n, _ = c.opened(0)
	defer func() { c.close(n) }()
	same(t, fmt.Sprintf("after %d stops", stops), rows(t, n), want)
	c.gone(one)
	sent, err := n.sweeper.Sweep(context.WithoutCancel(t.Context()), true)
	if err != nil || sent.Sent > 0 {
		t.Errorf("swept %+v, %v", sent, err)
	}
	c.replay(n)
	same(t, "replayed", rows(t, n), want)
	t.Logf("%d stops", stops)
}

// TestEraseRemovesAgain: what a merge beside it leaves behind is found by the search, and then removed.
func TestEraseRemovesAgain(t *testing.T) {
	t.Parallel()
	c := filled(t)
	n, _ := c.opened(0)
	defer c.close(n)
	cfg, discarded := n.erasing(nil), 0
	discard := cfg.Discard
	cfg.Discard = func(ctx context.Context, l erase.Leaving) error {
		if discarded++; discarded == 1 {
			return nil // as if the files were not there yet
		}
		return discard(ctx, l)
	}
	e, err := erase.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	_, left, err := e.Run(t.Context(), erase.Order{Customer: "acme", Patient: one, Reason: "asked"})
	if err != nil || discarded != 2 {
		t.Fatalf("removed %d times, %v: %q, %q", discarded, err, left.Holding, left.Unread)
	}
	c.gone(one)
}

// TestEraseOfAnotherLeavesTheFirstOpen: an erasure that was stopped is brought to its end by the next, of another patient,
// but only its own order searches for its patient and gets the certificate.
func TestEraseOfAnotherLeavesTheFirstOpen(t *testing.T) {
	t.Parallel()
	c := filled(t)
	n, _ := c.opened(0)
	want := without(without(rows(t, n), "acme", one), "acme", two)
	c.close(n)
	order := func(patient string) erase.Order {
		return erase.Order{Customer: "acme", Patient: patient, Reason: "asked"}
	}
	var begun []int64
	for at := 1; len(begun) == 0; at++ { // until the log has it
		n, arm := c.opened(at)
		arm()
		if _, _, err := c.erase(n, order(one)); err == nil {
			t.Fatal("it was not stopped")
		}
		_ = n.Close()
		n, _ = c.opened(0)
		e, closes, err := n.Eraser(t.Context(), nil)
		if err == nil {
			p, perr := e.Plan(t.Context(), order(two))
			begun, err = p.Open, errors.Join(perr, closes())
		}
		if err != nil {
			t.Fatal(err)
		}
		c.close(n)
	}
	n, _ = c.opened(0)
	defer func() { c.close(n) }()
	other, left, err := c.erase(n, order(two))
	if err != nil {
		t.Fatalf("%v: %q, %q", err, left.Holding, left.Unread)
	}
	if other.Uploads < 4 || len(other.Entries) != 1 || other.Entries[0] == begun[0] || !cmp.Equal(other.Open, begun) {
		t.Errorf("the other's certificate: %+v, begun %d", other, begun)
	}
	same(t, "both erased", rows(t, n), want)
	again := order(one)
	again.Resume = begun[0]
	own, left, err := c.erase(n, again)
	if err != nil || !cmp.Equal(own.Entries[:1], begun) || own.Uploads < 4 || len(own.Open) > 0 {
		t.Errorf("%+v, %v: %q", own, err, left.Holding)
	}
	if _, _, err := c.erase(n, again); !errors.Is(err, lake.ErrNotFound) {
		t.Errorf("once more: %v", err)
	}
	same(t, "confirmed", rows(t, n), want)
	c.gone(one)
	c.gone(two)
}
