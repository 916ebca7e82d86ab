package store_test

import (
	"context"
	"strings"
	"testing"

	"gocloud.dev/blob"
	"gocloud.dev/blob/driver"

	"medlake/shared/store"
	"medlake/shared/store/faulty"
)

func TestSelfTestPassesAndCleansUp(t *testing.T) {
	each(t, func(t *testing.T, b *store.Bucket) {
		if err := b.SelfTest(t.Context()); err != nil {
			t.Error(err)
		}
		if got := keys(t, b, ""); got != nil {
			t.Errorf("left %v", got)
		}
	})
}

// TestSelfTestBearsFaults: one lost call of any kind is no reason to refuse a bucket.
func TestSelfTestBearsFaults(t *testing.T) {
	t.Parallel()
	for _, f := range []faulty.Fault{faulty.Before, faulty.After} {
		for n := range 90 {
			b, _ := faulty.New(open(t, "mem"), faulty.Nth(n, f))
			if err := b.SelfTest(t.Context()); err != nil {
				t.Errorf("%v of call %d: %v", f, n, err)
			}
		}
	}
}

// liar is a store that does not keep one of its promises.
type liar struct {
	*faulty.Driver
	overwrites bool // ignores put-if-absent
	forgets    bool // lists without the last object
	disordered bool // lists backwards
	keeps      bool // does not delete
	readOnly   bool
}

func (l *liar) NewTypedWriter(ctx context.Context, key, ct string, o *driver.WriterOptions) (driver.Writer, error) {
	if l.overwrites {
		o.IfNotExist = false
	}
	if l.readOnly {
		return nil, context.DeadlineExceeded
	}
	return l.Driver.NewTypedWriter(ctx, key, ct, o)
}

func (l *liar) ListPaged(ctx context.Context, o *driver.ListOptions) (*driver.ListPage, error) {
	p, err := l.Driver.ListPaged(ctx, o)
	if n := len(p.Objects); err == nil && n > 1 {
		if l.forgets {
			p.Objects = p.Objects[:n-1]
		}
		if l.disordered {
			p.Objects[0], p.Objects[1] = p.Objects[1], p.Objects[0]
		}
	}
	return p, err
}

func (l *liar) Delete(ctx context.Context, key string, o *driver.DeleteOptions) error {
	if l.keeps {
		return nil
	}
	return l.Driver.Delete(ctx, key, o)
}

func TestSelfTestRefusesWithASentence(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		liar liar
		want string
	}{
		"put-if-absent overwrites": {liar{overwrites: true}, "only if the object is absent"},
		"listing lags":             {liar{forgets: true}, "list consistently"},
		"listing out of order":     {liar{disordered: true}, "in order"},
		"deleted objects stay":     {liar{keeps: true}, "just deleted is still there"},
		"no writes":                {liar{readOnly: true}, "a write failed"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b, d := faulty.New(open(t, "mem"), nil)
			tt.liar.Driver = d
			err := b.Over(blob.NewBucket(&tt.liar)).SelfTest(t.Context())
			if err == nil || !strings.HasPrefix(err.Error(), "bucket mem://lake/ cannot hold a lake: ") || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want ... %s", err, tt.want)
			}
		})
	}
}
