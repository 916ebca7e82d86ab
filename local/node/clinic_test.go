package node

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"medlake/functions/erase"
	"medlake/functions/maintain"
	"medlake/local/demo"
	"medlake/shared/archive/lock"
	"medlake/shared/lake"
	"medlake/shared/store"
	"medlake/shared/store/faulty"
)

// Two patients of the samples. The first has records of every kind.
const (
	one = "50f5c05c-8359-508f-bc9c-dec89aad89e0"
	two = "95a09b48-2df4-e8f5-dd0c-51787252a3db"
)

// clinic is a lake of the samples, in which two customers have the same patients.
type clinic struct {
	t   *testing.T
	dir string
}

// opened opens the lake. Once armed, the call to its bucket that changes it and has number at, from 1, is the last that
// its process does.
func (c clinic) opened(at int) (n *Node, arm func()) {
	c.t.Helper()
	calls := -1
	n, err := Open(c.t.Context(), Config{
		Data: c.dir, Metadata: "../../metadata", Workers: 1, Log: slog.New(slog.DiscardHandler),
		layer: func(b *store.Bucket) *store.Bucket {
			over, _ := faulty.New(b, func(x faulty.Call) faulty.Fault {
				if calls < 0 || !x.IsWrite() {
					return faulty.None
				}
				if calls++; calls == at {
					return []faulty.Fault{faulty.Crash, faulty.CrashAfter}[at%2]
				}
				return faulty.None
			})
			return over
		},
	})
	if err != nil {
		c.t.Fatal(err)
	}
	return n, func() { calls = 0 }
}

func (c clinic) close(n *Node) {
	c.t.Helper()
	if err := n.Close(); err != nil {
		c.t.Error(err)
	}
}

// filled is a clinic whose uploads are in the tables; those that change were compacted with others.
func filled(t *testing.T) clinic {
	t.Helper()
	c := clinic{t, t.TempDir()}
	for customer, password := range demo.Customers() {
		file := filepath.Join(c.dir, "secrets", "zip", customer)
		if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o700), os.WriteFile(file, []byte(password), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	n, _ := c.opened(0)
	defer c.close(n)
	parcels, err := demo.Parcels()
	if err != nil {
		t.Fatal(err)
	}
	sample := func(name string) lock.File {
		data, err := os.ReadFile(filepath.Join("../demo/samples/synthea", name))
		if err != nil {
			t.Fatal(err)
		}
		return lock.File{Name: name, Data: data}
	}
	bad := "Id,BIRTHDATE,LAST\n" + one + ",long ago,X\nsomebody-else,1990-01-01,Y\n" + two + ",,Z\n"
	for _, p := range []struct {
		customer, path string
		files          []lock.File
	}{
		{"acme", "synthea/odd.zip", []lock.File{{Name: "patients.csv", Data: []byte(bad)}, {Name: "notes.txt", Data: []byte("about " + one)}, {Name: "more.txt", Data: []byte("about nobody")}}},
		{"acme", "synthea/" + one + ".zip", []lock.File{{Name: "patients.csv", Data: []byte("Id,BIRTHDATE,LAST\n" + one + ",1990-01-01,X\n")}}},
		{"acme", "synthea/for " + one + ".zip", []lock.File{{Name: "patients.csv", Data: []byte("Id,BIRTHDATE,LAST\nanother-one,1980-02-02,N\n")}}},
		{"acme", "unknown/letters.zip", []lock.File{{Name: "a.txt", Data: []byte("dear " + one)}, {Name: "b.txt", Data: []byte("dear you")}}},
		{"stmary", "synthea/clinical.zip", []lock.File{sample("encounters.csv"), sample("observations.csv"), sample("patients.csv")}},
	} {
		data, err := lock.Zip(p.files, lock.Options{Cipher: lock.AES256, Password: demo.Customers()[p.customer], Random: rand.Reader})
		if err != nil {
			t.Fatal(err)
		}
		parcels = append(parcels, demo.Parcel{Customer: p.customer, Path: p.path, Data: data})
	}
	for _, p := range parcels {
		if p.Customer == "lakeside" {
			continue
		}
		a, err := n.Store(t.Context(), p.Customer, p.Path, bytes.NewReader(p.Data))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := n.Ingest.Process(t.Context(), a, false); err != nil {
			t.Fatal(err)
		}
		if p.Path == "visits/1-admitted.zip" { // what changes later comes later
			if err := n.Settle(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := n.Settle(t.Context()); err != nil {
		t.Fatal(err)
	}
	c.replay(n)
	return c
}

// replay derives everything anew, and compacts what is there.
func (c clinic) replay(n *Node) {
	c.t.Helper()
	if _, err := n.Replayer.Request(c.t.Context(), lake.ReplayRequest{Reason: "test"}); err != nil {
		c.t.Fatal(err)
	}
	r, err := n.Replayer.Resume(c.t.Context())
	if err == nil {
		err = n.Settle(c.t.Context())
	}
	if err == nil {
		_, err = n.Maintainer.Round(c.t.Context(), maintain.Order{})
	}
	if err != nil || r.Derived == 0 || r.Gone > 0 {
		c.t.Fatalf("%+v, %v", r, err)
	}
}

// rows are the rows of all tables, by table and customer, with all columns but those that a rewritten upload changes.
func rows(t *testing.T, n *Node) map[string][]string {
	t.Helper()
	all := map[string][]string{}
	var parts []string
	for _, table := range n.Library.Set().Tables {
		columns := []string{lake.ColArrivedAt}
		for _, c := range table.Columns {
			columns = append(columns, c.Name)
		}
		parts = append(parts, fmt.Sprintf("SELECT '%s of ' || customer, concat_ws('|', %s) FROM %s", table.ID(), strings.Join(columns, ", "), table.ID()))
	}
	for _, row := range answer(t, n, strings.Join(parts, " UNION ALL ")) {
		all[row[0]] = append(all[row[0]], row[1])
	}
	for _, list := range all {
		slices.Sort(list)
	}
	return all
}

// without is what rows must be when the records of a patient have left.
func without(all map[string][]string, customer, patient string) map[string][]string {
	out := map[string][]string{}
	for key, list := range all {
		if strings.HasSuffix(key, " of "+customer) {
			list = slices.DeleteFunc(slices.Clone(list), func(row string) bool { return slices.Contains(strings.Split(row, "|"), patient) })
		}
		if len(list) > 0 {
			out[key] = list
		}
	}
	return out
}

func (c clinic) erase(n *Node, o erase.Order, copies ...string) (erase.Certificate, erase.Findings, error) {
	c.t.Helper()
	e, closes, err := n.Eraser(c.t.Context(), copies)
	if err != nil {
		c.t.Fatal(err)
	}
	defer func() {
		if err := closes(); err != nil {
			c.t.Error(err)
		}
	}()
	return e.Run(c.t.Context(), o)
}

// same compares what the tables hold.
func same(t *testing.T, what string, got, want map[string][]string) {
	t.Helper()
	for _, key := range slices.Sorted(maps.Keys(want)) {
		if d := cmp.Diff(want[key], got[key]); d != "" {
			t.Errorf("%s: %s: %d rows, want %d: %.300s", what, key, len(got[key]), len(want[key]), d)
		}
	}
	for key, list := range got {
		if want[key] == nil {
			t.Errorf("%s: %s has %d rows", what, key, len(list))
		}
	}
}

// gone checks that the id stands nowhere below the folder, but in what is another customer's.
func (c clinic) gone(id string) {
	c.t.Helper()
	err := filepath.Walk(c.dir, func(file string, info os.FileInfo, err error) error {
		if err != nil || info.IsDir() || strings.Contains(file, "stmary") {
			return err
		}
		data, err := os.ReadFile(file)
		if bytes.Contains(data, []byte(id)) || strings.Contains(file, id) {
			c.t.Errorf("%s has it", strings.TrimPrefix(file, c.dir))
		}
		return err
	})
	if err != nil {
		c.t.Fatal(err)
	}
}
