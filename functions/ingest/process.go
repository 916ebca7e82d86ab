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
	"strconv"
	"time"

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
	return f.process(ctx, a, resent)
}

// process is Process of an arrival as the store has it.
func (f *Ingest) process(ctx context.Context, a lake.Arrival, resent bool) (Result, error) {
	start := time.Now()
	p, err := f.rewritten(ctx, a)
	if err != nil {
		return Result{}, fmt.Errorf("arrival %s: %w", a.ID(), err)
	}
	var rec *lake.Record
	if resent {
		rec, err = f.again(ctx, p)
	} else {
		rec, err = f.once(ctx, p)
	}
	if err != nil {
		return Result{}, fmt.Errorf("arrival %s: %w", a.ID(), err)
	}
	res := f.told(ctx, a, 0, rec)
	f.measure(ctx, a, rec, res, time.Since(start))
	return res, nil
}

// Derive processes an arrival anew for the replay p.Epoch, whose entry stands in the log. p says what the outcome replaces;
// its base and record are not looked at. It keeps the time of the first upload. An error that is lake.ErrInvalid means that
// the upload is not there any more.
func (f *Ingest) Derive(ctx context.Context, p lake.Pending) error {
	if _, err := f.identify(ctx, p.Arrival); err != nil {
		return err
	}
	rec, err := f.again(ctx, p)
	if err != nil {
		return fmt.Errorf("arrival %s, replay %d: %w", p.Arrival.ID(), p.Epoch, err)
	}
	f.told(ctx, p.Arrival, p.Epoch, rec)
	return nil
}

// told logs what became of an arrival.
func (f *Ingest) told(ctx context.Context, a lake.Arrival, epoch int64, rec *lake.Record) Result {
	res := result(a, rec)
	f.log.InfoContext(ctx, "processed", "arrival", res.Arrival, "epoch", epoch, "load", res.Load, "status", string(res.Status),
		"reason", string(res.Reason), "rejects", res.Rejects)
	return res
}

// errPanicked says that processing panicked. It counts as a death of the process.
var errPanicked = errors.New("processing panicked")

// once processes an arrival and leaves it pending.
func (f *Ingest) once(ctx context.Context, p lake.Pending) (rec *lake.Record, err error) {
	defer func() {
		if cause := recover(); cause != nil {
			f.log.ErrorContext(ctx, "processing panicked", "arrival", p.Arrival.ID(), "cause", describe(cause), "stack", string(debug.Stack()))
			err = errPanicked
		}
	}()
	base, err := f.cfg.Journal.Base(ctx) // before the record is claimed
	if err != nil {
		return nil, err
	}
	rec, err = f.made(ctx, p)
	if err != nil {
		return nil, err
	}
	if rec != nil {
		return rec, f.pend(ctx, p, base, rec)
	}
	rec, about, err := f.record(ctx, p, base)
	var refusal *lake.Refusal
	if errors.As(err, &refusal) {
		rec, err = f.quarantine(ctx, p, base, about, refusal)
	}
	if err != nil {
		return nil, err
	}
	return rec, f.pend(ctx, p, base, rec)
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
func (f *Ingest) record(ctx context.Context, p lake.Pending, base int64) (*lake.Record, About, error) {
	a, engine := p.Arrival, *f.engine.Load()
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
	load := replayID(p)
	if p.Replaces == "" {
		load = loadID(a, about, data.bytes, content)
	}
	rec, err := f.existing(ctx, load)
	if rec != nil || err != nil {
		return rec, about, err
	}
	made := &lake.Record{
		Load: load, Arrival: a.ID(), Epoch: p.Epoch, Customer: a.Customer(), Feed: about.Feed, Metadata: engine.Version(),
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

// loadID names what an upload brings: the same for every upload that brings the same, as the feed defines it.
func loadID(a lake.Arrival, about About, data []byte, c Content) string {
	parts := append([]string{"load", "0", a.Customer(), about.Feed}, about.Captures...)
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

// replayID names what a replay makes of an arrival that has a load: its own, because only one arrival of the same content
// has one.
func replayID(p lake.Pending) string {
	return lake.Hash("load", strconv.FormatInt(p.Epoch, 10), p.Arrival.ID())
}

// quarantineID names the record of an upload that is refused: its own, so that the same bytes sent again after a fix get
// their chance.
func quarantineID(p lake.Pending) string {
	return lake.Hash("quarantine", strconv.FormatInt(p.Epoch, 10), p.Arrival.ID())
}
