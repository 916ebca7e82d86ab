// Package faulty wraps a bucket so that tests can make any call to it fail, lose its reply, or be the last thing the
// process does. It is for tests only and adds no behaviour of its own.
package faulty

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"gocloud.dev/blob"
	"gocloud.dev/blob/driver"
	"gocloud.dev/gcerrors"

	"medlake/shared/store"
)

// Fault is what happens to one call.
type Fault int

// The faults.
const (
	None        Fault = iota
	Before            // the call fails and has done nothing: a 503, a timeout before the store saw it
	After             // the call has done its work but its reply is lost: the caller cannot know
	Crash             // the process dies before the call: this and every later call fails with ErrCrashed and does nothing
	CrashAfter        // the process dies after the call has done its work: it and every later call fails with ErrCrashed
	faultsCount       // not a fault
)

// Faults are all faults but None, for tables of tests.
func Faults() []Fault { return []Fault{Before, After, Crash, CrashAfter} }

func (f Fault) String() string {
	if f < 0 || f >= faultsCount {
		return fmt.Sprintf("fault %d", int(f))
	}
	return [...]string{"none", "before", "after", "crash", "crash after"}[f]
}

// Op is the kind of a call.
type Op string

// The calls. A put is decided when it is published, a get when it is opened.
const (
	Get    Op = "get"
	Put    Op = "put"
	Head   Op = "head"
	List   Op = "list"
	Delete Op = "delete"
	Copy   Op = "copy"
)

// Call is one call to the bucket.
type Call struct {
	N   int // from 0, over all calls of the bucket
	Op  Op
	Key string // the prefix for a List
}

// IsWrite reports whether the call changes the bucket.
func (c Call) IsWrite() bool { return c.Op == Put || c.Op == Delete || c.Op == Copy }

// Errors of injected faults. The first is one that callers retry, the second is not.
var (
	ErrInjected = errors.New("injected: slow down")
	ErrCrashed  = errors.New("injected: the process has crashed")
)

// Driver decides and records. It is safe for concurrent use.
type Driver struct {
	in   driver.Bucket
	plan func(Call) Fault

	mu    sync.Mutex
	calls []Call
	dead  bool
}

// New returns a bucket over b's objects whose calls suffer what plan says (nil: nothing), and its record. Plan is asked
// one call at a time. The bucket retries as b does, without waiting; b itself stays sound.
func New(b *store.Bucket, plan func(Call) Fault) (*store.Bucket, *Driver) {
	return Over(b, portable{b.Blob()}, plan)
}

// Over is New for a bucket whose driver the caller has at hand.
func Over(b *store.Bucket, in driver.Bucket, plan func(Call) Fault) (*store.Bucket, *Driver) {
	d := &Driver{in: in, plan: plan}
	bad := b.Over(blob.NewBucket(d))
	bad.Retry.Wait = func(ctx context.Context, _ time.Duration) error { return ctx.Err() }
	return bad, d
}

// Nth is a plan that gives fault f to call n alone.
func Nth(n int, f Fault) func(Call) Fault {
	return func(c Call) Fault {
		if c.N == n {
			return f
		}
		return None
	}
}

// Calls returns what was called so far.
func (d *Driver) Calls() []Call {
	d.mu.Lock()
	defer d.mu.Unlock()
	return append([]Call(nil), d.calls...)
}

// Crashed reports whether a crash was injected.
func (d *Driver) Crashed() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.dead
}

// next decides the fault of a call. An error means that the call must do nothing.
func (d *Driver) next(op Op, key string) (Fault, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.dead {
		return Crash, ErrCrashed
	}
	c := Call{N: len(d.calls), Op: op, Key: key}
	d.calls = append(d.calls, c)
	f := None
	if d.plan != nil {
		f = d.plan(c)
	}
	d.dead = f == Crash || f == CrashAfter
	switch f {
	case Before:
		return f, ErrInjected
	case Crash:
		return f, ErrCrashed
	}
	return f, nil
}

// reply is what the caller gets of a call that was done.
func (f Fault) reply(err error) error {
	switch f {
	case After:
		return ErrInjected
	case CrashAfter:
		return ErrCrashed
	}
	return err
}

func do[T any](d *Driver, op Op, key string, call func() (T, error)) (T, error) {
	var zero T
	f, err := d.next(op, key)
	if err != nil {
		return zero, err
	}
	v, err := call()
	if err = f.reply(err); err != nil {
		return zero, err
	}
	return v, nil
}

// ErrorCode implements driver.Bucket.
func (d *Driver) ErrorCode(err error) gcerrors.ErrorCode {
	switch {
	case errors.Is(err, ErrInjected):
		return gcerrors.ResourceExhausted
	case errors.Is(err, ErrCrashed):
		return gcerrors.Canceled
	}
	return d.in.ErrorCode(err)
}
