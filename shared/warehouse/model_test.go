package warehouse

import (
	"bytes"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"

	"medlake/shared/datafile"
	"medlake/shared/lake"
	"medlake/shared/store"
	"medlake/shared/transform/column"
)

// model is a table beside a map of what it must hold.
type model struct {
	t     *testing.T
	w     *Warehouse
	b     *store.Bucket
	s     lake.Schema
	rand  *rand.Rand
	made  int
	files map[string]*modelled // live, by URL
}

// modelled is one live file: the ids and loads of its rows in order, and which of them are hidden.
type modelled struct {
	lake.DataFile
	ids, loads []string
	hidden     []bool
}

func newModel(t *testing.T, seed uint64) *model {
	b, err := store.Open(t.Context(), "mem://")
	if err != nil {
		t.Fatal(err)
	}
	w := openOn(t, t.TempDir(), b)
	want := visits(t)
	want.Partition = []string{byCustomer}
	return &model{t: t, w: w, b: b, s: ensure(t, w, want, 0), rand: rand.New(rand.NewPCG(seed, seed)), files: map[string]*modelled{}}
}

// file writes rows of a customer, of the given loads.
func (m *model) file(customer string, ids, loads []string) *modelled {
	batch := column.New(m.s.Columns)
	for row := range ids {
		for i := range batch.Columns {
			switch c := &batch.Columns[i]; c.Name {
			case lake.ColCustomer:
				c.AppendString(customer)
			case lake.ColLoad:
				c.AppendString(loads[row])
			case "visit_id":
				c.AppendString(ids[row])
			case "mrn", "charge":
				c.AppendNull()
			default:
				c.AppendInt(int64(row))
			}
		}
		batch.EndRow()
	}
	m.made++
	_, f := write(m.t, m.b, m.s, fmt.Sprintf("customer=%s/%016x.parquet", customer, m.rand.Uint64()), batch)
	f.Customer = customer
	return &modelled{DataFile: f, ids: ids, loads: loads, hidden: make([]bool, len(ids))}
}

// fresh makes a file of new rows, of two loads of which one was there before.
func (m *model) fresh() *modelled {
	var ids, loads []string
	first := m.rand.IntN(30)
	for range 1 + m.rand.IntN(20) {
		m.made++
		ids = append(ids, "v"+strconv.Itoa(m.made))
		loads = append(loads, fmt.Sprintf("a-load-with-a-long-name-%02d", first+m.rand.IntN(2)))
	}
	return m.file(fmt.Sprint("c", m.rand.IntN(3)), ids, loads)
}

// some picks live files of one customer.
func (m *model) some() []*modelled {
	var of []*modelled
	customer := fmt.Sprint("c", m.rand.IntN(3))
	for _, p := range slices.Sorted(maps.Keys(m.files)) {
		if f := m.files[p]; f.Customer == customer && m.rand.IntN(3) == 0 {
			of = append(of, f)
		}
	}
	return of
}

// hide writes position deletes of random rows of files of one customer.
func (m *model) hide(of []*modelled) []lake.DataFile {
	var at []datafile.Position
	for _, f := range of {
		for row := range f.ids {
			if m.rand.IntN(4) == 0 {
				at = append(at, datafile.Position{Path: f.Path, Row: int64(row)})
				f.hidden[row] = true
			}
		}
	}
	if len(at) == 0 {
		return nil
	}
	var buf bytes.Buffer
	d, err := datafile.WriteDeletes(&buf, at)
	if err != nil {
		m.t.Fatal(err)
	}
	m.made++
	key := fmt.Sprintf("%sdata/%016x-deletes.parquet", store.TablePrefix(m.s.Table), m.rand.Uint64())
	if err := m.b.Put(m.t.Context(), key, buf.Bytes()); err != nil {
		m.t.Fatal(err)
	}
	d.Path, d.Customer = m.b.URL(key), of[0].Customer
	return []lake.DataFile{d}
}
