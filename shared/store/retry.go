package store

import (
	"context"
	"errors"
	"math/rand/v2"
	"syscall"
	"time"

	"gocloud.dev/gcerrors"

	"medlake/shared/pace"
)

// Retry says how often, and how long after each other, an operation is tried when its error may pass. Between two tries
// lies a random time up to Base, then up to twice that, and so on up to Max.
type Retry struct {
	Tries     int // at least 1
	Base, Max time.Duration
	Rand      func() float64                                   // from [0, 1)
	Wait      func(ctx context.Context, d time.Duration) error // ends early with the context
}

// DefaultRetry tries six times within about three seconds.
func DefaultRetry() Retry {
	return Retry{Tries: 6, Base: 100 * time.Millisecond, Max: 2 * time.Second, Rand: rand.Float64, Wait: wait}
}

func wait(ctx context.Context, d time.Duration) error {
	if !pace.Pause(ctx, d) {
		return ctx.Err()
	}
	return nil
}

// retry calls f until it succeeds or fails for good.
func (b *Bucket) retry(ctx context.Context, f func() error) error {
	for n := 1; ; n++ {
		err := f()
		if err == nil || n >= b.Retry.Tries || !passing(ctx, err) {
			return err
		}
		if b.pause(ctx, n) != nil {
			return err
		}
	}
}

// pause waits before try n+1.
func (b *Bucket) pause(ctx context.Context, n int) error {
	d := b.Retry.Base << min(n-1, 20)
	return b.Retry.Wait(ctx, time.Duration(b.Retry.Rand()*float64(min(d, b.Retry.Max))))
}

// passing reports whether err may go away by itself. S3's 503 and 409 arrive as Unknown. A disk that is full stays so for
// longer than we wait here.
func passing(ctx context.Context, err error) bool {
	if ctx.Err() != nil || errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) || errors.Is(err, syscall.EFBIG) {
		return false
	}
	switch gcerrors.Code(err) {
	case gcerrors.Unknown, gcerrors.Internal, gcerrors.ResourceExhausted, gcerrors.DeadlineExceeded:
		return true
	}
	return false
}
