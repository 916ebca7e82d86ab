package backup

import (
	"context"
	"iter"
	"strings"

	"medlake/shared/store"
)

// kind says how an object is copied.
type kind int

const (
	plain    kind = iota // never changes; may be copied at any time
	control              // records, arrivals and the log: they name plain objects, so these go first
	pointer              // a table's metadata file: only those that the backup names, last
	mutable              // where the log ends and what it lacks: always, at the very end
	left                 // not copied
	verified             // the target's own
)

// kindOf sorts objects by their keys.
func kindOf(key string) kind {
	folder, _, _ := strings.Cut(key, "/")
	switch {
	case key == store.HintKey() || key == gapsKey:
		return mutable
	case folder == "loads" || folder == "arrivals" || folder == "log":
		return control
	case folder == "pending" || folder == "attempts" || folder == "selftest":
		return left
	case folder == "backups":
		return verified
	case folder == "tables" && strings.HasSuffix(key, ".metadata.json"):
		return pointer
	}
	return plain
}

// pair is one key in two buckets; nil where it is absent.
type pair struct{ source, target *store.Object }

// changed reports whether the target lacks the object as it is in the source. Most never change, and those that do get
// another size, or at least a younger time.
func (p pair) changed() bool {
	return p.source != nil && (p.target == nil || p.source.Size != p.target.Size || p.source.ModTime.After(p.target.ModTime))
}

// pairs goes through two buckets at once: a listing is in the order of keys.
func pairs(ctx context.Context, source, target *store.Bucket, prefix string) iter.Seq2[pair, error] {
	return func(yield func(pair, error) bool) {
		next, stop := iter.Pull2(target.List(ctx, prefix))
		defer stop()
		t, err, more := next()
		for s, serr := range source.List(ctx, prefix) {
			if serr != nil {
				yield(pair{}, serr)
				return
			}
			for more && err == nil && t.Key < s.Key {
				gone := t
				if !yield(pair{target: &gone}, nil) {
					return
				}
				t, err, more = next()
			}
			if err != nil {
				yield(pair{}, err)
				return
			}
			p := pair{source: &s}
			if more && t.Key == s.Key {
				same := t
				p.target = &same
				t, err, more = next()
			}
			if !yield(p, nil) {
				return
			}
		}
		for ; more; t, err, more = next() {
			gone := t
			if !yield(pair{target: &gone}, err) || err != nil {
				return
			}
		}
	}
}
