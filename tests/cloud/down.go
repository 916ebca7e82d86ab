package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"medlake/shared/faas"
)

const downUploads = 40 // half of them while the catalog is down

// withoutCatalog crashes PostgreSQL in the middle of commits and leaves it down: uploads are taken in, into the log
// too, but what needs the catalog answers 503, and once it is back all is right to the row.
func withoutCatalog(ctx context.Context, c *cloud) (err error) {
	l, err := c.manyLake(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, l.close()) }()
	f, err := c.newFamily(ctx, l.env)
	if err != nil {
		return err
	}
	for _, role := range []string{"commit", "merge", "maintain", "ingest"} {
		if err := f.start(ctx, role, 1, 4); err != nil {
			return err
		}
	}
	url := func(role string) string { return "http://" + address(f.next(role).port) }
	x := newExpected()
	for n := range downUploads {
		if n == downUploads/2 {
			if err := c.crash("postgres"); err != nil {
				return err
			}
		}
		a, err := x.send(ctx, l, n, manyRows)
		if err == nil {
			err = tell(ctx, url("ingest"), a)
		}
		if err != nil {
			return fmt.Errorf("upload %d of %d: %w", n, downUploads, err)
		}
	}
	for _, role := range []string{"commit", "merge", "maintain"} {
		if err := again(ctx, url(role)); err != nil {
			return fmt.Errorf("without a catalog %s %w", role, err)
		}
	}
	if err := c.restart(ctx, "postgres"); err != nil {
		return err
	}
	return errors.Join(l.settle(ctx, x), x.compare(ctx, l))
}

// again fails unless a function answers a tick with 503.
func again(ctx context.Context, url string) error {
	limited, stop := context.WithTimeout(ctx, time.Minute)
	defer stop()
	err := faas.Sink(http.DefaultClient, url)(limited, faas.NewTick("check"))
	if err == nil || !strings.HasSuffix(err.Error(), "status 503") {
		return errors.Join(errors.New("does not answer 503"), err)
	}
	return nil
}
