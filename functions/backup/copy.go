package backup

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strconv"
	"strings"

	"medlake/shared/lake"
	"medlake/shared/store"
	"medlake/shared/store/journal"
	"medlake/shared/warehouse"
)

// errMoved says that the source has changed in a way that needs another look: maintenance deleted or folded objects.
var errMoved = errors.New("files were moved by maintenance again and again: try later")

// state is a state of the source that is being copied.
type state struct {
	tail   int64
	tables map[string]string   // key of the metadata file by table
	needed map[string]struct{} // keys of all that the tables' snapshots name
	gone   []string            // keys of the target that the source has no more
	found  []Table             // what the tables hold, here and there
}

// round copies one state. Its order makes the copy whole at whatever moment it stops:
//
//   - What is to be copied is decided from the outside in: tables' pointers, then the end of the log, then records and
//     entries, then everything else. Whatever one of these names was there before it was, so it is found later.
//   - It is written from the inside out: first plain objects, then records, then the entries of the log in their order,
//     then the tables' pointers. So no object in the copy names one that is missing there.
//   - What tells where the log ends, and where it holds nothing for a table, is as of the log that is copied, not as of the
//     longer one that the source has by now.
//   - An object that has changed or gone meanwhile means that maintenance was at work: the round is void, and the next
//     one copies only what is new.
func (b *run) round(ctx context.Context) (*state, error) {
	s := &state{tables: map[string]string{}, needed: map[string]struct{}{}}
	names, err := b.cfg.Tables.Tables(ctx)
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		if s.tables[name], err = b.cfg.Tables.Metadata(ctx, name); err != nil {
			return nil, err
		}
	}
	gaps, err := b.cfg.Source.Get(ctx, gapsKey)
	if err != nil && !errors.Is(err, lake.ErrNotFound) {
		return nil, err
	}
	if s.tail, err = journal.New(b.cfg.Source).Tail(ctx); err != nil {
		return nil, err
	}
	again, err := b.cfg.Tables.Tables(ctx)
	if err != nil {
		return nil, err
	}
	if len(again) != len(names) { // entries may name a new table, and the copy would lack it
		return nil, errMoved
	}
	records, entries, err := b.controls(ctx, s)
	if err != nil {
		return nil, err
	}
	if err := b.plain(ctx, s); err != nil {
		return nil, err
	}
	if err := b.reached(ctx, s); err != nil {
		return nil, err
	}
	if err := each(ctx, b.cfg.Parallel, slices.Values(records), b.control); err != nil {
		return nil, err
	}
	for _, p := range entries {
		if err := b.control(ctx, p); err != nil {
			return nil, err
		}
	}
	for _, key := range slices.Sorted(maps.Values(s.tables)) {
		if err := b.named(ctx, s, key); err != nil {
			return nil, err
		}
	}
	if gaps != nil {
		if err := b.put(ctx, gapsKey, gaps); err != nil {
			return nil, err
		}
	}
	if err := journal.New(b.cfg.Target).Hint(ctx, s.tail); err != nil {
		return nil, err
	}
	return s, b.verify(ctx, s)
}

// gapsKey is the object in which commit keeps where the log holds nothing for a table.
const gapsKey = "gaps"

// controls lists the records and the entries of the log that the target lacks.
func (b *run) controls(ctx context.Context, s *state) (records, entries []pair, err error) {
	for _, folder := range []string{"arrivals/", "loads/", store.LogPrefix} {
		for p, err := range pairs(ctx, b.cfg.Source, b.cfg.Target, folder) {
			switch {
			case err != nil:
				return nil, nil, err
			case p.source == nil:
				s.gone = append(s.gone, p.target.Key)
			case !p.changed():
			case folder == store.LogPrefix:
				if n, err := strconv.ParseInt(strings.TrimPrefix(p.source.Key, folder), 10, 64); err == nil && n <= s.tail {
					entries = append(entries, p)
				}
			default:
				records = append(records, p)
			}
		}
	}
	return records, entries, nil
}

// plain copies the objects that never change.
func (b *run) plain(ctx context.Context, s *state) error {
	folders := map[string]bool{}
	for _, bucket := range []*store.Bucket{b.cfg.Source, b.cfg.Target} {
		for folder, err := range bucket.Folders(ctx, "") {
			if err != nil {
				return err
			}
			folders[folder] = kindOf(folder) == plain
		}
	}
	var failed error
	list := func(yield func(pair) bool) {
		for _, folder := range slices.Sorted(maps.Keys(folders)) {
			if !folders[folder] {
				continue
			}
			for p, err := range pairs(ctx, b.cfg.Source, b.cfg.Target, folder) {
				if err != nil {
					failed = err
					return
				}
				if p.source == nil {
					s.gone = append(s.gone, p.target.Key)
				} else if kindOf(p.source.Key) == plain && p.changed() && !yield(p) {
					return
				}
			}
		}
	}
	err := each(ctx, b.cfg.Parallel, list, func(ctx context.Context, p pair) error {
		err := b.object(ctx, p)
		if errors.Is(err, lake.ErrNotFound) { // deleted meanwhile: who needs it will notice
			return nil
		}
		return err
	})
	return errors.Join(err, failed)
}

// reached makes sure that the copy has all that the tables name.
func (b *run) reached(ctx context.Context, s *state) error {
	w, err := warehouse.OpenAt(ctx, b.cfg.Source, s.tables)
	if err != nil {
		return err
	}
	defer func() { _ = w.Close() }() // in memory, nothing is lost
	b.done.Lost = 0
	for _, name := range slices.Sorted(maps.Keys(s.tables)) {
		keys, err := w.Reached(ctx, name)
		if err != nil {
			return b.moved(ctx, s, err)
		}
		for key := range keys {
			s.needed[key] = struct{}{}
		}
		for o, err := range b.cfg.Target.List(ctx, store.TablePrefix(name)) {
			if err != nil {
				return err
			}
			if size, ok := keys[o.Key]; ok && (size == 0 || size == o.Size) {
				delete(keys, o.Key)
			}
		}
		b.done.Lost += len(keys)
	}
	if b.done.Lost == 0 {
		return nil
	}
	if err := b.moved(ctx, s, lake.ErrNotFound); errors.Is(err, errMoved) {
		return err
	}
	b.cfg.Log.WarnContext(ctx, "older snapshots name files that are lost", "files", b.done.Lost)
	return nil
}

// moved explains an error: if it is about a file that is not there, and a table has moved on meanwhile, that was why.
func (b *run) moved(ctx context.Context, s *state, err error) error {
	if !errors.Is(err, lake.ErrNotFound) {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(s.tables)) {
		now, lost := b.cfg.Tables.Metadata(ctx, name)
		if lost != nil {
			return lost
		}
		if now != s.tables[name] {
			return errMoved
		}
	}
	return err
}

// named copies the metadata file that the backup names.
func (b *run) named(ctx context.Context, s *state, key string) error {
	s.needed[key] = struct{}{}
	if _, err := b.cfg.Target.Head(ctx, key); err == nil {
		return nil
	}
	return b.moved(ctx, s, b.over(ctx, key))
}
