package ingest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"runtime/debug"
	"slices"

	"medlake/shared/lake"
)

// Process brings one arrival to its end: loaded, duplicate or quarantined. resent says that the arrival was sent before
// and may have killed whoever tried it. An error that is lake.ErrInvalid means there is no such arrival; after any other
// the arrival must come again.
func (f *Ingest) Process(ctx context.Context, a lake.Arrival, resent bool) (Result, error) {
	a, err := f.identify(ctx, a)
	if err != nil {
		return Result{}, err
	}
	var rec *lake.Record
	if resent {
		rec, err = f.again(ctx, a)
	} else {
		rec, err = f.once(ctx, a)
	}
	if err != nil {
		return Result{}, fmt.Errorf("arrival %s: %w", a.ID(), err)
	}
	res := result(a, rec)
	f.log.InfoContext(ctx, "processed", "arrival", res.Arrival, "load", res.Load, "status", string(res.Status),
		"reason", string(res.Reason), "rejects", res.Rejects)
	return res, nil
}

// identify takes what the store says of the upload: events are only hints.
func (f *Ingest) identify(ctx context.Context, a lake.Arrival) (lake.Arrival, error) {
	if a.Bucket != f.cfg.Bucket.Name() || !lake.ValidCustomer(a.Customer()) {
		return a, fmt.Errorf("arrival %s is not in this lake's landing area: %w", a.ID(), lake.ErrInvalid)
	}
	o, err := f.cfg.Bucket.Head(ctx, a.Key)
	if errors.Is(err, lake.ErrNotFound) {
		return a, fmt.Errorf("arrival %s is not in the bucket: %w", a.ID(), lake.ErrInvalid)
	}
	if err != nil {
		return a, fmt.Errorf("arrival %s: %w", a.ID(), err)
	}
	stored := f.cfg.Bucket.Arrival(o)
	if a.Version != "" && a.Version != stored.Version {
		return a, fmt.Errorf("arrival %s was replaced by another upload: %w", a.ID(), lake.ErrInvalid)
	}
	return stored, nil
}

// errPanicked says that processing panicked. It counts as a death of the process.
var errPanicked = errors.New("processing panicked")

// once processes an arrival and leaves it pending.
func (f *Ingest) once(ctx context.Context, a lake.Arrival) (rec *lake.Record, err error) {
	defer func() {
		if p := recover(); p != nil {
			f.log.ErrorContext(ctx, "processing panicked", "arrival", a.ID(), "cause", describe(p), "stack", string(debug.Stack()))
			err = errPanicked
		}
	}()
	base, err := f.cfg.Journal.Base(ctx) // before the record is claimed
	if err != nil {
		return nil, err
	}
	rec, about, err := f.record(ctx, a, base)
	var refusal *lake.Refusal
	if errors.As(err, &refusal) {
		rec, err = f.quarantine(ctx, a, base, about, refusal)
	}
	if err != nil {
		return nil, err
	}
	return rec, f.pend(ctx, a, base, rec)
}

// describe tells what a panic was about without a value of the data: only the runtime's own messages hold none.
func describe(p any) string {
	var r runtime.Error
	if err, ok := p.(error); ok && errors.As(err, &r) {
		return r.Error()
	}
	return fmt.Sprintf("%T", p)
}

// record finds or makes the record of an upload that is not refused.
func (f *Ingest) record(ctx context.Context, a lake.Arrival, base int64) (*lake.Record, About, error) {
	engine := *f.engine.Load()
	plan, err := engine.Match(a.Name())
	if err != nil {
		return nil, About{}, err
	}
	about := plan.About()
	passwords, err := f.passwords(ctx, about.Secret)
	if err != nil {
		return nil, about, err
	}
	data, err := f.read(ctx, a)
	if err != nil {
		return nil, about, err
	}
	defer f.free(ctx, data)
	content, err := plan.Open(data.bytes, passwords)
	if err != nil {
		return nil, about, err
	}
	defer f.free(ctx, content)
	load := loadID(a, about, data.bytes, content)
	rec, err := f.existing(ctx, load)
	if rec != nil || err != nil {
		return rec, about, err
	}
	made := &lake.Record{
		Load: load, Arrival: a.ID(), Customer: a.Customer(), Feed: about.Feed, Metadata: engine.Version(),
		Status: lake.Loaded, Base: base, ArrivedAt: a.At,
	}
	if err := f.transform(ctx, plan, content, made); err != nil {
		return nil, about, err
	}
	rec, err = f.claim(ctx, made)
	return rec, about, err
}

// free closes what was only read.
func (f *Ingest) free(ctx context.Context, c interface{ Close() error }) {
	if err := c.Close(); err != nil {
		f.log.LogAttrs(ctx, slog.LevelWarn, "free memory", slog.Any("error", err))
	}
}

// passwords are the lines of a secret. A secret that is not there is no error yet: the file may not be locked.
func (f *Ingest) passwords(ctx context.Context, secret string) ([]string, error) {
	if secret == "" {
		return nil, nil
	}
	lines, err := f.cfg.Secrets.Lines(ctx, secret)
	if err != nil && !errors.Is(err, lake.ErrNotFound) {
		return nil, fmt.Errorf("passwords of the sender: %w", err)
	}
	return lines, nil
}

// epoch is the replay number of a first load.
const epoch = "0"

// loadID names what an upload brings: the same for every upload that brings the same, as the feed defines it.
func loadID(a lake.Arrival, about About, data []byte, c Content) string {
	parts := append([]string{"load", epoch, a.Customer(), about.Feed}, about.Captures...)
	parts = append(parts, "by "+about.Dedupe)
	switch about.Dedupe {
	case "arrival":
		parts = append(parts, a.ID())
	case "content":
		sum := sha256.Sum256(data)
		parts = append(parts, hex.EncodeToString(sum[:]))
	default:
		parts[len(parts)-1] = "by member"
		sums := c.Sums()
		slices.SortFunc(sums, func(a, b [32]byte) int { return slices.Compare(a[:], b[:]) })
		for i := range sums {
			parts = append(parts, string(sums[i][:]))
		}
	}
	return lake.Hash(parts...)
}

// quarantineID names the record of an upload that is refused: its own, so that the same bytes sent again after a fix get
// their chance.
func quarantineID(a lake.Arrival) string { return lake.Hash("quarantine", epoch, a.ID()) }
