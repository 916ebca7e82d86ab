package store

import (
	"context"
	"iter"
	"strings"

	"gocloud.dev/blob"
)

// pageSize is how many objects one request of a listing brings; S3 gives no more.
const pageSize = 1000

// filePage is the page of buckets where a page costs a look at the whole folder.
const filePage = 10_000

// List yields the objects whose keys begin with prefix, in the order of their keys, folders below included. Objects
// written or deleted meanwhile may or may not be among them. The version of a landing object is always there, if need be
// by one more request for each; of other objects only where the listing tells it.
func (b *Bucket) List(ctx context.Context, prefix string) iter.Seq2[Object, error] {
	return func(yield func(Object, error) bool) {
		for o, err := range b.pages(ctx, &blob.ListOptions{Prefix: prefix}) {
			if err != nil {
				yield(Object{}, fault("list", prefix, err))
				return
			}
			obj := Object{Key: o.Key, Size: o.Size, Version: listedVersion(o), ModTime: o.ModTime}
			if obj.Version == "" && strings.HasPrefix(o.Key, LandingPrefix) {
				if obj, err = b.Head(ctx, o.Key); err != nil {
					yield(Object{}, err)
					return
				}
			}
			if !yield(obj, nil) {
				return
			}
		}
	}
}

// Folders yields the folders directly below prefix that hold objects, as prefixes that end in a slash. Prefix is empty
// or ends in a slash.
func (b *Bucket) Folders(ctx context.Context, prefix string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for o, err := range b.pages(ctx, &blob.ListOptions{Prefix: prefix, Delimiter: "/"}) {
			if err != nil {
				yield("", fault("list", prefix, err))
				return
			}
			if o.IsDir && !yield(o.Key, nil) {
				return
			}
		}
	}
}

func (b *Bucket) pages(ctx context.Context, opts *blob.ListOptions) iter.Seq2[*blob.ListObject, error] {
	size := pageSize
	if b.at.scheme == "file" || b.at.scheme == "mem" {
		size = filePage
	}
	return func(yield func(*blob.ListObject, error) bool) {
		for token := blob.FirstPageToken; len(token) > 0; {
			var page []*blob.ListObject
			var next []byte
			err := b.retry(ctx, func() (err error) {
				page, next, err = b.blob.ListPage(ctx, token, size, opts)
				return err
			})
			if err != nil {
				yield(nil, err)
				return
			}
			for _, o := range page {
				if !yield(o, nil) {
					return
				}
			}
			token = next
		}
	}
}
