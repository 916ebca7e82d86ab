package node

import (
	"context"
	"errors"

	"medlake/functions/erase"
	"medlake/functions/maintain"
	"medlake/shared/lake"
)

// Eraser makes an eraser of the lake, and of its copies in the buckets of urls. Close lets go of the copies.
func (n *Node) Eraser(ctx context.Context, urls []string) (e *erase.Eraser, closes func() error, err error) {
	var copies []erase.Copy
	closes = func() (err error) {
		for _, c := range copies {
			err = errors.Join(err, c.Bucket.Close())
		}
		return err
	}
	for _, url := range urls {
		target, err := n.Reader.openCopy(ctx, url)
		if err != nil {
			return nil, closes, err
		}
		copies = append(copies, erase.Copy{Bucket: target, Update: func(ctx context.Context) error {
			_, err := n.Reader.copyTo(ctx, target, 0, n.log) // what the lake has no more leaves it at once
			return err
		}})
	}
	e, err = erase.New(n.erasing(copies))
	return e, closes, err
}

// erasing is what an eraser of the lake works with.
func (n *Node) erasing(copies []erase.Copy) erase.Config {
	return erase.Config{
		Bucket: n.bucket, Journal: n.journal, Library: n.Library, Secrets: n.Secrets, Copies: copies, Log: n.log,
		Tables: erase.Stored{Bucket: n.bucket, Tables: n.Reader.warehouse, Columns: n.Library.Identifying()},
		Process: func(ctx context.Context, a lake.Arrival) error {
			_, err := n.Ingest.Process(ctx, a, false)
			return err
		},
		Settle:  n.Settle,
		Rewrite: func(ctx context.Context, l erase.Leaving) error { return n.Maintainer.Rewrite(ctx, maintain.Purge(l)) },
		Discard: func(ctx context.Context, l erase.Leaving) error {
			_, err := n.Maintainer.Discard(ctx, maintain.Purge(l))
			return err
		},
	}
}
