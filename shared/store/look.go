package store

import (
	"context"
	"iter"

	"gocloud.dev/blob"
)

// Look is List for who can do without versions: where the listing does not tell an object's, it stays empty, and no object
// costs a request. If flat, what lies in folders below prefix is left out.
func (b *Bucket) Look(ctx context.Context, prefix string, flat bool) iter.Seq2[Object, error] {
	opts := &blob.ListOptions{Prefix: prefix}
	if flat {
		opts.Delimiter = "/"
	}
	return func(yield func(Object, error) bool) {
		for o, err := range b.pages(ctx, opts) {
			if err != nil {
				yield(Object{}, fault("list", prefix, err))
				return
			}
			if !o.IsDir && !yield(Object{Key: o.Key, Size: o.Size, Version: listedVersion(o), ModTime: o.ModTime}, nil) {
				return
			}
		}
	}
}
