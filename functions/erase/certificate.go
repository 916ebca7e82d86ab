package erase

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"medlake/shared/archive"
	"medlake/shared/lake"
	"medlake/shared/store"
	"medlake/shared/store/journal"
)

// prefix is where certificates lie.
const prefix = "erasures/"

// Certificate is object erasures/<time>: what was erased, and that nothing was found of it afterwards. It does not say of
// whom: whoever asked for it knows.
type Certificate struct {
	Format   int       `json:"format"`
	Customer string    `json:"customer"`
	All      bool      `json:"all,omitempty"` // of the customer; else one patient
	Reason   string    `json:"reason,omitempty"`
	Metadata string    `json:"metadata"` // version
	Begun    time.Time `json:"begun"`
	Ended    time.Time `json:"ended"`
	Entries  []int64   `json:"entries,omitempty"` // of the log: the erasures of its order, and of no other
	Open     []int64   `json:"open,omitempty"`    // orders of before, by their first entry, of which no certificate tells
	Uploads  int       `json:"uploads"`           // that held something of it
	Removed  int       `json:"removed"`           // of these, as a whole; what is left of the others took their places
	Records  int       `json:"records"`           // of text, that the others were rewritten without
	Members  int       `json:"members"`           // so with members as a whole
	Objects  int       `json:"objects"`           // that were searched afterwards, and did not hold it
	Copies   []int     `json:"copies,omitempty"`  // the same of each copy
	Key      string    `json:"-"`
}

// count sums the erasures of an order.
func (c *Certificate) count(ctx context.Context, j *journal.Journal, erasures []erasure, order int64) error {
	for _, x := range erasures {
		if x.order != order {
			continue
		}
		c.Entries = append(c.Entries, x.n)
		e, err := j.Entry(ctx, x.n)
		if err != nil {
			return err
		}
		for i := range e.Erase.Uploads {
			u := &e.Erase.Uploads[i]
			if c.Uploads++; len(u.Records) == 0 {
				c.Removed++
				continue
			}
			records, members := recordsOf(u.Records).count()
			c.Records += records
			c.Members += members
		}
	}
	return nil
}

// open lists the erasures of a customer that no certificate names.
func (e *Eraser) open(ctx context.Context, b *book) ([]erasure, error) {
	open := slices.Clone(b.erasures)
	for o, err := range e.cfg.Bucket.List(ctx, prefix) {
		if err != nil {
			return nil, err
		}
		data, err := e.cfg.Bucket.Get(ctx, o.Key)
		if err != nil {
			return nil, err
		}
		var c Certificate
		if err := json.Unmarshal(data, &c); err != nil {
			return nil, fmt.Errorf("certificate cannot be read: %w", lake.ErrInvalid)
		}
		open = slices.DeleteFunc(open, func(x erasure) bool { return slices.Contains(c.Entries, x.n) })
	}
	return open, nil
}

// begun lists the orders of erasures.
func begun(erasures []erasure) (orders []int64) {
	for _, x := range erasures {
		if !slices.Contains(orders, x.order) {
			orders = append(orders, x.order)
		}
	}
	return orders
}

// confirm searches the bucket and its copies, and if nothing is found writes the certificate.
func (e *Eraser) confirm(ctx context.Context, o Order, c *Certificate) (Findings, error) {
	left, err := e.search(ctx, e.cfg.Bucket, o)
	if err == nil && !left.Clean() {
		err = ErrLeft
	}
	if err != nil {
		return left, err
	}
	c.All, c.Objects, c.Copies = o.Patient == "", left.Objects, nil
	for _, x := range e.cfg.Copies {
		if err := x.Update(ctx); err != nil {
			return left, fmt.Errorf("the copy: %w", err)
		}
		if left, err = e.search(ctx, x.Bucket, o); err == nil && !left.Clean() {
			err = fmt.Errorf("the copy: %w", ErrLeft)
		}
		if err != nil {
			return left, err
		}
		c.Copies = append(c.Copies, left.Objects)
	}
	c.Ended = e.cfg.Now().UTC()
	c.Key = prefix + c.Ended.Format("20060102T150405.000000Z")
	data, err := json.Marshal(c)
	if err == nil {
		err = e.cfg.Bucket.PutIfAbsent(ctx, c.Key, data)
	}
	return left, err
}

// search looks for what an order erases.
func (e *Eraser) search(ctx context.Context, b *store.Bucket, o Order) (f Findings, err error) {
	if o.Patient == "" {
		return e.all(ctx, b, o.Customer)
	}
	limits := archive.Defaults()
	limits.Nested = nested
	s := Scan{Bucket: b, Customer: o.Customer, Limits: limits, Passwords: func(ctx context.Context, upload string) ([]string, error) {
		how, err := e.reading(ctx, upload)
		return how.passwords, err
	}}
	return s.Find(ctx, o.Patient)
}

// nested is how deep archives inside archives are searched.
const nested = 8

// all looks for anything of a customer's: uploads, and data files in its partitions. What else there is of it, ids and
// counts in the log and in ops.loads, stays.
func (e *Eraser) all(ctx context.Context, b *store.Bucket, customer string) (f Findings, err error) {
	for o, err := range b.List(ctx, "") {
		if err != nil {
			return f, err
		}
		f.Objects++
		if strings.HasPrefix(o.Key, store.LandingPrefix+customer+"/") ||
			strings.Contains(o.Key, "/customer="+customer+"/") && !deletes(o.Key) {
			f.Holding = append(f.Holding, o.Key)
		}
	}
	return f, nil
}
