package restore_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"medlake/functions/restore"
	"medlake/shared/lake"
	"medlake/shared/store"
	"medlake/shared/store/faulty"
	"medlake/shared/warehouse"
)

const table = "lake.words"

func want(t *testing.T, got []string, words ...string) {
	t.Helper()
	if !slices.Equal(got, words) {
		t.Errorf("got %v, want %v", got, words)
	}
}

// What came later comes back, but for what is excluded; and that stays out of later restores too, unless one goes back to
// before it was left out.
func TestLaterLoadsComeBackButForTheExcluded(t *testing.T) {
	t.Parallel()
	d := open(t, table)
	loads := d.loaded(t, []string{table}, "a", "b", "c", "d")
	first := d.at(t, table, 2)
	p := d.back(t, table, first)
	want(t, d.words(t, table), "a", "b", "c", "d")
	if len(p.Tables) != 1 || len(p.Tables[0].Undone) != 2 || p.Rows() != 2 || p.Tables[0].Undone[0].Load != loads[2] ||
		p.Tables[0].Undone[0].Receipt[0].Feed != "words" || !slices.Contains(p.Loads(), loads[3]) {
		t.Errorf("plan %+v", p)
	}
	d.back(t, table, first, loads[2])
	want(t, d.words(t, table), "a", "b", "d")
	d.loaded(t, []string{table}, "e")
	p = d.back(t, table, first)
	want(t, d.words(t, table), "a", "b", "d", "e")
	if u := p.Tables[0].Undone; !u[0].Out || u[1].Out || p.Rows() != 2 {
		t.Errorf("plan %+v", p)
	}
	d.back(t, table, d.at(t, table, 4)) // when c was there
	want(t, d.words(t, table), "a", "b", "c", "d", "e")
	p = d.back(t, "", first, p.Loads()...)
	want(t, d.words(t, table), "a", "b")
	if u := p.Tables[0].Undone; u[0].Out {
		t.Errorf("plan %+v", p)
	}
}

// A plan to empty a table is worth nothing once the table's first state is gone: files of what came after it may be, too.
func TestSlowRestoreToTheEmptyTable(t *testing.T) {
	t.Parallel()
	d := open(t, table)
	d.loaded(t, []string{table}, "a", "b")
	r := d.restorer(t, d.bucket)
	plan := func() restore.Plan {
		p, err := r.Plan(t.Context(), table, d.at(t, table, 0))
		if err != nil || p.Tables[0].Snapshot.ID != 0 {
			t.Fatalf("%+v, %v", p, err)
		}
		return p
	}
	slow := plan()
	if _, err := r.Restore(t.Context(), plan(), nil, "test"); err != nil {
		t.Fatal(err)
	}
	d.round(t)
	want(t, d.words(t, table), "a", "b")
	if err := d.warehouse.Forget(t.Context(), table); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Restore(t.Context(), slow, nil, "test"); !errors.Is(err, lake.ErrNotFound) {
		t.Errorf("the first state is gone: %v", err)
	}
}

func TestAllTablesGoBackToOneTime(t *testing.T) {
	t.Parallel()
	d := open(t, table, "lake.more", "lake.idle", "lake.visits_log", "lake.visits")
	d.loaded(t, []string{table, "lake.visits_log"}, "a")
	d.names = d.names[:len(d.names)-1] // from here on the last is made from its log
	made, err := d.warehouse.Batch(t.Context(), "lake.visits")
	if err == nil {
		err = d.warehouse.Apply(t.Context(), made, warehouse.Change{Fold: "v1", Batch: 1, Add: []lake.DataFile{d.file(t, "lake.visits", "load", "a", time.Now())}})
	}
	if err != nil {
		t.Fatal(err)
	}
	to := d.at(t, "lake.visits_log", 1)
	if other := d.at(t, table, 1); other.After(to) {
		to = other
	}
	loads := d.loaded(t, []string{table, "lake.more"}, "b")
	r := d.restorer(t, d.bucket)
	p, err := r.Plan(t.Context(), "", to)
	if err != nil || len(p.Tables) != 2 {
		t.Fatalf("plan %+v, %v", p, err)
	}
	done, err := r.Restore(t.Context(), p, p.Loads(), "")
	if err != nil || len(done) != 2 || done[0].Entry+1 != done[1].Entry {
		t.Fatalf("%v, %v", done, err)
	}
	d.round(t)
	want(t, d.words(t, table), "a")
	want(t, d.words(t, "lake.more"))
	want(t, d.words(t, "lake.visits_log"), "a")
	d.loaded(t, []string{"lake.more"}, "c")
	want(t, d.words(t, "lake.more"), "c")
	if p, err := r.Plan(t.Context(), "lake.visits", d.at(t, "lake.visits_log", 0)); err != nil || p.Tables[0].Table != "lake.visits_log" {
		t.Errorf("plan of a table that changes: %+v, %v", p, err)
	}
	for name, wrong := range map[string]error{lake.OpsLoads: lake.ErrInvalid, "lake.none": lake.ErrNotFound} {
		if _, err := r.Plan(t.Context(), name, to); !errors.Is(err, wrong) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if p, err = r.Plan(t.Context(), "lake.more", to); err != nil {
		t.Fatal(err)
	}
	if done, err := r.Restore(t.Context(), p, []string{loads[0], "another"}, ""); !errors.Is(err, lake.ErrInvalid) || len(done) != 0 {
		t.Errorf("a load that the plan lacks: %v, %v", done, err)
	}
}

// A load whose file was deleted cannot be committed again: the restore is refused before anything is done.
func TestLoadsThatLostFilesMustBeExcluded(t *testing.T) {
	t.Parallel()
	d := open(t, table)
	loads := d.loaded(t, []string{table}, "a", "b")
	to := d.at(t, table, 1)
	if err := d.bucket.Delete(t.Context(), store.TablePrefix(table)+"data/"+loads[1]+".parquet"); err != nil {
		t.Fatal(err)
	}
	r := d.restorer(t, d.bucket)
	p, err := r.Plan(t.Context(), table, to)
	if err != nil || !p.Tables[0].Undone[0].Gone {
		t.Fatalf("plan %+v, %v", p, err)
	}
	if _, err := r.Restore(t.Context(), p, nil, ""); !errors.Is(err, lake.ErrInvalid) {
		t.Errorf("got %v", err)
	}
	d.back(t, table, to, loads[1])
	want(t, d.words(t, table), "a")
}

// paused lets a commit stop before it takes effect.
type paused struct {
	*warehouse.Warehouse
	reached, goOn chan struct{}
}

func (p *paused) Apply(ctx context.Context, h warehouse.Head, c warehouse.Change) error {
	p.reached <- struct{}{}
	<-p.goOn
	return p.Warehouse.Apply(ctx, h, c)
}

// A committer stands still between reading the table and changing it, while the table is restored to the very state that
// it has read. Its change must not take effect.
func TestPausedCommitFailsAfterARestore(t *testing.T) {
	t.Parallel()
	d := open(t, table)
	d.loaded(t, []string{table}, "a")
	to := d.at(t, table, 1)
	b := d.arrive(t, "b", table)
	p := &paused{d.warehouse, make(chan struct{}, 10), make(chan struct{})}
	c := d.committer(t, p)
	result := make(chan error)
	go func() {
		_, err := c.Round(t.Context())
		result <- err
	}()
	<-p.reached
	d.round(t) // another one is faster
	want(t, d.words(t, table), "a", "b")
	d.back(t, table, to, b)
	want(t, d.words(t, table), "a")
	close(p.goOn)
	if err := <-result; err == nil {
		t.Error("the paused commit took effect")
	}
	want(t, d.words(t, table), "a")
	d.loaded(t, []string{table}, "c")
	want(t, d.words(t, table), "a", "c")
}

// Whatever call fails, loses its reply or is the last: doing it again ends in the same rows.
func TestRestoreUnderFaults(t *testing.T) {
	t.Parallel()
	for i, fault := range faulty.Faults() {
		t.Run(fault.String(), func(t *testing.T) {
			t.Parallel()
			for nth := i; ; nth += 2 {
				d := open(t, table)
				loads := d.loaded(t, []string{table}, "a", "b", "c")
				to := d.at(t, table, 1)
				bad, driver := faulty.New(d.bucket, faulty.Nth(nth, fault))
				r := d.restorer(t, bad)
				p, err := r.Plan(t.Context(), table, to)
				if err == nil {
					_, err = r.Restore(t.Context(), p, loads[1:2], "")
				}
				d.round(t)
				if got := d.words(t, table); err == nil && len(got) != 2 {
					t.Errorf("call %d: %v after %v", nth, got, err)
				}
				d.back(t, table, to, loads[1])
				want(t, d.words(t, table), "a", "c")
				if len(driver.Calls()) <= nth {
					break
				}
			}
		})
	}
}

// BenchmarkRestore puts 100 tables back to a time, in files as a lake of one machine has them: plan, log and commit, with
// loads before the time, after it, and some of these excluded.
func BenchmarkRestore(b *testing.B) {
	const tables = 100
	names := make([]string, tables)
	for i := range names {
		names[i] = fmt.Sprintf("lake.t%03d", i)
	}
	dir := b.TempDir()
	bucket, err := store.Open(b.Context(), store.FileURL(filepath.Join(dir, "lake")))
	if err != nil {
		b.Fatal(err)
	}
	w, err := warehouse.Open(b.Context(), "sqlite://"+filepath.Join(dir, "catalog.db"), bucket)
	if err != nil {
		b.Fatal(err)
	}
	d := on(b, bucket, w, names...)
	d.loaded(b, names, "a", "b")
	to := time.Now()
	d.at(b, names[0], 2)
	loads := d.loaded(b, names, "c", "d", "e")
	for b.Loop() {
		var p restore.Plan
		r := d.restorer(b, bucket)
		if p, err = r.Plan(b.Context(), "", to); err == nil {
			_, err = r.Restore(b.Context(), p, loads[:1], "benchmark")
		}
		if err != nil || len(p.Tables) != tables {
			b.Fatalf("%d tables, %v", len(p.Tables), err)
		}
		d.round(b)
	}
	b.ReportMetric(b.Elapsed().Seconds()/float64(b.N), "s/100tables")
	for _, name := range names {
		if got := d.words(b, name); !slices.Equal(got, []string{"a", "b", "d", "e"}) {
			b.Fatalf("%s holds %v", name, got)
		}
	}
}
