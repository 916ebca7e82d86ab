package ingest_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"medlake/functions/ingest"
	"medlake/shared/archive/lock"
	"medlake/shared/lake"
	"medlake/shared/store"
	"medlake/shared/warehouse"
)

func TestZipBecomesFilesAndOneRecord(t *testing.T) {
	t.Parallel()
	d := open(t, store.FileURL(t.TempDir()))
	woken := 0
	f := d.ingest(t, func(c *ingest.Config) { c.Wake = func() { woken++ } })
	a := d.upload(t, "acme/visits/SMITH_JOHN.zip", locked(t))
	got := d.process(t, f, a)
	want := ingest.Result{
		Arrival: a.ID(), Load: got.Load, Status: lake.Loaded, Rejects: 1,
		Rows: map[string]int64{"lake.visits": 1, "lake.beds": 2},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	p := d.pending(t, a)
	if diff := cmp.Diff(a, p.Arrival); diff != "" {
		t.Error(diff)
	}
	tables := []lake.TableFiles{
		{Table: "lake.visits", Schema: 1, Read: 3, Committed: 1, Filtered: 1, Rejected: 1},
		{Table: "lake.beds", Schema: 1, Read: 2, Committed: 2},
		{Table: lake.OpsRejects, Schema: 1, Read: 1, Committed: 1},
	}
	if diff := cmp.Diff(tables, p.Record.Tables, cmpopts.IgnoreFields(lake.TableFiles{}, "Files")); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]int{2}, p.Record.Unmatched); diff != "" || p.Record.Entries != 3 {
		t.Errorf("%d entries, unmatched %s", p.Record.Entries, diff)
	}
	for _, c := range []struct {
		table, column string
		want          []string
	}{
		{"lake.visits", "visit_id", []string{"V1"}},
		{"lake.beds", "bed", []string{"B1", "B2"}},
		{"lake.beds", lake.ColLoad, []string{got.Load, got.Load}},
		{lake.OpsRejects, "rule", []string{"type"}},
		{lake.OpsRejects, lake.ColRow, []string{"3"}},
	} {
		if diff := cmp.Diff(c.want, d.values(t, p.Record, c.table, c.column)); diff != "" {
			t.Errorf("%s.%s: %s", c.table, c.column, diff)
		}
	}
	for _, f := range p.Record.Tables[0].Files {
		if want := "/customer=acme/month="; !strings.Contains(f.Path, want) || f.Customer != "acme" {
			t.Errorf("file %s of customer %s", f.Path, f.Customer)
		}
	}
	if woken != 1 {
		t.Errorf("woken %d times", woken)
	}
	for _, word := range []string{"SMITH", "visits.zip", "many", "V3", "sesame"} {
		if strings.Contains(d.logs.String(), word) {
			t.Errorf("the log tells %s: %s", word, d.logs)
		}
	}
}

// TestSameMembersAreTheSameLoad: locked again, with another password and cipher, under another name.
func TestSameMembersAreTheSameLoad(t *testing.T) {
	t.Parallel()
	d := open(t, "mem://")
	f := d.ingest(t, nil)
	members := map[string]string{"visits.csv": visits}
	first := d.process(t, f, d.upload(t, "acme/visits/1.zip", zip(t, lock.AES256, "open sesame", members)))
	for i, again := range [][]byte{
		zip(t, lock.AES256, "open sesame", members),
		zip(t, lock.ZipCrypto, "old one", members),
		zip(t, lock.None, "", map[string]string{"visits.csv": visits}),
	} {
		a := d.upload(t, "acme/visits/2.zip", again)
		got := d.process(t, f, a)
		if diff := cmp.Diff(ingest.Result{Arrival: a.ID(), Load: first.Load, Status: lake.Duplicate}, got); diff != "" {
			t.Errorf("upload %d: %s", i, diff)
		}
	}
	other := d.process(t, f, d.upload(t, "acme/visits/1.zip", zip(t, lock.None, "", map[string]string{"visits.csv": visits + "V4,,\n"})))
	if other.Status != lake.Loaded || other.Load == first.Load {
		t.Errorf("other members: %+v", other)
	}
}

func TestEveryArrivalCountsWhereTheFeedSaysSo(t *testing.T) {
	t.Parallel()
	d := open(t, "mem://")
	f := d.ingest(t, nil)
	z := zip(t, lock.None, "", map[string]string{"beds.csv": "bed\nB1\n"})
	a := d.process(t, f, d.upload(t, "acme/notes/1.zip", z))
	b := d.process(t, f, d.upload(t, "acme/notes/2.zip", z))
	if a.Status != lake.Loaded || b.Status != lake.Loaded || a.Load == b.Load {
		t.Errorf("got %+v and %+v, want two loads", a, b)
	}
}

func TestRefusalsGoToQuarantineWithTheirReason(t *testing.T) {
	t.Parallel()
	d := open(t, "mem://")
	f := d.ingest(t, nil)
	csv := func(s string) []byte { return zip(t, lock.None, "", map[string]string{"visits.csv": s}) }
	for _, c := range []struct {
		path string
		data []byte
		want lake.Reason
	}{
		{"nobody/visits/1.zip", locked(t), lake.UnknownCustomer},
		{"acme/letters/1.zip", locked(t), lake.UnknownFeed},
		{"acme/visits/1.zip", []byte("hello"), lake.NotAnArchive},
		{"acme/visits/1.zip", nil, lake.NotAnArchive},
		{"acme/visits/1.zip", locked(t)[:200], lake.Truncated},
		{"acme/visits/1.zip", zip(t, lock.AES256, "guess", map[string]string{"visits.csv": visits}), lake.WrongPassword},
		{"acme/visits/1.zip", zip(t, lock.None, "", map[string]string{"readme.txt": "hello"}), lake.NoMember},
		{"acme/visits/1.zip", csv("visit_id,event,beds\nV1,A,1000\nV2,A,2000\n"), lake.Budget},
	} {
		a := d.upload(t, c.path, c.data)
		got := d.process(t, f, a)
		if got.Status != lake.Quarantined || got.Reason != c.want || len(got.Rows) > 0 {
			t.Errorf("%s: got %+v", c.want, got)
		}
		p := d.pending(t, a)
		if p.Record.Reason != c.want || p.Record.Arrival != a.ID() || len(p.Record.Tables) > 0 {
			t.Errorf("%s: pending %+v", c.want, p.Record)
		}
		if again := d.process(t, f, a); again.Load != got.Load {
			t.Errorf("%s: processed again it is load %s, was %s", c.want, again.Load, got.Load)
		}
	}
}

// TestSameBytesGetAnotherChanceAfterAFix: a refusal belongs to its arrival, not to its bytes.
func TestSameBytesGetAnotherChanceAfterAFix(t *testing.T) {
	t.Parallel()
	d := open(t, "mem://")
	without := d.ingest(t, func(c *ingest.Config) { c.Secrets = nil })
	refused := d.process(t, without, d.upload(t, "acme/visits/1.zip", locked(t)))
	loaded := d.process(t, d.ingest(t, nil), d.upload(t, "acme/visits/1.zip", locked(t)))
	if refused.Reason != lake.WrongPassword || loaded.Status != lake.Loaded {
		t.Errorf("got %+v, then %+v", refused, loaded)
	}
}

func TestArrivalsThatAreNone(t *testing.T) {
	t.Parallel()
	d := open(t, "mem://")
	f := d.ingest(t, nil)
	a := d.upload(t, "acme/visits/1.zip", locked(t))
	for name, change := range map[string]func(*lake.Arrival){
		"another bucket": func(a *lake.Arrival) { a.Bucket = "s3://other/" },
		"not there":      func(a *lake.Arrival) { a.Key += "x" },
		"replaced":       func(a *lake.Arrival) { a.Version += "x" },
		"not in landing": func(a *lake.Arrival) { a.Key = "loads/acme/2026-11-24/x" },
	} {
		b := a
		change(&b)
		if _, err := f.Process(t.Context(), b, false); !errors.Is(err, lake.ErrInvalid) {
			t.Errorf("%s: got %v, want ErrInvalid", name, err)
		}
	}
}

// TestColumnThatIsNotPublishedYetPasses: metadata may be ahead of the tables.
func TestColumnThatIsNotPublishedYetPasses(t *testing.T) {
	t.Parallel()
	d := open(t, "mem://")
	behind := true
	f := d.ingest(t, func(c *ingest.Config) {
		c.Schemas = func(ctx context.Context, table string) (lake.Schema, error) {
			s, err := warehouse.PublishedSchema(ctx, d.bucket, table)
			if behind {
				s.Columns = s.Columns[:len(s.Columns)-1]
			}
			return s, err
		}
	})
	a := d.upload(t, "acme/visits/1.zip", locked(t))
	if _, err := f.Process(t.Context(), a, false); err == nil || errors.Is(err, lake.ErrInvalid) {
		t.Errorf("got %v, want an error that passes", err)
	}
	behind = false
	if r := d.process(t, f, a); r.Status != lake.Loaded {
		t.Errorf("got %+v", r)
	}
}
