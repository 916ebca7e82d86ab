package warehouse

import (
	"encoding/binary"
	"fmt"
	"path/filepath"
	"testing"

	"medlake/shared/lake"
	"medlake/shared/store"
)

// BenchmarkFiles lists 5,000 files of 40 columns: by a process that just started, and after each change of another one
// that takes a file out and puts one in.
func BenchmarkFiles(b *testing.B) {
	dir := b.TempDir()
	bucket, err := store.Open(b.Context(), store.FileURL(dir))
	if err != nil {
		b.Fatal(err)
	}
	open := func() *Warehouse {
		w, err := Open(b.Context(), "sqlite://"+filepath.Join(dir, "catalog.db"), bucket)
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { _ = w.Close() })
		return w
	}
	w := open()
	want := lake.Schema{Table: "lake.t", Partition: []string{byCustomer}, Columns: lake.SystemColumns()}
	for i := range 40 {
		want.Columns = append(want.Columns, lake.Column{Name: fmt.Sprint("c", i), Type: lake.Type{Kind: lake.String}, Bounds: i < 30})
	}
	s, err := w.Ensure(b.Context(), want, 0)
	if err != nil {
		b.Fatal(err)
	}
	made := 0
	file := func() lake.DataFile {
		f := fakeFile(bucket, s, fmt.Sprint("c", made%100), made)
		f.ColumnBytes, f.Values, f.Nulls, f.Lower, f.Upper = map[int]int64{}, map[int]int64{}, map[int]int64{}, map[int][]byte{}, map[int][]byte{}
		for _, c := range s.Columns {
			f.ColumnBytes[c.ID], f.Values[c.ID], f.Nulls[c.ID] = 100, 10, 0
			if c.Bounds {
				f.Lower[c.ID], f.Upper[c.ID] = binary.BigEndian.AppendUint64(nil, uint64(made)), binary.BigEndian.AppendUint64(nil, uint64(made+1000))
			}
		}
		made++
		return f
	}
	change := func(w *Warehouse, c Change) {
		h, err := w.Batch(b.Context(), s.Table)
		c.Batch = h.Batch + 1
		if err == nil {
			err = w.Apply(b.Context(), h, c)
		}
		if err != nil {
			b.Fatal(err)
		}
	}
	for range 50 {
		var c Change
		for range 100 {
			c.Add = append(c.Add, file())
		}
		change(w, c)
	}
	list := func(w *Warehouse) []LiveFile {
		h, err := w.Batch(b.Context(), s.Table)
		if err != nil {
			b.Fatal(err)
		}
		files, err := w.Live(b.Context(), h, "")
		if err != nil || len(files) != 5000 {
			b.Fatal(len(files), err)
		}
		return files
	}
	b.Run("first", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			list(open())
		}
	})
	b.Run("again", func(b *testing.B) {
		other := open()
		for b.Loop() {
			b.StopTimer()
			change(w, Change{Add: []lake.DataFile{file()}, Remove: []string{list(w)[made%5000].Path}})
			b.StartTimer()
			list(other)
		}
	})
	b.Run("replace", func(b *testing.B) {
		for b.Loop() {
			change(w, Change{Add: []lake.DataFile{file()}, Remove: []string{list(w)[made%5000].Path}})
		}
	})
}
