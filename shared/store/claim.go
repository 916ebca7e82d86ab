package store

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"

	"gocloud.dev/gcerrors"

	"medlake/shared/lake"
)

// Claim writes the object unless the key is taken, and returns the bytes that stand there now: ours, or those of whoever
// was first. All claimers of a key get the same bytes. A reply that says the key is taken does not mean that somebody
// else won (the reply to our own write may have been lost), so the key is read back after every error. After an error
// of Claim the outcome is unknown: claim again.
func (b *Bucket) Claim(ctx context.Context, key string, data []byte) (winner []byte, err error) {
	for n := 1; ; n++ {
		err = b.putOnce(ctx, key, data, true)
		if err == nil {
			return data, nil
		}
		taken, denied := gcerrors.Code(err) == gcerrors.FailedPrecondition, gcerrors.Code(err) == gcerrors.PermissionDenied
		if !taken && !denied && !passing(ctx, err) {
			return nil, fault("claim", key, err)
		}
		got, gerr := b.getOnce(ctx, key)
		if gerr == nil {
			return got, nil
		}
		if denied { // who may not overwrite may be told this, and not that the key is taken
			return nil, fault("claim", key, err)
		}
		if taken {
			err = gerr
		}
		if n >= b.Retry.Tries || b.pause(ctx, n) != nil {
			return nil, fault("claim", key, err)
		}
	}
}

// Upload streams a new object into the bucket. If the key is taken by an object of the same bytes, that is a success (a
// lost reply looks like that); by others, the error is lake.ErrConflict. If the source fails, nothing is published.
// The source is read once: any other error is the caller's to repeat.
func (b *Bucket) Upload(ctx context.Context, key string, r io.Reader) (Object, error) {
	writing, cancel := context.WithCancel(ctx)
	defer cancel()
	src := &source{r: r, sum: sha256.New(), broken: cancel}
	err := b.write(writing, key, src, true)
	code := gcerrors.Code(err)
	if (code == gcerrors.FailedPrecondition || code == gcerrors.PermissionDenied) && !src.done && src.err == nil {
		_, _ = io.Copy(io.Discard, src) // refused early: the sum of the rest is needed; src keeps the error
	}
	switch {
	case err == nil:
	case src.err != nil:
		var path *fs.PathError
		if errors.As(src.err, &path) { // a sender's file, which may be named after a patient
			return Object{}, fmt.Errorf("upload: read the source: %w", path.Err)
		}
		return Object{}, fmt.Errorf("upload: read the source: %w", src.err)
	case !src.done:
		return Object{}, fault("upload", key, err)
	default:
		same, serr := b.same(ctx, key, src)
		if serr != nil {
			return Object{}, fault("upload", key, err)
		}
		if !same {
			return Object{}, fmt.Errorf("upload %s: %w", show(key), lake.ErrConflict)
		}
	}
	return b.Head(ctx, key)
}

// same reports whether the object holds what the source had.
func (b *Bucket) same(ctx context.Context, key string, src *source) (bool, error) {
	o, err := b.Head(ctx, key)
	if err != nil {
		return false, err
	}
	if o.Size != src.n {
		return false, nil
	}
	r, err := b.Reader(ctx, key)
	if err != nil {
		return false, err
	}
	h := sha256.New()
	_, err = io.Copy(h, r)
	if cerr := r.Close(); err == nil {
		err = cerr
	}
	return err == nil && bytes.Equal(h.Sum(nil), src.sum.Sum(nil)), err
}

// source remembers how far and how well it was read.
type source struct {
	r      io.Reader
	sum    hash.Hash
	n      int64
	err    error
	done   bool   // read to its end
	broken func() // called when reading fails: what was read must not be published
}

func (s *source) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	s.sum.Write(p[:n])
	s.n += int64(n)
	switch err {
	case nil:
	case io.EOF:
		s.done = true
	default:
		s.err = err
		s.broken()
	}
	return n, err
}
