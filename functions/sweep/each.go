package sweep

import (
	"context"

	"medlake/shared/pace"
)

// each calls f(0) … f(n-1), at most limit at once. The first error ends it, and comes back when all have ended.
func each(ctx context.Context, n, limit int, f func(ctx context.Context, i int) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	pace.Each(n, limit, func(i int) {
		if ctx.Err() != nil {
			return
		}
		if err := f(ctx, i); err != nil {
			cancel(err)
		}
	})
	return context.Cause(ctx)
}
