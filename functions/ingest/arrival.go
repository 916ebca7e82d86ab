package ingest

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/cloudevents/sdk-go/v2/event"

	"medlake/shared/faas"
	"medlake/shared/faas/meter"
	"medlake/shared/lake"
	"medlake/shared/store"
)

// notice processes the object that a store tells of. Stores tell of more than uploads of this lake, and late: what is none,
// or is gone, is done with.
func (f *Ingest) notice(ctx context.Context, e event.Event) error {
	o, err := faas.ParseObject(e)
	if err != nil {
		return err
	}
	key, here := strings.CutPrefix(o.URL(), f.cfg.Bucket.Name())
	a := lake.Arrival{Bucket: f.cfg.Bucket.Name(), Key: key, Version: o.Version}
	if !here || !lake.ValidCustomer(a.Customer()) {
		f.cfg.Meter.Add(ctx, meter.Ignored, 1, "elsewhere")
		return nil
	}
	a, err = f.stored(ctx, a, true)
	if errors.Is(err, lake.ErrNotFound) {
		f.cfg.Meter.Add(ctx, meter.Ignored, 1, "gone")
		return nil
	}
	if err != nil {
		return err
	}
	_, err = f.process(ctx, a, false)
	return err
}

// identify takes what the store says of the upload: events are only hints.
func (f *Ingest) identify(ctx context.Context, a lake.Arrival) (lake.Arrival, error) {
	if a.Bucket != f.cfg.Bucket.Name() || !lake.ValidCustomer(a.Customer()) {
		return a, fmt.Errorf("arrival %s is not in this lake's landing area: %w", a.ID(), lake.ErrInvalid)
	}
	stored, err := f.stored(ctx, a, false)
	if errors.Is(err, lake.ErrNotFound) {
		return a, fmt.Errorf("arrival %s is not in the bucket, or was replaced by another upload: %w", a.ID(), lake.ErrInvalid)
	}
	return stored, err
}

// stored is the upload a as the store describes it: the version that a names, if it names one, also where a newer one lies
// over it. If the store does not keep that, it is the newest version, or lake.ErrNotFound. What was deleted is not found,
// whatever versions are kept.
func (f *Ingest) stored(ctx context.Context, a lake.Arrival, orNewest bool) (lake.Arrival, error) {
	o, err := f.cfg.Bucket.Head(ctx, a.Key)
	if err == nil && a.Version != "" && a.Version != o.Version {
		var older store.Object
		older, err = f.cfg.Bucket.HeadVersion(ctx, store.Object{Key: a.Key, Size: a.Size, Version: a.Version})
		switch {
		case err == nil:
			o = older
		case orNewest && errors.Is(err, lake.ErrNotFound):
			err = nil
		}
	}
	if err != nil {
		return a, fmt.Errorf("arrival %s: %w", a.ID(), err)
	}
	return f.cfg.Bucket.Arrival(o), nil
}
