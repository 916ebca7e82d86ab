package sim

import (
	"context"
	"fmt"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"

	"medlake/functions/backup"
	"medlake/functions/erase"
	"medlake/shared/lake"
	"medlake/shared/store"
)

// recoverVariants break what backup and rebuild do. A backup that deletes first, then copies, needs an erasure to be caught: an
// Iceberg table keeps its last 50 states, and no world is long enough for what the last backup needs to leave all of them.
var recoverVariants = []variant{
	{name: "a backup copies the log before the data", real: true, more: more{copies: 4}, order: func(c write) int {
		if strings.HasPrefix(c.key, store.LogPrefix) {
			return 0
		}
		return 1
	}},
	{name: "a backup deletes, then copies", real: true, clinic: true, more: more{copies: 4}, order: func(c write) int {
		if c.to == nil {
			return 0
		}
		return 1
	}},
	{name: "a backup leaves out entries of the log", real: true, copying: func(w *world, c *backup.Config) error {
		w.copied.loses = func(key string) bool { return strings.HasPrefix(key, store.LogPrefix) && w.rng.IntN(10) == 0 }
		return nil
	}},
	{name: "a rebuild takes an old state and misses no file", real: true, rebuilt: func(w *world) *store.Bucket {
		seen := &objects{all: maps.Clone(w.objects.gone), now: w.clock}
		maps.Copy(seen.all, w.objects.all)
		states := map[string][]string{} // by folder
		for _, key := range slices.Sorted(maps.Keys(seen.all)) {
			if strings.HasSuffix(key, ".metadata.json") {
				states[path.Dir(key)] = append(states[path.Dir(key)], key)
			}
		}
		for _, folder := range slices.Sorted(maps.Keys(states)) {
			for _, key := range states[folder][max(1, len(states[folder])-1-w.rng.IntN(4)):] {
				delete(seen.all, key)
			}
		}
		seen.keys = slices.Sorted(maps.Keys(seen.all))
		return seen.open()
	}},
	{name: "a rebuilt table says that it holds the whole log", real: true, rebuilt: func(w *world) *store.Bucket {
		for key, o := range w.objects.all {
			if strings.HasSuffix(key, ".metadata.json") {
				w.objects.all[key] = &object{number.ReplaceAll(o.data, fmt.Appendf(nil, `"medlake.batch":"%d"`, len(w.truth.entries))), o.at}
			}
		}
		return w.base
	}},
}

var number = regexp.MustCompile(`"medlake.batch":"\d+"`)

// eraseVariants break what erase does.
var eraseVariants = []variant{
	{name: "older states are not forgotten", clinic: true, erasing: func(_ *process, c *erase.Config) error {
		c.Tables = remembering{c.Tables.(erase.Stored)}
		return nil
	}},
	{name: "hidden rows are not written anew", clinic: true, erasing: func(_ *process, c *erase.Config) error {
		c.Rewrite = func(context.Context, erase.Leaving) error { return nil }
		return nil
	}},
	{name: "files of erased rows stay", clinic: true, erasing: func(_ *process, c *erase.Config) error {
		c.Discard = func(context.Context, erase.Leaving) error { return nil }
		return nil
	}},
	{name: "uploads leave before the log says so", clinic: true, erasing: func(p *process, _ *erase.Config) error {
		for _, key := range slices.Clone(p.objects.keys) {
			if o := p.objects.all[key]; strings.HasPrefix(key, "landing/acme/") && strings.Contains(p.patients.texts[string(o.data)], p.patients.leaves.Patient) {
				if err := p.bucket.Delete(p.ctx, key); err != nil {
					return err
				}
			}
		}
		return nil
	}},
	{name: "an upload leaves before there is another in its place, which is lost", clinic: true, store: writing(func(w *world, key string, data []byte) []byte {
		if _, of, ok := (lake.Arrival{Key: key}).Rewritten(); ok {
			for _, old := range slices.Clone(w.objects.keys) {
				if strings.HasPrefix(old, store.LandingPrefix) && w.base.Arrival(store.Object{Key: old}).ID() == of {
					_ = w.base.Delete(w.ctx, old)
				}
			}
			return nil
		}
		return data
	})},
}

// remembering are tables that forget nothing.
type remembering struct{ erase.Stored }

func (remembering) Forget(context.Context, string) error { return nil }
