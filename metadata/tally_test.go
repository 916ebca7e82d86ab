package metadata_test

import (
	"bytes"
	"encoding/binary"
	"io"
	"math"
	"math/big"
	"os"
	"path/filepath"
	"testing"
	"time"

	"medlake/shared/lake"
	"medlake/shared/metadata"
	"medlake/shared/transform"
	"medlake/shared/transform/column"
)

// data is the folder of the real files.
func data(t *testing.T) string {
	t.Helper()
	dir := os.Getenv("MEDLAKE_DATA")
	if dir == "" {
		dir = "../../shared/data"
	}
	if _, err := os.Stat(filepath.Join(dir, "EXPECTED.csv")); err != nil {
		t.Skipf("no real files in %s: set MEDLAKE_DATA to their folder", dir)
	}
	return dir
}

// file is a real file as a member of an archive.
type file string

func (f file) Bytes() ([]byte, error)         { return os.ReadFile(string(f)) }
func (f file) Reader() (io.ReadCloser, error) { return os.Open(string(f)) }

// tally counts what lands in one table.
type tally struct {
	table  *metadata.Table
	rows   int64
	nulls  map[string]int64
	sums   map[string]*big.Rat
	values map[string]map[string]int64 // column -> value -> rows
	keys   map[string]int64
	// document_entries alone: rows and observations by section
	entries, observations map[string]int64
}

// load runs files through the feed that takes name, as members of one archive, and tallies what lands. As many rows as
// rejects says must be rejected.
func load(t *testing.T, lib *transform.Library, rejects int64, name string, files ...string) map[string]*tally {
	t.Helper()
	match, err := lib.Match(name)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]*tally{}
	tables := match.Program.Tables()
	for _, table := range tables {
		out[table.Name] = &tally{table: table, nulls: map[string]int64{}, sums: map[string]*big.Rat{}, values: map[string]map[string]int64{}, keys: map[string]int64{}, entries: map[string]int64{}, observations: map[string]int64{}}
	}
	run := match.NewRun(transform.Origin{Load: "load", ArrivedAt: time.Unix(0, 0), Flush: func(i int, b *column.Batch) error {
		if i < len(tables) {
			out[tables[i].Name].add(b)
		}
		return nil
	}})
	defer run.Release()
	for i, f := range files {
		if wanted, err := run.Member(i, filepath.Base(f), file(f)); err != nil || !wanted {
			t.Errorf("%s: wanted %v, error %v", f, wanted, err)
		}
	}
	counts, warnings, err := run.Finish()
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	for _, c := range counts {
		rejects -= c.Rejected
	}
	if rejects != 0 {
		t.Errorf("%s: %d rows more than wanted are rejected: %+v", name, -rejects, out["rejects"].values)
	}
	for _, w := range warnings {
		t.Logf("warning: %+v", w)
	}
	return out
}

func (y *tally) add(b *column.Batch) {
	keys := make([][]byte, b.Rows)
	for i := range b.Columns {
		c := &b.Columns[i]
		counts := y.values[c.Name]
		if counts == nil {
			counts = map[string]int64{}
			y.values[c.Name], y.sums[c.Name] = counts, new(big.Rat)
		}
		next := 0
		for row := range b.Rows {
			if c.Valid[row] == 0 {
				y.nulls[c.Name]++
				continue
			}
			text, number := cell(c, next)
			next++
			counts[string(text)]++
			if number != nil {
				y.sums[c.Name].Add(y.sums[c.Name], number)
			}
			for _, k := range y.table.Key {
				if k == c.Name {
					keys[row] = binary.AppendUvarint(keys[row], uint64(len(text)))
					keys[row] = append(keys[row], text...)
				}
			}
		}
	}
	for _, k := range keys {
		y.keys[string(k)]++
	}
	if y.table.Name == "document_entries" {
		section, observations := find(b, "section"), find(b, "observations") // both are required: value i is of row i
		for row := range b.Rows {
			name, _ := cell(section, row)
			y.entries[string(name)]++
			y.observations[string(name)] += observations.Ints[row]
		}
	}
	y.rows += int64(b.Rows)
}

func find(b *column.Batch, name string) *column.Column {
	for i := range b.Columns {
		if b.Columns[i].Name == name {
			return &b.Columns[i]
		}
	}
	return nil
}

// cell returns value i of a column as text, and as a number if it is one.
func cell(c *column.Column, i int) (text []byte, number *big.Rat) {
	switch c.Type.Kind {
	case lake.String:
		start := uint32(0)
		if i > 0 {
			start = c.Ends[i-1]
		}
		return bytes.Clone(c.Data[start:c.Ends[i]]), nil
	case lake.Boolean:
		return []byte{c.Bools[i]}, nil
	case lake.Double:
		return binary.BigEndian.AppendUint64(nil, math.Float64bits(c.Floats[i])), new(big.Rat).SetFloat64(c.Floats[i])
	}
	scale := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(c.Type.Scale)), nil)
	return binary.BigEndian.AppendUint64(nil, uint64(c.Ints[i])), new(big.Rat).SetFrac(big.NewInt(c.Ints[i]), scale)
}
