package warehouse

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/apache/iceberg-go/table"

	"medlake/shared/lake"
	"medlake/shared/store"
)

// Rebuilt is a table that Rebuild put into the catalog.
type Rebuilt struct {
	Table    string
	Metadata string // key of the metadata file that is its state now
	Batch    int64
	Passed   int // newer states that were passed over, because files of theirs are missing
}

// Rebuild fills a catalog that was lost from the bucket alone: each table that the catalog lacks gets the newest of its
// states whose files all exist. Tail is the last entry of the log. No other process may work on the lake's tables
// meanwhile, above all none that still has the lost catalog open. A table that has no sound state is an error of its own:
// the others are there nevertheless.
//
// The catalog alone knew which metadata file was the newest; without it the folder also shows files of commits that lost
// their race, or whose process died before the catalog took them. To take one of those is no harm:
//
//   - Whoever writes metadata file n+1 has read file n as the catalog's, so both were right but for the last step: files
//     of lost commits have at most the number of the newest true one, or the next.
//   - A state is right if its rows are those of the log up to its number medlake.batch, and each commit keeps that: an
//     append adds the entries up to its own number to a right state, a merge folds them in, a restore is an entry itself,
//     compaction and expiry change no row. So a lost commit's state is right too, only not the one that others saw.
//     Entries after its number are applied to it again, as to any table that is behind; entries up to it are in it.
//   - What others saw of the true state may be missing from the chosen one: rows of later entries, which come back by the
//     log, and columns, which may not: data files bear field ids. A column is published in schemas/ only after its commit,
//     so a state must have every published column under its id.
//   - Files of a lost commit may be deleted, and so may files that the true state no longer names: a state counts only if
//     all that its snapshot names exists.
//   - A number beyond the log would make commit skip entries: such a state is of another bucket and does not count.
//
// Of several states with one number the one with the higher medlake.batch is taken, then the one with more snapshots: a
// tag that holds one for a restore is not lost to an expiry.
func (w *Warehouse) Rebuild(ctx context.Context, tail int64) ([]Rebuilt, error) {
	var all []Rebuilt
	var faults []error
	for _, ns := range namespaces {
		prefix := store.TablePrefix(ns)
		for folder, err := range w.files.bucket.Folders(ctx, prefix) {
			if err != nil {
				return all, err
			}
			name := ns + "." + strings.TrimSuffix(strings.TrimPrefix(folder, prefix), "/")
			if strings.HasPrefix(name, selfTestPrefix) {
				continue
			}
			if _, err := w.load(ctx, name); !errors.Is(err, lake.ErrNotFound) {
				faults = append(faults, err) // nil: it is there
				continue
			}
			r, err := w.rebuild(ctx, name, tail)
			if err != nil {
				faults = append(faults, fmt.Errorf("rebuild table %s: %w", name, err))
				continue
			}
			all = append(all, r)
		}
	}
	return all, errors.Join(faults...)
}

func (w *Warehouse) rebuild(ctx context.Context, name string, tail int64) (Rebuilt, error) {
	numbers, err := w.states(ctx, name)
	if err != nil {
		return Rebuilt{}, err
	}
	r := Rebuilt{Table: name}
	for _, n := range slices.Backward(slices.Sorted(maps.Keys(numbers))) {
		var sound []state
		for _, key := range numbers[n] {
			s, err := w.state(ctx, name, key, tail)
			if err != nil {
				return r, err
			}
			if s.fault == "" {
				sound = append(sound, s)
			}
		}
		if len(sound) == 0 {
			r.Passed++
			continue
		}
		best := slices.MaxFunc(sound, func(a, b state) int {
			return cmp.Or(cmp.Compare(a.batch, b.batch), cmp.Compare(len(a.meta.Snapshots()), len(b.meta.Snapshots())), cmp.Compare(a.key, b.key))
		})
		r.Metadata, r.Batch = best.key, best.batch
		return r, w.cat.register(w.files.with(ctx), name, w.files.bucket.URL(best.key))
	}
	return r, fmt.Errorf("none of %d states has all its files: %w", r.Passed, lake.ErrNotFound)
}

// states lists the keys of a table's metadata files by their numbers.
func (w *Warehouse) states(ctx context.Context, name string) (map[int][]string, error) {
	found := map[int][]string{}
	for o, err := range w.files.bucket.List(ctx, metadataPrefix(name)) {
		if err != nil {
			return nil, err
		}
		number, _, _ := strings.Cut(path.Base(o.Key), "-")
		if n, err := strconv.Atoi(number); err == nil && strings.HasSuffix(o.Key, ".metadata.json") {
			found[n] = append(found[n], o.Key)
		}
	}
	return found, nil
}

func metadataPrefix(name string) string { return store.TablePrefix(name) + "metadata/" }

// state is what a metadata file says.
type state struct {
	key   string
	meta  table.Metadata
	batch int64
	fault string // why it cannot be the table's; empty if it can
}

// state reads a metadata file and judges it. An error says that it could not be judged.
func (w *Warehouse) state(ctx context.Context, name, key string, tail int64) (state, error) {
	s := state{key: key}
	data, err := w.files.bucket.Get(ctx, key)
	if err != nil {
		return s, err
	}
	if s.meta, err = table.ParseMetadataBytes(data); err != nil {
		s.fault = "not readable"
		return s, nil
	}
	if s.batch, err = strconv.ParseInt(s.meta.Properties()[propBatch], 10, 64); err != nil || s.batch > tail {
		s.fault = "number is not one of the log"
		return s, nil
	}
	published, err := PublishedSchema(ctx, w.files.bucket, name)
	if err != nil && !errors.Is(err, lake.ErrNotFound) {
		return s, err
	}
	for _, c := range published.Columns {
		if f, ok := s.meta.CurrentSchema().FindFieldByID(c.ID); !ok || f.Name != c.Name {
			s.fault = "lacks a published column"
			return s, nil
		}
	}
	head := s.meta.CurrentSnapshot()
	if head == nil {
		return s, nil
	}
	missing, err := w.missing(ctx, name, *head)
	if missing > 0 {
		s.fault = "files are missing"
	}
	return s, err
}
