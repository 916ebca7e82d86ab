package node

import (
	"cmp"
	"context"
	"fmt"
	"path"
	"slices"

	"medlake/shared/lake"
	"medlake/shared/store"
)

// Latest lists the n latest uploads, newest first. It looks into the landing folders of the latest days only.
func (r *Reader) Latest(ctx context.Context, n int) ([]lake.Arrival, error) {
	var days []string // landing/<customer>/<date>/
	for customer, err := range r.bucket.Folders(ctx, store.LandingPrefix) {
		if err != nil {
			return nil, fmt.Errorf("list landing: %w", err)
		}
		for day, err := range r.bucket.Folders(ctx, customer) {
			if err != nil {
				return nil, fmt.Errorf("list landing: %w", err)
			}
			days = append(days, day)
		}
	}
	slices.SortFunc(days, func(a, b string) int { return cmp.Compare(path.Base(b), path.Base(a)) })
	var found []lake.Arrival
	for i, day := range days {
		if len(found) >= n && path.Base(day) != path.Base(days[i-1]) {
			break // what follows is older
		}
		for o, err := range r.bucket.List(ctx, day) {
			if err != nil {
				return nil, fmt.Errorf("list landing: %w", err)
			}
			found = append(found, r.bucket.Arrival(o))
		}
	}
	slices.SortFunc(found, func(a, b lake.Arrival) int { return cmp.Or(b.At.Compare(a.At), cmp.Compare(a.Key, b.Key)) })
	return found[:min(n, len(found))], nil
}

// Landed reads an upload.
func (r *Reader) Landed(ctx context.Context, a lake.Arrival) ([]byte, error) {
	return r.bucket.Get(ctx, a.Key)
}
