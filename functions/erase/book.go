package erase

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"medlake/shared/lake"
	"medlake/shared/store"
	"medlake/shared/store/journal"
	"medlake/shared/store/journal/lives"
)

// book is what the log says about a customer up to an entry.
type book struct {
	customer string
	lives    *lives.Lives
	erasures []erasure
	back     map[string]int64 // keys of erased uploads that are in landing, and their erasures
	to       int64
}

// erasure is an entry that erases, and the first one of its order.
type erasure struct{ n, order int64 }

func newBook(customer string) *book {
	return &book{customer: customer, back: map[string]int64{}, lives: lives.New(func(a lake.Arrival) bool { return a.Customer() == customer }, 0)}
}

// read takes in all entries there are.
func (b *book) read(ctx context.Context, j *journal.Journal) error {
	tail, err := j.Tail(ctx)
	if err != nil {
		return err
	}
	return b.readTo(ctx, j, tail)
}

func (b *book) readTo(ctx context.Context, j *journal.Journal, n int64) error {
	for ; b.to < n; b.to++ {
		e, err := j.Entry(ctx, b.to+1)
		if err != nil {
			return err
		}
		b.lives.Take(&e.Entry)
		if e.Erase != nil && e.Erase.Customer == b.customer {
			x := erasure{e.N, e.Erase.Order}
			if x.order == 0 {
				x.order = e.N
			}
			b.erasures = append(b.erasures, x)
		}
	}
	return nil
}

// arrive has all uploads of the customer processed, and brings the log and the tables up to them.
func (e *Eraser) arrive(ctx context.Context, b *book) error {
	if err := b.read(ctx, e.cfg.Journal); err != nil {
		return err
	}
	for o, err := range e.cfg.Bucket.List(ctx, store.LandingPrefix+b.customer+"/") {
		if err != nil {
			return err
		}
		a := e.cfg.Bucket.Arrival(o)
		if l := b.lives.Of(a.ID()); l != nil {
			if l.Erased > 0 {
				b.back[o.Key] = l.Erased
			}
			continue
		}
		if err := e.cfg.Process(ctx, a); err != nil && !errors.Is(err, lake.ErrInvalid) {
			return err
		}
	}
	if err := e.cfg.Settle(ctx); err != nil {
		return err
	}
	return b.read(ctx, e.cfg.Journal)
}

// maxUploads is how many uploads one entry of the log names.
const maxUploads = 1000

// request has the log say that the uploads of a plan leave, and tells which order that is: the one of a plan that goes on,
// else a new one; 0 if nothing leaves.
func (e *Eraser) request(ctx context.Context, p *Plan) (order int64, err error) {
	order = p.Resume
	for some := range slices.Chunk(p.uploads, maxUploads) {
		id := e.cfg.Name()
		won, err := e.cfg.Journal.Compose(ctx, func(ctx context.Context, n int64) (lake.Entry, error) {
			err := p.book.readTo(ctx, e.cfg.Journal, n-1)
			return entry(n, id, p.Order, order, some), err
		})
		if err != nil {
			return order, err
		}
		if order == 0 {
			order = won.N
		}
		if err := e.cfg.Journal.Hint(ctx, won.N); err != nil {
			return order, err
		}
		e.cfg.Log.InfoContext(ctx, "erasure requested", "entry", won.N, "customer", p.Customer, "uploads", len(won.Erase.Uploads))
	}
	return order, p.book.read(ctx, e.cfg.Journal)
}

// entry is log entry n of an order, which takes uploads out. The rows of those of which nothing stays leave with it.
func entry(n int64, id string, o Order, first int64, uploads []upload) lake.Entry {
	out := lake.Entry{ID: id, Erase: &lake.Erasure{Customer: o.Customer, Order: first, Reason: o.Reason}}
	for _, u := range uploads {
		if u.life.Erased > 0 { // by somebody else, meanwhile
			continue
		}
		x := lake.Erased{Arrival: u.life.ID, At: u.life.Arrival.At}
		x.Replaces, x.Older = u.life.Loads()
		x.Drops, x.Without = u.life.Tables()
		switch {
		case u.named && !u.whole:
			x.Records = map[int][]int64{0: {}}
		case !u.whole:
			x.Records = u.records.list()
		case len(x.Drops) > 0:
			out.Loads = append(out.Loads, lake.Load{
				Load: lake.Hash("erase", fmt.Sprint(n), x.Arrival), Epoch: n, Replaces: x.Replaces, Older: x.Older, Drops: x.Drops, Erased: true,
			})
		}
		out.Erase.Uploads = append(out.Erase.Uploads, x)
	}
	return out
}
