package store

import (
	"context"
	"errors"
	"fmt"

	"medlake/shared/lake"
)

// proofKey says that the bucket has passed SelfTest. A copy of the bucket is another bucket, so the proof tells whose it is.
const proofKey = "proved"

// Prove is SelfTest for the first process that opens a bucket; later ones find the proof in it. The test costs some 90
// requests, which a function that starts a thousand times a day should not make each time.
func (b *Bucket) Prove(ctx context.Context) error {
	is := "1 " + b.Name()
	if proof, err := b.Get(ctx, proofKey); err == nil && string(proof) == is {
		return nil
	} else if err != nil && !errors.Is(err, lake.ErrNotFound) {
		return fmt.Errorf("bucket %s cannot hold a lake: %w", b.at.base, err)
	}
	if err := b.SelfTest(ctx); err != nil {
		return err
	}
	return b.Put(ctx, proofKey, []byte(is))
}
