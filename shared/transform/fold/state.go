package fold

import (
	"bytes"
	"slices"

	"medlake/shared/transform/column"
)

// State is what the rows of one key have come to so far. It names the rows that its values are taken from; those must stay
// in use. Its memory is for many keys, one after another. It is not safe for concurrent use.
type State struct {
	fold    *Fold
	latest  Ref   // gives all values that no rule governs; without Rows: there is none
	hidden  Ref   // a row that merges the key away and came before any of its own
	sources []Ref // by rule: the row that gives the value; without Rows: null
	set     []Ref // all rows of the latest load, if the fold shows sets
	deleted bool

	out     *column.Batch // the batch last appended to
	ruledBy []int         // by its columns: the rule that governs it; -1: none
}

// State makes a state without rows.
func (f *Fold) State() *State {
	return &State{fold: f, sources: make([]Ref, len(f.rules)), deleted: true}
}

// Reset turns to another key, of which no row has been seen.
func (s *State) Reset() {
	s.latest, s.hidden, s.deleted, s.set = Ref{}, Ref{}, true, s.set[:0]
	clear(s.sources)
}

// Resume turns to another key, whose rows so far have come to r: a visible row of the table itself. If the fold shows sets,
// that is any of the visible rows, and the next step must be of another load: loads are taken in whole.
func (s *State) Resume(r Ref) {
	s.Reset()
	s.latest, s.deleted = r, false
	for i := range s.sources {
		s.sources[i] = r
	}
	s.set = append(s.set, r)
}

// Step takes in the key's next row, which comes after all rows before it in the order.
func (s *State) Step(r Ref) {
	if r.Merged {
		s.hidden, s.deleted = r, true
		return
	}
	if s.fold.sets {
		if s.latest.Rows != nil && !s.sameLoad(r) {
			s.set = s.set[:0]
		}
		s.set = append(s.set, r)
	}
	s.latest = r
	s.deleted = s.fold.delete != nil && s.fold.delete(r.Rows, r.Row)
	for i := range s.fold.rules {
		if s.fold.rules[i].governs(r) {
			s.sources[i] = r
		}
	}
}

// governs reports whether the row changes the rule's column.
func (u *rule) governs(r Ref) bool {
	if u.keep {
		if _, i := r.Rows.Value(u.at, r.Row); i < 0 {
			return false
		}
	}
	return u.only == nil || u.only(r.Rows, r.Row)
}

// sameLoad reports whether the row came with the latest one.
func (s *State) sameLoad(r Ref) bool {
	load := s.fold.order[1]
	a, i := s.latest.Rows.Value(load, s.latest.Row)
	b, j := r.Rows.Value(load, r.Row)
	return i >= 0 && j >= 0 && bytes.Equal(a.Text(i), b.Text(j))
}

// Deleted reports whether the table shows nothing of the key.
func (s *State) Deleted() bool { return s.deleted }

// Rows is the number of rows that Append adds.
func (s *State) Rows() int {
	if s.fold.sets {
		return len(s.set)
	}
	return 1
}

// Latest is the row that gives all columns but those that `keep` and `only` name.
func (s *State) Latest() Ref {
	if s.latest.Rows == nil {
		return s.hidden
	}
	return s.latest
}

// Append adds the key's row to a batch: its columns by name, null where the rows have no such column. For a deleted key
// that is a row to be hidden, whose key is right. There must have been a row.
func (s *State) Append(out *column.Batch) {
	if s.fold.sets {
		for _, r := range s.set {
			s.append(out, r)
		}
		return
	}
	s.append(out, s.Latest())
}

func (s *State) append(out *column.Batch, r Ref) {
	if s.out != out {
		s.out, s.ruledBy = out, s.ruledBy[:0]
		for _, c := range out.Columns {
			s.ruledBy = append(s.ruledBy, slices.IndexFunc(s.fold.rules, func(u rule) bool { return u.name == c.Name }))
		}
	}
	for i := range out.Columns {
		to, from := &out.Columns[i], r
		if u := s.ruledBy[i]; u >= 0 {
			from = s.sources[u]
		}
		if from.Rows == nil {
			to.AppendNull()
			continue
		}
		at := from.Rows.into(out)[i]
		if r.Merged && to.Name == s.fold.columns[s.fold.key[len(s.fold.key)-1]] {
			at = r.Rows.need[s.fold.from]
		}
		from.Rows.copyTo(to, at, from.Row)
	}
	out.EndRow()
}
