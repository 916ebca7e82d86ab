package merge

import (
	"context"
	"hash/crc32"
	"slices"
	"strings"

	"medlake/shared/datafile"
	"medlake/shared/transform/column"
	"medlake/shared/transform/fold"
	"medlake/shared/warehouse"
)

// share is the part of a merge that is done at once: the keys of one customer, or of a customer's very many those whose
// hash falls to it.
//
// A deleted key leaves a row in the table that a position delete hides. So a key of which the table has no row at all is
// new, and all its rows in the log are those that have just come. A key that is visible, all new rows being later than
// what is there, is folded on from that. Any other key is folded anew from the log: a row was late, or what came before
// the key was deleted is known to the log alone. Since the log is read at the very entry that the table is brought up to,
// each way gives the fold of the key's rows up to that entry.
type share struct {
	*merged
	part, parts uint32

	numbers map[string]int32 // slot by key
	slots   []slot
	rank    []int32             // place of each slot in the order of keys
	fresh   versions            // the new rows
	old     versions            // the table's visible rows, of the columns that the fold needs
	place   []datafile.Position // where these stand, by row of old

	state *fold.State
	out   output
	hide  []datafile.Position // rows of the table's files, new ones too, that are to be hidden
}

// slot is a key.
type slot struct {
	key   string
	there bool  // the table has a row of it, visible or not
	seen  []hit // its visible rows, in old and in order
	late  bool  // it is to be folded anew
}

// run merges news, files of the log, into current, files of the table. all lists the log's files: it is asked if a key is
// to be folded anew.
func (s *share) run(ctx context.Context, news, current []warehouse.LiveFile, all func() ([]warehouse.LiveFile, error)) error {
	s.numbers, s.state = map[string]int32{}, s.fold.State()
	s.fresh.batch = column.New(s.table.schema.Columns)
	if err := s.fresh.take(ctx, s.log, news, nil, s.want); err != nil {
		return err
	}
	s.order()
	s.fresh.sort(s.fold, s.rank)
	if err := s.look(ctx, current); err != nil {
		return err
	}
	late := s.judge()
	var err error
	s.fresh.each(func(n int32, hits []hit) {
		if err == nil && !s.slots[n].late {
			err = s.settle(n, &s.fresh, hits)
		}
	})
	if err != nil || late == nil {
		return err
	}
	files, err := all()
	if err != nil {
		return err
	}
	return s.anew(ctx, files, s.spans(late))
}

// anew folds the late keys from all their rows in the log, which may be many more than the new ones: as many keys at once
// as may be in memory.
func (s *share) anew(ctx context.Context, files []warehouse.LiveFile, near spans) error {
	parts := s.partsOf(rowsOf(files))
	if parts > 1 { // the files may hold other keys for the most part
		found, hide := int64(0), newHidden(s.log.bucket)
		for i := range files {
			if err := s.log.scan(ctx, &files[i], hide, near, s.wantLate, func(_ *datafile.Reader, _ int, _ int64, hits []hit) error {
				found += int64(len(hits))
				return nil
			}); err != nil {
				return err
			}
		}
		parts = s.partsOf(found)
	}
	for part := range parts {
		again := versions{batch: column.New(s.table.schema.Columns)}
		if err := again.take(ctx, s.log, files, near, func(key []byte) int32 {
			if n := s.wantLate(key); n >= 0 && crc32.ChecksumIEEE(key)/s.parts%parts == part {
				return n
			}
			return -1
		}); err != nil {
			return err
		}
		again.sort(s.fold, s.rank)
		var err error
		again.each(func(n int32, hits []hit) {
			if err == nil {
				err = s.settle(n, &again, hits)
			}
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// want is the slot of a key of this share, which it makes.
func (s *share) want(key []byte) int32 {
	if n := s.known(key); n >= 0 {
		return n
	}
	if s.parts > 1 && crc32.ChecksumIEEE(key)%s.parts != s.part {
		return -1
	}
	n := int32(len(s.slots))
	s.slots = append(s.slots, slot{key: string(key)})
	s.numbers[s.slots[n].key] = n
	return n
}

func (s *share) known(key []byte) int32 {
	if n, ok := s.numbers[string(key)]; ok {
		return n
	}
	return -1
}

func (s *share) wantLate(key []byte) int32 {
	if n := s.known(key); n >= 0 && s.slots[n].late {
		return n
	}
	return -1
}

// order ranks the keys.
func (s *share) order() {
	order := make([]int32, len(s.slots))
	for i := range order {
		order[i] = int32(i)
	}
	slices.SortFunc(order, func(a, b int32) int { return strings.Compare(s.slots[a].key, s.slots[b].key) })
	s.rank = make([]int32, len(order))
	for i, n := range order {
		s.rank[n] = int32(i)
	}
}

// look finds the rows of the keys in the table.
func (s *share) look(ctx context.Context, current []warehouse.LiveFile) error {
	if len(current) == 0 {
		return nil
	}
	columns, err := pick(s.table.schema, s.fold.Columns())
	if err != nil {
		return err
	}
	s.old.batch = column.New(columns)
	near, hide := s.spans(s.fresh.hits), newHidden(s.table.bucket)
	for i := range current {
		f := &current[i]
		err := s.table.scan(ctx, f, hide, near, s.known, func(r *datafile.Reader, group int, first int64, hits []hit) error {
			for _, h := range hits {
				s.slots[h.slot].there = true
			}
			hits = visible(hits)
			for _, h := range hits {
				s.place = append(s.place, datafile.Position{Path: f.Path, Row: first + int64(h.row)})
			}
			return s.old.gather(s.table, r, group, hits)
		})
		if err != nil {
			return err
		}
	}
	s.old.rows = s.fold.Rows(s.old.batch)
	s.old.sort(s.fold, s.rank)
	s.old.each(func(n int32, hits []hit) { s.slots[n].seen = hits })
	return nil
}

// judge marks the keys that must be folded anew, and returns their hits among the new rows.
func (s *share) judge() (late []hit) {
	s.fresh.each(func(n int32, hits []hit) {
		k := &s.slots[n]
		onward := len(k.seen) == 1 || len(k.seen) > 1 && s.fold.Sets()
		if onward {
			onward = s.fold.Compare(s.old.ref(k.seen[len(k.seen)-1]), s.fresh.ref(hits[0])) < 0
		}
		if k.late = k.there && !onward; k.late {
			late = append(late, hits...)
		}
	})
	return late
}
