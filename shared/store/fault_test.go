package store_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"medlake/shared/lake"
	"medlake/shared/store"
	"medlake/shared/store/faulty"
)

// TestEveryWriteUnderEveryFault gives each call of each write each fault: not stored, stored but the reply lost, and the
// process dying before or after. Whatever the write then says must be true, and a second attempt after it must end well.
func TestEveryWriteUnderEveryFault(t *testing.T) {
	t.Parallel()
	const mine = "mine"
	writes := map[string]struct {
		do func(ctx context.Context, b *store.Bucket) error
		// lostReply is what the write says if its own reply was lost; nil: it finds out.
		lostReply error
	}{
		"put":           {do: func(ctx context.Context, b *store.Bucket) error { return b.Put(ctx, "k", []byte(mine)) }},
		"put if absent": {func(ctx context.Context, b *store.Bucket) error { return b.PutIfAbsent(ctx, "k", []byte(mine)) }, lake.ErrConflict},
		"claim": {do: func(ctx context.Context, b *store.Bucket) error {
			got, err := b.Claim(ctx, "k", []byte(mine))
			if err == nil && string(got) != mine {
				err = fmt.Errorf("winner %q", got)
			}
			return err
		}},
		"upload": {do: func(ctx context.Context, b *store.Bucket) error {
			_, err := b.Upload(ctx, "k", strings.NewReader(mine))
			return err
		}},
		"delete": {do: func(ctx context.Context, b *store.Bucket) error { return b.Delete(ctx, "gone") }},
	}
	for _, kind := range []string{"mem", "file"} {
		for name, w := range writes {
			for _, fault := range faulty.Faults() {
				t.Run(fmt.Sprintf("%s/%s/%s", kind, name, fault), func(t *testing.T) {
					t.Parallel()
					for n := 0; ; n++ {
						good := open(t, kind)
						if err := good.Put(t.Context(), "gone", nil); err != nil {
							t.Fatal(err)
						}
						bad, calls := faulty.New(good, faulty.Nth(n, fault))
						err := w.do(t.Context(), bad)
						if n >= len(calls.Calls()) {
							if err != nil {
								t.Errorf("without a fault: %v", err)
							}
							return // every call has had its turn
						}
						stored := present(t, good, "k", mine) || name == "delete" && !present(t, good, "gone", "")
						switch {
						case err == nil && !stored:
							t.Errorf("call %d: success, but nothing is there", n)
						case calls.Crashed() && err == nil:
							t.Errorf("call %d: success after a crash", n)
						case !calls.Crashed() && fault == faulty.Before && err != nil && name != "upload":
							t.Errorf("call %d: %v, want a retry", n, err)
						case !calls.Crashed() && fault == faulty.After && !errors.Is(err, w.lostReply):
							t.Errorf("call %d: %v, want %v", n, err, w.lostReply)
						}
						// Then again, on a sound bucket.
						if err := w.do(t.Context(), good); err != nil && !(stored && errors.Is(err, w.lostReply)) {
							t.Errorf("call %d, again: %v", n, err)
						}
						if !present(t, good, "k", mine) && name != "delete" {
							t.Errorf("call %d, again: nothing is there", n)
						}
					}
				})
			}
		}
	}
}

// present reports whether the key holds want, and fails if it holds anything else.
func present(t *testing.T, b *store.Bucket, key, want string) bool {
	t.Helper()
	got, err := b.Get(t.Context(), key)
	if errors.Is(err, lake.ErrNotFound) {
		return false
	}
	if err != nil || string(got) != want {
		t.Errorf("%s holds %q, %v", key, got, err)
	}
	return true
}

// TestClaimersAgree lets claimers race under random faults: all that get an answer get the same, and it is what stands
// there.
func TestClaimersAgree(t *testing.T) {
	t.Parallel()
	for seed := range uint64(300) {
		good := open(t, "mem")
		var mu sync.Mutex
		rng := rand.New(rand.NewPCG(seed, 0))
		plan := func(faulty.Call) faulty.Fault {
			mu.Lock()
			defer mu.Unlock()
			return [...]faulty.Fault{faulty.None, faulty.None, faulty.Before, faulty.After}[rng.IntN(4)]
		}
		var (
			wg   sync.WaitGroup
			won  [4]string
			errs [4]error
		)
		for i := range won {
			b, _ := faulty.New(good, plan)
			wg.Go(func() {
				got, err := b.Claim(t.Context(), "log/1", fmt.Append(nil, i))
				won[i], errs[i] = string(got), err
			})
		}
		wg.Wait()
		stands, err := good.Get(t.Context(), "log/1")
		for i := range won {
			switch {
			case errs[i] == nil && (err != nil || won[i] != string(stands)):
				t.Errorf("seed %d: claimer %d was told %q, there stands %q, %v", seed, i, won[i], stands, err)
			case errs[i] != nil && !errors.Is(errs[i], faulty.ErrInjected) && !strings.Contains(errs[i].Error(), "injected"):
				t.Errorf("seed %d: claimer %d: %v", seed, i, errs[i])
			}
		}
	}
}

func TestRetriesAreBoundedAndSpread(t *testing.T) {
	t.Parallel()
	b, d := faulty.New(open(t, "mem"), func(faulty.Call) faulty.Fault { return faulty.Before })
	var waits []time.Duration
	b.Retry.Rand = func() float64 { return 0.5 }
	b.Retry.Wait = func(_ context.Context, d time.Duration) error { waits = append(waits, d); return nil }
	if err := b.Put(t.Context(), "k", nil); err == nil || !strings.Contains(err.Error(), "slow down") {
		t.Errorf("got %v", err)
	}
	ms := time.Millisecond
	if d := cmp.Diff([]time.Duration{50 * ms, 100 * ms, 200 * ms, 400 * ms, 800 * ms}, waits); d != "" {
		t.Errorf("waits (-want +got):\n%s", d)
	}
	n := len(d.Calls())
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := b.Put(ctx, "k", nil); err == nil {
		t.Error("no error under an ended context")
	}
	if got := len(d.Calls()) - n; got > 1 {
		t.Errorf("%d tries under an ended context", got)
	}
}

func TestNoRetryOfWhatCannotPass(t *testing.T) {
	t.Parallel()
	b, d := faulty.New(open(t, "mem"), nil)
	_, _ = b.Get(t.Context(), "none")
	_ = b.Put(t.Context(), "k", nil)
	_ = b.PutIfAbsent(t.Context(), "k", nil)
	if got := len(d.Calls()); got != 3 {
		t.Errorf("%d calls, want 3: %v", got, d.Calls())
	}
}

// TestListRetriesItsPages: a page that fails is asked for again, and no object is lost or doubled.
func TestListRetriesItsPages(t *testing.T) {
	t.Parallel()
	good := open(t, "file")
	var want []string
	for i := range 20 {
		k := store.LogKey(int64(i))
		want = append(want, k)
		if err := good.Put(t.Context(), k, nil); err != nil {
			t.Fatal(err)
		}
	}
	for _, f := range []faulty.Fault{faulty.Before, faulty.After} {
		b, _ := faulty.New(good, faulty.Nth(0, f))
		if d := cmp.Diff(want, keys(t, b, store.LogPrefix)); d != "" {
			t.Errorf("%v (-want +got):\n%s", f, d)
		}
	}
	b, _ := faulty.New(good, func(faulty.Call) faulty.Fault { return faulty.Crash })
	for _, err := range b.List(t.Context(), "") {
		if err == nil {
			t.Error("listed after a crash")
		}
	}
	for _, err := range b.Folders(t.Context(), "") {
		if err == nil {
			t.Error("listed after a crash")
		}
	}
}
