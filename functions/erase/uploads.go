package erase

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"medlake/shared/lake"
	"medlake/shared/store"
	"medlake/shared/store/journal/lives"
)

// upload is one that holds something to be erased.
type upload struct {
	life    *lives.Life
	whole   bool    // nothing of it stays
	records Records // that leave, else
	named   bool    // only its name has the id, and leaves
}

// find looks through the uploads of a plan's customer.
func (e *Eraser) find(ctx context.Context, p *Plan) error {
	p.uploads = nil
	rows := map[string]Records{}
	if p.Patient != "" {
		var err error
		if rows, err = Locate(ctx, e.cfg.Tables, p.Customer, p.Patient); err != nil {
			return err
		}
	}
	for _, l := range p.book.lives.Order {
		if l.Erased > 0 {
			continue
		}
		u := upload{life: l, whole: true}
		if p.Patient != "" {
			now, _ := l.Loads()
			if err := e.look(ctx, p, &u, rows[now]); err != nil {
				return fmt.Errorf("upload %s: %w", l.ID, err)
			}
			if !u.whole && !u.named && len(u.records) == 0 {
				continue
			}
		}
		p.uploads = append(p.uploads, u)
		if p.Uploads++; u.whole {
			continue
		}
		records, members := u.records.count()
		p.Rewritten++
		p.Records += records
		p.Members += members
	}
	return nil
}

// look finds what of an upload leaves. Of a duplicate nothing stays: all of it stands in the upload that was first.
func (e *Eraser) look(ctx context.Context, p *Plan, u *upload, rows Records) error {
	u.whole = false
	a := u.life.Arrival
	data, err := e.bytes(ctx, a)
	if errors.Is(err, lake.ErrNotFound) { // only its rows are left, and nothing to derive others from
		u.whole = len(rows) > 0
		return nil
	}
	if err != nil {
		return err
	}
	u.records, err = e.records(ctx, a.Name(), data, p.Order)
	var refusal *lake.Refusal
	if errors.As(err, &refusal) { // it has no rows either
		u.whole = p.Unreadable
		return nil
	}
	if err != nil {
		return err
	}
	for entry, numbers := range rows {
		for row := range numbers {
			u.records.add(entry, row)
		}
	}
	named := newSearch(p.Patient).inKey(a.Key)
	switch {
	case len(u.records) == 0 && !named:
		return nil
	case u.life.Status == lake.Duplicate:
		u.whole = true
		return nil
	}
	u.named = len(u.records) == 0
	rest, err := e.without(ctx, a.Name(), data, u.records)
	u.whole = rest == nil
	return err
}

// bytes reads an upload, also if another one lies over it by now; lake.ErrNotFound if it is not there.
func (e *Eraser) bytes(ctx context.Context, a lake.Arrival) ([]byte, error) {
	r, err := e.cfg.Bucket.ReaderOf(ctx, store.Object{Key: a.Key, Size: a.Size, Version: a.Version})
	if errors.Is(err, lake.ErrConflict) {
		return nil, lake.ErrNotFound
	}
	if err != nil {
		return nil, err
	}
	data, err := io.ReadAll(r)
	return data, errors.Join(err, r.Close())
}

// replace puts the uploads of erasure n that are rewritten into landing and has them taken in, which takes the others'
// rows out. It ends when all stand in the log.
func (e *Eraser) replace(ctx context.Context, p *Plan, n int64) error {
	entry, err := e.cfg.Journal.Entry(ctx, n)
	if err != nil {
		return err
	}
	for range replaces {
		var wait []lake.Arrival
		for i := range entry.Erase.Uploads {
			u := &entry.Erase.Uploads[i]
			if len(u.Records) == 0 {
				continue
			}
			a, err := e.rewrite(ctx, p, n, u)
			if err != nil {
				return fmt.Errorf("upload %s: %w", u.Arrival, err)
			}
			if a.Key != "" && p.book.lives.Of(a.ID()) == nil {
				wait = append(wait, a)
			}
		}
		if len(wait) == 0 {
			return nil
		}
		for _, a := range wait {
			if err := e.cfg.Process(ctx, a); err != nil {
				return err
			}
		}
		if err := e.cfg.Settle(ctx); err != nil {
			return err
		}
		if err := p.book.read(ctx, e.cfg.Journal); err != nil {
			return err
		}
	}
	return errors.New("uploads that were rewritten do not come into the log")
}

// replaces is how often uploads that were rewritten are processed before an erasure is given up.
const replaces = 5

// rewrite makes an upload without its records the arrival that takes its place. An arrival without a key says that this
// was done long ago.
func (e *Eraser) rewrite(ctx context.Context, p *Plan, n int64, u *lake.Erased) (lake.Arrival, error) {
	l := p.book.lives.Of(u.Arrival)
	if l == nil {
		return lake.Arrival{}, fmt.Errorf("it has no receipt: %w", lake.ErrInvalid)
	}
	old := l.Arrival
	if old.ID() != u.Arrival { // its name is forgotten, which comes last
		return lake.Arrival{}, nil
	}
	key := lake.RewrittenKey(nameless(old.Key, p.Patient), n, u.Arrival)
	o, err := e.rewritten(ctx, key)
	if !errors.Is(err, lake.ErrNotFound) {
		return e.cfg.Bucket.Arrival(o), err
	}
	data, err := e.bytes(ctx, old)
	if err != nil {
		return lake.Arrival{}, err
	}
	rest, err := e.without(ctx, old.Name(), data, recordsOf(u.Records))
	if err == nil && rest == nil {
		err = errors.New("nothing of it would stay")
	}
	if err == nil {
		err = e.cfg.Bucket.PutIfAbsent(ctx, key, rest)
	}
	if err != nil && !errors.Is(err, lake.ErrConflict) {
		return lake.Arrival{}, err
	}
	o, err = e.cfg.Bucket.Head(ctx, key)
	return e.cfg.Bucket.Arrival(o), err
}

// rewritten finds the upload that a key is for; lake.ErrNotFound if it was not put yet. Who went on with another's order did
// not know what to leave out of its name.
func (e *Eraser) rewritten(ctx context.Context, key string) (store.Object, error) {
	o, err := e.cfg.Bucket.Head(ctx, key)
	parts := strings.SplitN(key, "/", 4)
	if !errors.Is(err, lake.ErrNotFound) || len(parts) < 4 {
		return o, err
	}
	id := key[strings.LastIndexByte(key, '@'):]
	for o, err := range e.cfg.Bucket.List(ctx, strings.Join(parts[:3], "/")+"/") {
		if err != nil || strings.HasSuffix(o.Key, id) {
			if err == nil {
				o, err = e.cfg.Bucket.Head(ctx, o.Key) // with its version
			}
			return o, err
		}
	}
	return o, err
}

// nameless is a landing key whose name does not have a patient's id.
func nameless(key, patient string) string {
	parts := strings.SplitN(key, "/", 4)
	if patient != "" && len(parts) == 4 {
		parts[3] = strings.ReplaceAll(parts[3], patient, "erased")
	}
	return strings.Join(parts, "/")
}
