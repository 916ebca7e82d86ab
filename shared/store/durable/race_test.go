package durable

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"

	"gocloud.dev/blob"
	"gocloud.dev/gcerrors"
)

// raceKeys is how many keys are raced for; gocloud's own file driver lets two writers win one key in six.
const raceKeys = 2000

// claim writes the key if it is absent and reports whether it won. Loser or winner, it then reads the winner's bytes.
func claim(ctx context.Context, b *blob.Bucket, key, who string) (won bool, saw string, err error) {
	err = b.WriteAll(ctx, key, []byte(who), &blob.WriterOptions{ContentType: plain, IfNotExist: true})
	if err != nil && gcerrors.Code(err) != gcerrors.FailedPrecondition {
		return false, "", err
	}
	won = err == nil
	got, err := b.ReadAll(ctx, key)
	return won, string(got), err
}

func open(t testing.TB, dir string) *blob.Bucket {
	t.Helper()
	d, err := New(dir)
	if err != nil {
		t.Fatal(err)
	}
	b := blob.NewBucket(d)
	t.Cleanup(func() { _ = b.Close() })
	return b
}

func TestRaceHasOneWinner(t *testing.T) {
	t.Parallel()
	d, err := New(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	d.flush = func(string) error { return nil } // the race across processes flushes
	b := blob.NewBucket(d)
	for i := range raceKeys {
		key := fmt.Sprintf("k/%d", i)
		var (
			wg    sync.WaitGroup
			start = make(chan struct{})
			won   [4]bool
			saw   [4]string
		)
		for w := range won {
			wg.Go(func() {
				<-start
				var err error
				if won[w], saw[w], err = claim(t.Context(), b, key, fmt.Sprint(w)); err != nil {
					t.Error(err)
				}
			})
		}
		close(start)
		wg.Wait()
		winner := slices.Index(won[:], true)
		if winner < 0 || slices.Contains(won[winner+1:], true) {
			t.Fatalf("%s: winners %v, want one", key, won)
		}
		for w, s := range saw {
			if s != fmt.Sprint(winner) {
				t.Fatalf("%s: writer %d read %q, the winner wrote %q", key, w, s, fmt.Sprint(winner))
			}
		}
	}
}

// TestRaceAcrossProcesses runs the test binary again, several times at once, on one folder.
func TestRaceAcrossProcesses(t *testing.T) {
	t.Parallel()
	if dir := os.Getenv("MEDLAKE_RACE_DIR"); dir != "" {
		racer(t, dir)
		return
	}
	dir := t.TempDir()
	var wg sync.WaitGroup
	outs := make([]string, 3)
	for i := range outs {
		wg.Go(func() {
			c := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestRaceAcrossProcesses$", "-test.v")
			c.Env = append(os.Environ(), "MEDLAKE_RACE_DIR="+dir)
			out, err := c.CombinedOutput()
			if err != nil {
				t.Errorf("%v: %s", err, out)
			}
			outs[i] = string(out)
		})
	}
	wg.Wait()
	winners := map[string]string{} // key to the process that said it won
	seen := map[string]string{}
	for i, out := range outs {
		for line := range strings.Lines(out) {
			var key, result, saw string
			if n, _ := fmt.Sscanf(line, "RACE %s %s %s", &key, &result, &saw); n != 3 {
				continue
			}
			if other, ok := winners[key]; result == "won" && ok {
				t.Fatalf("%s: processes %s and %d both won", key, other, i)
			}
			if result == "won" {
				winners[key] = fmt.Sprint(i)
			}
			if other, ok := seen[key]; ok && other != saw {
				t.Fatalf("%s: one process read %s, another %s", key, other, saw)
			}
			seen[key] = saw
		}
	}
	if len(winners) != raceKeys || len(seen) != raceKeys {
		t.Errorf("%d winners of %d keys, %d seen", len(winners), raceKeys, len(seen))
	}
}

func racer(t *testing.T, dir string) {
	b := open(t, dir)
	for i := range raceKeys {
		key := fmt.Sprintf("k/%d/%d", i/500, i)
		won, saw, err := claim(t.Context(), b, key, fmt.Sprint("pid", os.Getpid()))
		if err != nil {
			t.Fatal(err)
		}
		result := "lost"
		if won {
			result = "won"
		}
		fmt.Println("RACE", key, result, saw)
	}
}
