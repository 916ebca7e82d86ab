package maintain

import (
	"cmp"
	"context"
	"errors"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"medlake/shared/lake"
	"medlake/shared/pace"
	"medlake/shared/store"
)

// suspect is an object that nobody names now.
type suspect struct {
	store.Object
	load   string // whose data file it is by its name; empty: nobody's
	record *lake.Record
	gone   bool
}

// condemned chooses the objects that nobody can name any more, of such as nobody names.
func (j *judge) condemned(ctx context.Context, objects []store.Object) ([]store.Object, error) {
	list := make([]suspect, len(objects))
	for i, o := range objects {
		list[i] = suspect{Object: o, load: loadOf(o.Key)}
	}
	errs := make([]error, len(list))
	pace.Each(len(list), j.cfg.Parallel, func(i int) { errs[i] = j.accuse(ctx, &list[i]) })
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	if err := j.winners(ctx, list); err != nil {
		return nil, err
	}
	var out []store.Object
	for _, s := range list {
		if s.gone {
			out = append(out, s.Object)
		}
	}
	return out, nil
}

// accuse judges all but the files of winners, whose records it reads.
func (j *judge) accuse(ctx context.Context, s *suspect) (err error) {
	if j.erase != nil {
		s.gone, err = j.holding(ctx, s.Object)
		return err
	}
	age := j.now.Sub(s.ModTime)
	if s.load == "" {
		s.gone = j.foreign(s)
		return nil
	}
	// A record costs a request, and most files that nobody names are winners' of entries above the limit: they were stored
	// after the state that it is of. So of those records are read only when a loser's file, or one without a record, may
	// first go.
	if s.ModTime.After(j.oldest) && !j.first(age, j.cfg.Grace) && !j.first(age, j.cfg.Foreign) {
		return nil
	}
	r, err := j.cfg.Journal.Record(ctx, s.load)
	if errors.Is(err, lake.ErrNotFound) {
		s.gone = j.foreign(s)
		return nil
	}
	if err != nil {
		return err
	}
	if s.gone = !lists(r, j.cfg.Bucket.URL(s.Key)); !s.gone {
		s.record = r
	}
	return nil
}

func lists(r *lake.Record, url string) bool {
	for _, t := range r.Tables {
		if slices.ContainsFunc(t.Files, func(f lake.DataFile) bool { return f.Path == url }) {
			return true
		}
	}
	return false
}

// first reports whether an age was reached so lately that perhaps no round has looked since.
func (j *judge) first(age, reached time.Duration) bool {
	return reached <= age && age < reached+2*j.cfg.Clean
}

// foreign is the rule for objects that no record tells about.
func (j *judge) foreign(s *suspect) bool {
	return j.now.Sub(s.ModTime) >= j.cfg.Foreign && j.newest.Sub(s.ModTime) >= settled
}

// winners finds the entries of the log that took the loads in. Each search begins at its record's base, and no entry above
// the limit matters.
func (j *judge) winners(ctx context.Context, list []suspect) error {
	var wait []*suspect // in the order of bases
	for i := range list {
		switch s := &list[i]; {
		case s.record == nil:
		case s.record.Log > 0: // it says so itself
			s.gone = s.record.Log <= j.limit
		default:
			wait = append(wait, s)
		}
	}
	slices.SortStableFunc(wait, func(a, b *suspect) int { return cmp.Compare(a.record.Base, b.record.Base) })
	var open []*suspect
	for n := int64(0); n < j.limit && len(open)+len(wait) > 0; {
		if len(open) == 0 {
			n = max(n, wait[0].record.Base)
		}
		for len(wait) > 0 && wait[0].record.Base <= n {
			open, wait = append(open, wait[0]), wait[1:]
		}
		if n++; n > j.limit {
			break
		}
		e, err := j.cfg.Journal.Entry(ctx, n)
		if err != nil {
			return err
		}
		open = slices.DeleteFunc(open, func(s *suspect) bool {
			s.gone = e.HasLoad(s.load)
			return s.gone
		})
	}
	return nil
}

// loadOf is the load of a data file that ingest named, <load>-<attempt>-<n>.parquet; empty for other objects.
func loadOf(key string) string {
	parts := strings.Split(strings.TrimSuffix(path.Base(key), ".parquet"), "-")
	if len(parts) != 3 || len(parts[0]) != lake.IDLen || !strings.HasSuffix(key, ".parquet") {
		return ""
	}
	if _, err := strconv.Atoi(parts[2]); err != nil {
		return ""
	}
	return parts[0]
}
