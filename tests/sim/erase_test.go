package sim

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	crypto "crypto/rand"

	"medlake/functions/erase"
	"medlake/functions/ingest"
	"medlake/functions/maintain"
	"medlake/functions/merge"
	"medlake/shared/archive"
	"medlake/shared/archive/lock"
	"medlake/shared/lake"
	"medlake/shared/store/journal"
	"medlake/shared/transform"
)

// patients are those of a kind whose uploads are zips, and who of them is erased.
type patients struct {
	library *transform.Library
	texts   map[string]string // what a zip holds, as smallEngine would read it
	uploads [][2]string       // <customer>/<name>, zip
	last    string            // a zip that comes when all is done
	leaves  erase.Order
}

// clinic is zips of patients, read by metadata, one of whom wants to be erased.
func clinic(t *testing.T) kind {
	t.Helper()
	files := fstest.MapFS{
		"customers/acme/customer.yaml": {Data: []byte("customer: acme\nname: Acme\nzone: UTC\n")},
		"customers/bolt/customer.yaml": {Data: []byte("customer: bolt\nname: Bolt\nzone: UTC\n")},
		"feeds/visits.yaml":            {Data: []byte("feed: visits\nfrom: \"{customer}/visits/*.zip\"\nread: { as: csv }\ninto: v\n")},
		"tables/v.yaml": {Data: []byte(`
table: v
columns: { id: string!, at: long, event: string!, name: string phi(mrn), bed: string }
key: [id]
change: { order: [at], delete: event == "del", only: { bed: event == "move" }, keep: [name] }
`)},
	}
	library, faults := transform.Load(files)
	for _, f := range faults {
		t.Fatal(f)
	}
	v := library.Set().Tables[0]
	table := merge.Changing(v, library.Fold(v))
	p := &patients{library: library, texts: map[string]string{}, leaves: erase.Order{Customer: "acme", Patient: "mrn-4711", Reason: "asked"}}
	pack := func(rows string) string {
		text := "id,at,event,name,bed\n" + strings.ReplaceAll(rows, " ", "\n") + "\n"
		z, err := lock.Zip([]lock.File{{Name: "visits.csv", Data: []byte(text)}}, lock.Options{Random: crypto.Reader})
		if err != nil {
			t.Fatal(err)
		}
		p.texts[string(z)] = "rows " + rows
		return string(z)
	}
	p.last = pack("r,3,in,,b7")
	both := "p,1,in,mrn-4711,b1 q,1,in,mrn-0815,b2"
	k := kind{
		engine: ingest.Metadata(library), small: true, tables: []lake.Schema{table.Log, table.Current}, folds: []merge.Table{table},
		patients: p,
		goal:     goal{loads: 12, quarantine: map[string]int{"not_an_archive": 1}},
		uploads: [][2]string{
			{"acme/visits/one.zip@1", pack(both)},
			{"acme/visits/two.zip@2", pack("q,2,move,mrn-0815,b3")},
			{"acme/visits/three.zip@3", pack("p,2,move,mrn-4711,b4")}, // leaves as a whole
			{"acme/visits/again.zip@4", pack(both)},                   // a duplicate
			{"bolt/visits/one.zip@5", pack(both)},                     // another customer's
			{"acme/visits/hello.zip@6", "hello"},
			{"acme/visits/four.zip@7", pack("p,3,del,mrn-4711, r,1,in,mrn-1234,b5 q,,in,,")},
			{"acme/visits/five.zip@8", pack("r,2,move,mrn-1234,b6 q,3,del,,")},
			{"acme/visits/six.zip@9", pack("p,4,in,mrn-4711,b2 q,4,in,mrn-0815,b1")}, // so many are compacted
			{"acme/visits/seven.zip@10", pack("r,4,in,mrn-1234,b3")},
			{"acme/visits/eight.zip@11", pack("q,5,move,mrn-0815,b4")},
			{"acme/visits/nine.zip@12", pack("q,6,move,mrn-0815,b5")},
		},
	}
	p.uploads = k.uploads
	return k
}

// numbers are random ones of a world.
type numbers struct{ w *world }

func (n numbers) Read(b []byte) (int, error) {
	for part := range slices.Chunk(b, 8) {
		var word [8]byte
		binary.LittleEndian.PutUint64(word[:], n.w.rng.Uint64())
		copy(part, word[:])
	}
	return len(b), nil
}

// noSecrets are secrets that are not there.
type noSecrets struct{}

func (noSecrets) Lines(context.Context, string) ([]string, error) { return nil, lake.ErrNotFound }

// eraseOnce erases the patient who leaves, or goes on with it.
func eraseOnce(of *patients) func(*process) error {
	return func(p *process) error {
		f, err := p.ingest(p.engine)
		if err != nil {
			return err
		}
		m, err := p.maintainer()
		if err != nil {
			return err
		}
		cfg := erase.Config{
			Bucket: p.bucket, Journal: p.log, Library: of.library, Secrets: noSecrets{}, Random: numbers{p.world}, Name: p.attempt, Now: p.clock, Log: quiet,
			Tables: erase.Stored{Bucket: p.bucket, Tables: p.tables, Columns: of.library.Identifying()},
			Process: func(ctx context.Context, a lake.Arrival) error {
				_, err := f.Process(ctx, a, false)
				return err
			},
			Settle: func(context.Context) error {
				return errors.Join(commitRounds(1)(p), mergeRounds(1, p.folds[len(p.folds)-1])(p))
			},
			Rewrite: func(ctx context.Context, l erase.Leaving) error { return m.Rewrite(ctx, maintain.Purge(l)) },
			Discard: func(ctx context.Context, l erase.Leaving) error {
				_, err := m.Discard(ctx, maintain.Purge(l))
				return err
			},
		}
		if p.broken != nil && p.broken.erasing != nil {
			if err := p.broken.erasing(p, &cfg); err != nil {
				return err
			}
		}
		e, err := erase.New(cfg)
		if err != nil {
			return err
		}
		p.erased = false
		_, left, err := e.Run(p.ctx, of.leaves)
		if p.erased = err == nil; err != nil && p.trace != nil {
			p.trace(fmt.Sprint("left: ", left.Holding, left.Unread))
		}
		return err
	}
}

// text is what an upload holds, as smallEngine would read it.
func (w *world) text(arrival string) (string, error) {
	if text, ok := w.uploads[arrival]; ok {
		return text, nil
	}
	for o, err := range w.base.List(w.ctx, "landing/") {
		if err != nil {
			return "", err
		}
		a := w.base.Arrival(o)
		if _, of, ok := a.Rewritten(); ok && a.ID() == arrival {
			text, err := w.text(of)
			return w.patients.without(text), err
		}
	}
	return "", errors.New("it comes from no upload")
}

// without is a text without the rows of the patient who leaves.
func (p *patients) without(text string) string {
	var kept []string
	for _, word := range strings.Fields(text) {
		if !strings.Contains(word, p.leaves.Patient) {
			kept = append(kept, word)
		}
	}
	return strings.Join(kept, " ")
}

// change makes tables change once more: what is left over in one that does not would stay for ever.
func (w *world) change() error {
	w.chance = 0
	for _, customer := range []string{"acme", "bolt"} {
		e, err := w.upload(customer+"/visits/last.zip@9", w.patients.last, false)
		if err != nil {
			return err
		}
		w.drive(w.elder(processEvents(e)))
	}
	w.drive(w.elder(commitRounds(1)))
	w.drive(w.elder(mergeRounds(1, w.folds[len(w.folds)-1])))
	return nil
}

// Forget drops all states but the last.
func (c *catalog) Forget(_ context.Context, name string) error {
	t, err := c.table(name)
	if err != nil {
		return err
	}
	for i := range t.now() {
		t.versions[i].expired = i > 0
	}
	clear(t.held)
	t.forgot = append(t.forgot, forgot{t.now(), t.versions[t.now()].batch})
	return nil
}

// forgot says that no state before a snapshot can be restored by an entry after its number.
type forgot struct{ snapshot, batch int64 }

// passedOver reports whether entry n, which restores a state, came too late for it.
func (c *catalog) passedOver(r *lake.Restore, n int64) bool {
	t := c.tables[r.Table]
	return t != nil && slices.ContainsFunc(t.forgot, func(f forgot) bool { return r.Snapshot != 0 && r.Snapshot < f.snapshot && f.batch < n })
}

// checkOthers: the rows of all others are there still, unless a restore left them out.
func (w *world) checkOthers(goal) string {
	if w.patients == nil || slices.ContainsFunc(w.truth.entries, func(e *journal.Entry) bool { return e.Restore != nil && len(e.Restore.Exclude) > 0 }) {
		return ""
	}
	log := w.folds[0].Log.Table
	h, err := w.lake.Batch(w.ctx, log)
	if err != nil {
		return err.Error()
	}
	files, err := w.lake.Live(w.ctx, h, "")
	if err != nil {
		return err.Error()
	}
	rows, err := w.visible(w.schemas[log], files)
	if err != nil {
		return err.Error()
	}
	shown := map[row]bool{}
	for _, r := range rows {
		shown[row{Customer: r.Customer, ID: r.ID, At: r.At, Event: r.Event, Name: r.Name, Bed: r.Bed}] = true
	}
	for _, u := range w.patients.uploads {
		customer, _, _ := strings.Cut(u[0], "/")
		text := w.patients.texts[u[1]]
		if customer == w.patients.leaves.Customer {
			text = w.patients.without(text)
		}
		if text == "" {
			continue // it is none
		}
		all, _ := smallEngine{}.read(text, log)
		for _, r := range all {
			if r.Customer, r.N = customer, 0; !shown[r] {
				return fmt.Sprintf("the row %+v left with another patient's", r)
			}
		}
	}
	return ""
}

// checkErased: nothing in the bucket holds the patient who has left.
func (w *world) checkErased(goal) string {
	if w.patients == nil {
		return ""
	}
	found, err := erase.Scan{
		Bucket: w.base, Customer: w.patients.leaves.Customer, Limits: archive.Defaults(),
		Passwords: func(context.Context, string) ([]string, error) { return nil, nil },
	}.Find(w.ctx, w.patients.leaves.Patient)
	if err == nil && !found.Clean() {
		err = fmt.Errorf("%v hold who was erased, %v cannot be read", found.Holding, found.Unread)
	}
	if err != nil {
		return err.Error()
	}
	return ""
}
