// Package query answers SQL over the lake's tables with an injected engine: for an operator over everything, for a
// customer over that customer's rows alone. It decides which files and rows a statement may see, makes changing tables
// look current, and writes results for people and programs. It does not run SQL (an Engine does) and does not read the
// catalog (a Source does).
package query

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"medlake/shared/lake"
	"medlake/shared/metadata"
)

// Reader answers statements. It is safe for concurrent use if its parts are.
type Reader struct {
	Source  Source
	Set     *metadata.Set // makes current views of tables that change, and names tables that hold nothing yet
	Engine  Engine        // runs operators' statements
	Sandbox Engine        // runs customers' statements: a Child, unless a test wants otherwise
}

// Source knows the stored tables. Its methods are safe for concurrent use.
type Source interface {
	// Tables returns the names of all stored tables, as namespace.name.
	Tables(ctx context.Context) ([]string, error)
	// Table plans one table at its current snapshot. With a customer, a table partitioned by customer comes with that
	// customer's files only; any other table comes whole. It returns lake.ErrNotFound for a table that is not stored.
	Table(ctx context.Context, name, customer string) (Table, error)
}

// Request is one statement and for whom it runs.
type Request struct {
	SQL      string
	Customer string    // empty: an operator, who sees every customer
	At       time.Time // as received by this moment; zero: everything
	Limits   Limits    // zero fields: the defaults for a customer, no limit for an operator
}

// Read names one stored table that a result was read from, so that the result can be explained and made again.
type Read struct {
	Table    string `json:"table"`
	Snapshot int64  `json:"snapshot"`
	Batch    int64  `json:"batch"` // number of the log up to which the table had been applied
}

// Result is a statement's answer. Rows can be ranged over once; Close must be called and may be called early.
type Result struct {
	Columns []Column
	Rows    iter.Seq2[[]Cell, error] // a row is valid until the next one
	Reads   []Read
	Stop    func() error // ends the statement and frees what it holds; nil: nothing to free
}

// Close ends the statement. What it returns is about the engine; errors of the statement come with the rows.
func (r *Result) Close() error {
	if r.Stop == nil {
		return nil
	}
	return r.Stop()
}

// Query runs one statement. Errors are Errors with a sentence for its author, or the lake's own troubles.
func (r *Reader) Query(ctx context.Context, q Request) (*Result, error) {
	engine := r.Engine
	if q.Customer != "" {
		if !lake.ValidCustomer(q.Customer) || !r.known(q.Customer) {
			return nil, refuse(lake.ErrNotFound, "there is no customer of this name in the metadata")
		}
		if engine = r.Sandbox; engine == nil {
			return nil, errors.New("customers' SQL needs a sandbox, and none is set up")
		}
	}
	s := Statement{SQL: q.SQL, Customer: q.Customer, Limits: q.Limits}
	if q.Customer != "" {
		s.Limits = s.Limits.orDefaults()
	}
	p, err := engine.Prepare(ctx, s)
	if err != nil {
		return nil, err
	}
	res, err := r.run(ctx, p, q)
	if err != nil {
		return nil, errors.Join(err, p.Close())
	}
	stop := res.Stop
	res.Stop = func() error {
		if stop == nil {
			return p.Close()
		}
		return errors.Join(stop(), p.Close())
	}
	return res, nil
}

func (r *Reader) run(ctx context.Context, p Prepared, q Request) (*Result, error) {
	c, err := r.catalog(ctx, p.Reads(), q)
	if err != nil {
		return nil, err
	}
	res, err := p.Run(ctx, c)
	if err != nil {
		return nil, err
	}
	for _, t := range c.Tables {
		if t.Snapshot != 0 {
			res.Reads = append(res.Reads, Read{Table: t.Schema.Table, Snapshot: t.Snapshot, Batch: t.Batch})
		}
	}
	return res, nil
}

func (r *Reader) known(customer string) bool {
	if r.Set == nil {
		return true
	}
	for _, c := range r.Set.Customers {
		if c.ID == customer {
			return true
		}
	}
	return false
}

// Error is a fault of a statement, as a sentence for its author. It may quote the statement and values the author may
// see: show it to the author, never log it.
type Error struct {
	Kind    error // lake.ErrInvalid, lake.ErrDenied, lake.ErrNotFound or ErrLimit
	Message string
}

// ErrLimit says that a statement was stopped because it used more than it may.
var ErrLimit = errors.New("over the limit")

func (e *Error) Error() string { return e.Message }

// Unwrap makes errors.Is find the kind.
func (e *Error) Unwrap() error { return e.Kind }

func refuse(kind error, format string, args ...any) *Error {
	return &Error{Kind: kind, Message: fmt.Sprintf(format, args...)}
}
