package erase

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"time"

	"medlake/shared/lake"
	"medlake/shared/store"
	"medlake/shared/store/journal"
	"medlake/shared/transform"
)

// Leaving is what must leave the files of tables, once its rows have left the tables.
type Leaving struct {
	Customer string
	Tables   []string        // as they are stored
	Loads    map[string]bool // of the customer
	Arrivals map[string]bool // ids
}

// Config is what an Eraser works with. The functions are other packages': they may be called any number of times. All but
// Copies, Now, Random, Name and Log must be set.
type Config struct {
	Bucket  *store.Bucket
	Journal *journal.Journal
	Library *transform.Library
	Secrets Secrets
	Tables  interface {
		Tables
		// Names lists all tables as they are stored.
		Names(ctx context.Context) ([]string, error)
		// Forget drops all states of a table but the newest.
		Forget(ctx context.Context, table string) error
	}
	Process func(ctx context.Context, a lake.Arrival) error // has ingest process an upload
	Settle  func(ctx context.Context) error                 // brings all that is pending into the tables, those that change too
	Rewrite func(ctx context.Context, l Leaving) error      // makes the newest states of tables hold nothing of it, not even hidden
	Discard func(ctx context.Context, l Leaving) error      // deletes the tables' files that hold something of it and that no state names
	Copies  []Copy                                          // of the bucket, which are erased from too
	Now     func() time.Time                                // default time.Now
	Random  io.Reader                                       // default crypto/rand.Reader
	Name    func() string                                   // a name never given before; default random
	Log     *slog.Logger
}

// Copy is a copy of the bucket.
type Copy struct {
	Bucket *store.Bucket
	Update func(ctx context.Context) error // makes the copy lack what the bucket lacks
}

// Eraser erases. Several may run at once.
type Eraser struct{ cfg Config }

// New makes an Eraser.
func New(cfg Config) (*Eraser, error) {
	if cfg.Bucket == nil || cfg.Journal == nil || cfg.Library == nil || cfg.Secrets == nil || cfg.Tables == nil ||
		cfg.Process == nil || cfg.Settle == nil || cfg.Rewrite == nil || cfg.Discard == nil {
		return nil, errors.New("erase: something that must be set is not")
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Random == nil {
		cfg.Random = rand.Reader
	}
	if cfg.Name == nil {
		cfg.Name = rand.Text
	}
	if cfg.Log == nil {
		cfg.Log = slog.Default()
	}
	return &Eraser{cfg}, nil
}

// Order says what is to be erased.
type Order struct {
	Customer   string
	Patient    string // the id as identifying columns have it; empty: all of the customer
	Anywhere   bool   // records count as the patient's wherever the id stands in them
	Unreadable bool   // uploads that cannot be opened leave too: nobody can say what is in them
	Reason     string // for the log and the certificate
	Resume     int64  // the order that goes on, by its first entry; 0: it is a new one
}

// Plan is what an order comes to.
type Plan struct {
	Order
	Uploads   int     // that hold something of it
	Rewritten int     // of these; the others leave as a whole
	Records   int     // of text, in uploads that are rewritten
	Members   int     // that leave as a whole, in uploads that are rewritten
	Open      []int64 // orders of before that have no certificate, by their first entries

	book    *book
	uploads []upload
}

// ErrLeft says that the search has found something, or has met objects that it cannot read. There is no certificate then.
var ErrLeft = errors.New("not all is erased")

// passes is how often all that holds something is removed and searched for: a merge or a compaction that was under way beside
// the first may write files afterwards, which no state will name.
const passes = 3

// Plan looks what an order would erase. It changes nothing.
func (e *Eraser) Plan(ctx context.Context, o Order) (*Plan, error) {
	if !lake.ValidCustomer(o.Customer) {
		return nil, fmt.Errorf("erase: %q cannot be a customer: %w", o.Customer, lake.ErrInvalid)
	}
	p := &Plan{Order: o, book: newBook(o.Customer)}
	if err := p.book.read(ctx, e.cfg.Journal); err != nil {
		return nil, fmt.Errorf("erase: %w", err)
	}
	if err := e.find(ctx, p); err != nil {
		return nil, fmt.Errorf("erase: %w", err)
	}
	open, err := e.open(ctx, p.book)
	if err != nil {
		return nil, fmt.Errorf("erase: %w", err)
	}
	p.Open = begun(open)
	return p, nil
}

// Run erases what its plan finds. What orders before it have begun, it brings to its end first, for the uploads of both;
// but its certificate tells of its own order only: entries name nobody, so nobody can say whom to search for but who goes
// on with such an order. It may be stopped anywhere. With ErrLeft the findings say what is there still. With other errors
// nothing is known; c.Entries, if there are any, begin with the entry to go on with.
func (e *Eraser) Run(ctx context.Context, o Order) (c Certificate, left Findings, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("erase: %w", err)
		}
	}()
	c = Certificate{Format: lake.Format, Customer: o.Customer, Reason: o.Reason, Metadata: e.cfg.Library.Set().Version, Begun: e.cfg.Now().UTC()}
	p := &Plan{Order: o, book: newBook(o.Customer)}
	if !lake.ValidCustomer(o.Customer) {
		return c, left, fmt.Errorf("%q cannot be a customer: %w", o.Customer, lake.ErrInvalid)
	}
	if err := e.arrive(ctx, p.book); err != nil {
		return c, left, err
	}
	open, err := e.open(ctx, p.book)
	if err != nil {
		return c, left, err
	}
	if o.Resume > 0 && !slices.Contains(begun(open), o.Resume) {
		return c, left, fmt.Errorf("no erasure of %s without a certificate began with entry %d: %w", o.Customer, o.Resume, lake.ErrNotFound)
	}
	if len(open) > 0 { // or what they leave may hold the patient
		if err := e.finish(ctx, p, open); err != nil {
			return c, left, err
		}
	}
	if err := e.find(ctx, p); err != nil {
		return c, left, err
	}
	order, err := e.request(ctx, p)
	if err != nil {
		return c, left, err
	}
	if open, err = e.open(ctx, p.book); err != nil {
		return c, left, err
	}
	c.Open = slices.DeleteFunc(begun(open), func(x int64) bool { return x == order })
	if err := c.count(ctx, e.cfg.Journal, open, order); err != nil {
		return c, left, err
	}
	if err := e.finish(ctx, p, open); err != nil {
		return c, left, err
	}
	for pass := 1; ; pass++ {
		if err := e.remove(ctx, p.book, open); err != nil {
			return c, left, err
		}
		left, err = e.confirm(ctx, o, &c)
		if !errors.Is(err, ErrLeft) || len(left.Holding) == 0 || pass == passes {
			return c, left, err
		}
		e.cfg.Log.InfoContext(ctx, "work beside the erasure left files; removing them too", "entry", order, "objects", len(left.Holding))
	}
}

// finish has all that erasures put in the place of uploads taken in.
func (e *Eraser) finish(ctx context.Context, p *Plan, erasures []erasure) error {
	for _, x := range erasures {
		if err := e.replace(ctx, p, x.n); err != nil {
			return fmt.Errorf("erasure %d: %w", x.n, err)
		}
	}
	return e.cfg.Settle(ctx)
}
