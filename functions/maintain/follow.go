package maintain

import (
	"context"
	"path"
	"slices"

	"medlake/shared/datafile"
	"medlake/shared/lake"
	"medlake/shared/warehouse"
)

// result is what a group becomes.
type result struct {
	group   *Group
	of      []warehouse.LiveFile // what was read
	remove  []string
	add     []lake.DataFile
	deletes []lake.DataFile
	rely    []string           // files that have rows of deleted keys, of which therefore no row was kept
	where   map[string][]int32 // by path of what was read, which row of the new file each row is; -1 if it was deleted
}

// stands reports whether the result is in the table.
func (r *result) stands(live map[string]*warehouse.LiveFile) bool {
	if len(r.add) > 0 {
		return live[r.add[0].Path] != nil
	}
	return !slices.ContainsFunc(r.remove, func(p string) bool { return live[p] != nil })
}

// late lists the delete files that have come since the result was made and may touch what it was made of. It reports false
// if the result is no longer right: a file is gone, or a delete file is, as when a restore brings rows back.
func (r *result) late(live map[string]*warehouse.LiveFile) (late []lake.DataFile, ok bool) {
	if slices.ContainsFunc(r.rely, func(p string) bool { return live[p] == nil }) {
		return nil, false
	}
	seen := map[string]bool{}
	for i := range r.of {
		was := &r.of[i]
		now := live[was.Path]
		if now == nil {
			return nil, false
		}
		found := 0
		for _, d := range now.Deletes {
			if slices.ContainsFunc(was.Deletes, func(o lake.DataFile) bool { return o.Path == d.Path }) {
				found++
			} else if !seen[d.Path] {
				seen[d.Path] = true
				late = append(late, d)
			}
		}
		if found < len(was.Deletes) {
			return nil, false
		}
	}
	return late, true
}

// follow deletes in the new file what late delete files delete in the old ones. The file it writes is not one of those that
// stand for deleted keys: the next compaction may be rid of the rows.
func (w *work) follow(ctx context.Context, r *result, late []lake.DataFile) ([]lake.DataFile, error) {
	rows := map[string][]int64{}
	for i := range r.of {
		rows[r.of[i].Path] = nil
	}
	rows, err := w.positions(ctx, late, rows)
	if err != nil {
		return nil, err
	}
	var at []datafile.Position
	for p, list := range rows {
		for _, row := range list {
			if to := r.where[p][row]; to >= 0 {
				at = append(at, datafile.Position{Path: r.add[0].Path, Row: int64(to)})
			}
		}
	}
	if len(at) == 0 {
		return nil, nil
	}
	key, err := w.cfg.Bucket.Key(r.add[0].Path)
	if err != nil {
		return nil, err
	}
	var data spool
	d, err := datafile.WriteDeletes(&data, at)
	if err != nil {
		return nil, err
	}
	d, err = w.upload(ctx, path.Dir(key)+"/late-"+w.cfg.Attempt()+"-deletes.parquet", &data, d, r.group)
	return []lake.DataFile{d}, err
}
