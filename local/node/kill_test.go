package node

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"medlake/functions/maintain"
	"medlake/shared/archive/lock"
	"medlake/shared/lake"
	"medlake/shared/query"
	"medlake/shared/store"
	"medlake/shared/store/faulty"
)

var every = flag.Int("kill-every", 41, "TestKilledAtEachCall kills at every so manieth call to the bucket; 1: at each")

const (
	killAt    = "MEDLAKE_TEST_KILL_AT"
	killedDir = "MEDLAKE_TEST_KILLED_LAKE"
)

// killed opens the lake under test. Its process dies just before call number at to the bucket, and so after the one
// before it.
func killed(ctx context.Context, dir string, at int) (*Node, error) {
	calls := 0
	return Open(ctx, Config{
		Data: dir, Metadata: "../testdata/metadata", Workers: 1, Log: slog.New(slog.DiscardHandler),
		layer: func(b *store.Bucket) *store.Bucket {
			over, _ := faulty.New(b, func(faulty.Call) faulty.Fault {
				if calls++; calls == at {
					_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
				}
				return faulty.None
			})
			return over
		},
	})
}

// TestDoomed is the process that TestKilledAtEachCall kills: it stores an upload, has it processed, committed, merged,
// and the tables maintained.
func TestDoomed(t *testing.T) {
	at, err := strconv.Atoi(os.Getenv(killAt))
	if err != nil {
		t.Skip("it is a part of TestKilledAtEachCall")
	}
	dir := os.Getenv(killedDir)
	n, err := killed(t.Context(), dir, at)
	if err != nil {
		t.Fatal(err)
	}
	a, err := n.Store(t.Context(), "acme", "labs/x.zip", bytes.NewReader(upload(t, "labs.csv", fmt.Sprintf("lab_id,code\nL%d,GLU\n", at))))
	if err != nil {
		t.Fatal(err)
	}
	acknowledge(t, dir, at, a)
	beds := fmt.Sprintf("bed,state,since\nB%d,s%d,%s\n", at%3, at, time.Unix(int64(at), 0).UTC().Format(time.RFC3339))
	b, err := n.Store(t.Context(), "acme", "beds/x.zip", bytes.NewReader(upload(t, "beds.csv", beds)))
	if err != nil {
		t.Fatal(err)
	}
	acknowledge(t, dir, at, b)
	for _, x := range []lake.Arrival{a, b} {
		if _, err := n.Ingest.Process(t.Context(), x, false); err != nil {
			t.Fatal(err)
		}
	}
	if err := n.Settle(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := n.Maintainer.Round(t.Context(), maintain.Order{Delete: true}); err != nil {
		t.Fatal(err)
	}
}

func upload(t *testing.T, name, content string) []byte {
	t.Helper()
	zip, err := lock.Zip([]lock.File{{Name: name, Data: []byte(content)}}, lock.Options{Random: rand.Reader})
	if err != nil {
		t.Fatal(err)
	}
	return zip
}

// acknowledge notes an upload that a sender would have been told is safe.
func acknowledge(t *testing.T, dir string, at int, a lake.Arrival) {
	t.Helper()
	line, err := json.Marshal(told{at, a.ID(), strings.Contains(a.Key, "/beds/")})
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(filepath.Join(dir, "acknowledged"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Write(append(line, '\n')); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

// told is an acknowledged upload.
type told struct {
	At      int
	Arrival string
	Beds    bool
}

// TestKilledAtEachCall kills a process of its own at one call to the bucket after the other, until it comes to its end.
// The lake it leaves is taken up by the next. At last every acknowledged upload has landed once, and the beds stand as the
// latest of their events says.
func TestKilledAtEachCall(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	kills, at := 0, 1
	for ; ; at += *every {
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestDoomed$")
		cmd.Env = append(os.Environ(), killAt+"="+strconv.Itoa(at), killedDir+"="+dir)
		out, err := cmd.CombinedOutput()
		if err == nil {
			break
		}
		if !strings.Contains(err.Error(), "killed") {
			t.Fatalf("kill at call %d: %v\n%s", at, err, out)
		}
		kills++
	}
	acknowledged := readTold(t, dir)
	n, err := killed(t.Context(), dir, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = n.Close() }()
	ctx, stop := context.WithCancel(t.Context())
	ran := make(chan struct{})
	go func() { n.Run(ctx); close(ran) }()
	want := map[string]bool{}
	beds := map[string]string{}
	for _, x := range acknowledged {
		await(t, n, x.Arrival)
		if x.Beds {
			beds[fmt.Sprintf("B%d", x.At%3)] = fmt.Sprintf("s%d", x.At)
		} else {
			want[fmt.Sprintf("L%d", x.At)] = true
		}
	}
	stop()
	<-ran
	seen := map[string]bool{}
	for _, row := range answer(t, n, "SELECT lab_id, count(*) FROM labs GROUP BY lab_id") {
		if row[1] != "1" {
			t.Errorf("%s landed %s times", row[0], row[1])
		}
		seen[row[0]] = true
	}
	for id := range want {
		if !seen[id] {
			t.Errorf("%s was acknowledged and is not there", id)
		}
	}
	for _, row := range answer(t, n, "SELECT bed, state FROM beds") {
		// An upload that was stored but not acknowledged may have landed too: it can only be a later one.
		if s := beds[row[0]]; s != "" && number(row[1]) < number(s) {
			t.Errorf("bed %s is %s, want %s", row[0], row[1], s)
		}
		delete(beds, row[0])
	}
	if len(beds) > 0 {
		t.Errorf("%d beds are not there", len(beds))
	}
	t.Logf("%d kills in %d calls, %d uploads acknowledged", kills, at, len(acknowledged))
}

func number(state string) int { n, _ := strconv.Atoi(strings.TrimPrefix(state, "s")); return n }

func readTold(t *testing.T, dir string) (all []told) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, "acknowledged"))
	if err != nil {
		t.Fatal(err)
	}
	for d := json.NewDecoder(bytes.NewReader(data)); ; {
		var x told
		if err := d.Decode(&x); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, x)
	}
}

// await waits until an arrival has its receipt, wherever it was when its process died.
func await(t *testing.T, n *Node, arrival string) {
	t.Helper()
	for end := time.Now().Add(time.Minute); time.Now().Before(end); {
		r, err := n.Receipt(t.Context(), arrival, time.Second)
		if err == nil && r.Status != lake.Quarantined {
			return
		}
		if err == nil {
			t.Fatalf("arrival %s is %s: %s", arrival, r.Status, r.Reason)
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Fatalf("arrival %s has no receipt", arrival)
}

func answer(t *testing.T, n *Node, sql string) (rows [][]string) {
	t.Helper()
	res, err := n.Reader.Query(t.Context(), query.Request{SQL: sql})
	if err != nil {
		t.Fatal(err)
	}
	for row, err := range res.Rows {
		if err != nil {
			t.Fatal(err)
		}
		var line []string
		for _, c := range row {
			line = append(line, c.Text)
		}
		rows = append(rows, line)
	}
	if err := res.Close(); err != nil {
		t.Fatal(err)
	}
	return rows
}
