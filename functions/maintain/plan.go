package maintain

import (
	"cmp"
	"context"
	"path"
	"slices"
	"strings"

	"medlake/shared/datafile"
	"medlake/shared/lake"
	"medlake/shared/warehouse"
)

// Group is files of one partition that become one.
type Group struct {
	Customer string
	Month    int32 // since January 1970; 0 where the table has no such partition
	Why      Reason
	Files    []warehouse.LiveFile // by path
}

// Reason is why files are compacted.
type Reason string

// The reasons.
const (
	Small  Reason = "small"  // there are many small ones
	Holes  Reason = "holes"  // much of them is deleted
	Strewn Reason = "strewn" // too many delete files touch them
)

// Bytes is the size of the group's files.
func (g *Group) Bytes() (n int64) {
	for i := range g.Files {
		n += g.Files[i].Bytes
	}
	return n
}

const (
	manySmall   = 8    // so many small files are worth a rewrite
	manyDeletes = 100  // so are files that so many delete files touch
	maxFiles    = 5000 // in a group
	deletedPart = 0.3  // so are files of which this much is deleted
)

// plan groups the files of a table that should be rewritten, by partition. Files that are well sized and have few deleted
// rows stay as they are.
func (w *work) plan(ctx context.Context, files []warehouse.LiveFile) ([]Group, error) {
	type part struct {
		customer string
		month    int32
	}
	parts := map[part][]warehouse.LiveFile{}
	var order []part
	for _, f := range files {
		p := part{f.Customer, f.Month}
		if parts[p] == nil {
			order = append(order, p)
		}
		parts[p] = append(parts[p], f)
	}
	slices.SortFunc(order, func(a, b part) int {
		return cmp.Or(cmp.Compare(a.customer, b.customer), cmp.Compare(a.month, b.month))
	})
	var groups []Group
	for _, p := range order {
		of, err := w.partition(ctx, parts[p])
		if err != nil {
			return nil, err
		}
		for _, g := range of {
			g.Customer, g.Month = p.customer, p.month
			slices.SortFunc(g.Files, func(a, b warehouse.LiveFile) int { return cmp.Compare(a.Path, b.Path) })
			groups = append(groups, g)
		}
	}
	return groups, nil
}

// partition groups the files of one partition.
func (w *work) partition(ctx context.Context, files []warehouse.LiveFile) ([]Group, error) {
	deleted, err := w.deleted(ctx, files)
	if err != nil {
		return nil, err
	}
	var small, holes, strewn []warehouse.LiveFile
	for _, f := range files {
		switch {
		case manyDeleted(int64(len(deleted[f.Path])), f.Rows):
			holes = append(holes, f)
		case len(f.Deletes) >= manyDeletes:
			strewn = append(strewn, f)
		case f.Bytes < w.smallBelow():
			small = append(small, f)
		}
	}
	groups := w.pack(nil, Holes, 1, holes)
	groups = w.pack(groups, Strewn, 1, strewn)
	return w.pack(groups, Small, 2, alike(small)), nil
}

func manyDeleted(n, of int64) bool { return n > 0 && float64(n) >= deletedPart*float64(of) }

// smallBelow is the size in bytes below which a file is small.
func (w *work) smallBelow() int64 { return w.cfg.Target * 3 / 4 }

// alike is as many of the smallest files as can be while the largest is no larger than the others together: a large file is
// not written again for the sake of a few small ones, and each row is written again only when its file at least doubles.
func alike(files []warehouse.LiveFile) (out []warehouse.LiveFile) {
	slices.SortFunc(files, func(a, b warehouse.LiveFile) int {
		return cmp.Or(cmp.Compare(a.Bytes, b.Bytes), cmp.Compare(a.Path, b.Path))
	})
	before := int64(0)
	for i := range files {
		if files[i].Bytes <= before && i+1 >= manySmall {
			out = files[:i+1]
		}
		before += files[i].Bytes
	}
	return out
}

// pack cuts files into groups of the target size, each of at least so many.
func (w *work) pack(groups []Group, why Reason, least int, files []warehouse.LiveFile) []Group {
	for len(files) > 0 {
		n, bytes := 1, files[0].Bytes
		for n < min(len(files), maxFiles) && bytes+files[n].Bytes <= w.cfg.Target {
			bytes += files[n].Bytes
			n++
		}
		if n >= least {
			groups = append(groups, Group{Why: why, Files: slices.Clone(files[:n])})
		}
		files = files[n:]
	}
	return groups
}

// deleted finds the deleted rows that a rewrite would be rid of, in the files where there may be many. Those that delete
// files of compaction name are not among them: they stand for deleted keys, of which a row must stay.
func (w *work) deleted(ctx context.Context, files []warehouse.LiveFile) (map[string][]int64, error) {
	rows, read := map[string][]int64{}, map[string]bool{}
	var deletes []lake.DataFile
	for i := range files {
		atMost := int64(0)
		var by []lake.DataFile
		for _, d := range files[i].Deletes {
			if !strings.HasPrefix(path.Base(d.Path), prefix) {
				atMost += d.Rows
				by = append(by, d)
			}
		}
		if !manyDeleted(atMost, files[i].Rows) {
			continue
		}
		rows[files[i].Path] = nil
		for _, d := range by {
			if !read[d.Path] {
				read[d.Path] = true
				deletes = append(deletes, d)
			}
		}
	}
	return w.positions(ctx, deletes, rows)
}

// positions reads which rows delete files name: numbers in rising order, for the paths that rows has.
func (m *Maintainer) positions(ctx context.Context, deletes []lake.DataFile, rows map[string][]int64) (map[string][]int64, error) {
	for _, d := range deletes {
		key, err := m.cfg.Bucket.Key(d.Path)
		if err != nil {
			return nil, err
		}
		if err := datafile.ReadDeletes(m.cfg.Bucket.ReaderAt(ctx, key, d.Bytes), d.Bytes, func(path []byte, row int64) {
			if list, ok := rows[string(path)]; ok {
				rows[string(path)] = append(list, row)
			}
		}); err != nil {
			return nil, err
		}
	}
	for path, list := range rows {
		slices.Sort(list)
		rows[path] = slices.Compact(list)
	}
	return rows, nil
}
