package e2e

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"medlake/shared/archive/lock"
)

var (
	kills   = flag.Int("kills", 20, "how often TestKilledWhileLoading kills the lake")
	uploads = flag.Int("uploads", 20, "how many uploads it acknowledges at least")
)

const (
	uploadRows = 50
	senders    = 4
	visits     = 25 // of each sender: an upload changes one of them
)

// TestKilledWhileLoading kills a serving lake again and again while senders put files. Each sender repeats what was not
// acknowledged. In the end every upload has landed exactly once, and every visit stands as its last upload left it.
func TestKilledWhileLoading(t *testing.T) {
	t.Parallel()
	l := newLake(t)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	s := &server{t: t, lake: l}
	s.start()

	sending := s.send(ctx)
	chance := rand.New(rand.NewPCG(1, 2))
	for killed := range *kills {
		share := int64(*uploads * killed / *kills)
		s.poll("uploads", func() bool { return s.acknowledged.Load() >= share })
		pause := time.NewTimer(time.Duration(100+chance.IntN(500)) * time.Millisecond)
		<-pause.C // not a wait for anything: the kill falls where it falls
		s.kill()
		s.start()
	}
	s.poll("uploads", func() bool { return s.acknowledged.Load() >= int64(*uploads) })
	stop()
	sent, lines := s.exact(sending())
	if sent < max(*kills, *uploads) {
		t.Errorf("only %d uploads in %d kills prove nothing", sent, *kills)
	}
	t.Logf("%d uploads acknowledged (%d arrivals) through %d kills", sent, lines, *kills)
}

// send has senders put uploads until ctx ends, each again and again until it is acknowledged; then wait returns the
// arrivals of each.
func (s *server) send(ctx context.Context) (wait func() [][]string) {
	var group sync.WaitGroup
	arrivals := make([][]string, senders) // acknowledged, by sender
	for i := range senders {
		group.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				body := supplies(s.t, i, n)
				for {
					id, err := s.put(fmt.Sprintf("synthea/supplies-%d-%d.zip", i, n), body)
					if err == nil {
						arrivals[i] = append(arrivals[i], id)
						s.acknowledged.Add(1)
						time.Sleep(s.pause)
						break
					}
					s.refused.Add(1)
					time.Sleep(50 * time.Millisecond)
					s.untilUp() // the lake was killed, or has no space: the file is sent again
				}
			}
		})
	}
	return func() [][]string { group.Wait(); return arrivals }
}

// exact is complete, and checks the books too. It tells how many uploads and arrivals there were.
func (s *server) exact(arrivals [][]string) (sent, lines int) {
	sent = s.complete(arrivals)
	if err := json.Unmarshal(s.lake.ask(s.t, "SELECT count(*) AS n FROM ops.loads")["n"], &lines); err != nil {
		s.t.Fatal(err)
	}
	balance(s.t, s.lake, lines)
	return sent, lines
}

// complete waits until all that was acknowledged has its receipt, ends the lake, and checks that every upload of the senders
// has landed exactly once. It tells how many there were.
func (s *server) complete(arrivals [][]string) (sent int) {
	t, l := s.t, s.lake
	sent = int(s.acknowledged.Load())
	s.poll("receipts of all that was acknowledged", func() bool { return missing(t, l, arrivals) == 0 })
	s.end()
	row := l.ask(t, `SELECT count(*) AS n, count(DISTINCT (code, quantity)) AS d, sum(quantity)::BIGINT AS s FROM supplies`)
	want := sent * uploadRows
	if string(row["n"]) != fmt.Sprint(want) || string(row["d"]) != fmt.Sprint(want) {
		t.Errorf("%d uploads of %d rows: got %s rows, %s distinct", sent, uploadRows, row["n"], row["d"])
	}
	for i, ids := range arrivals {
		checkVisits(t, l, i, len(ids))
	}
	return sent
}

// missing counts the acknowledged arrivals without a line in ops.loads.
func missing(t *testing.T, l *lakeDir, arrivals [][]string) int {
	t.Helper()
	out, _ := l.command(t, "sql", "--as", "csv", "SELECT arrival FROM ops.loads")
	there := map[string]bool{}
	for id := range strings.Lines(string(out)) {
		there[strings.TrimSpace(id)] = true
	}
	n := 0
	for _, id := range slices.Concat(arrivals...) {
		if !there[id] {
			n++
		}
	}
	return n
}

// checkVisits: each visit of a sender is there once, as the last upload that named it says.
func checkVisits(t *testing.T, l *lakeDir, sender, sent int) {
	t.Helper()
	last, sum := min(sent, visits), 0
	for v := range last {
		sum += (sent-1-v)/visits*visits + v // the last upload that named visit v
	}
	row := l.ask(t, fmt.Sprintf(`SELECT count(*) AS n, count(DISTINCT visit_id) AS d, coalesce(sum(CAST(code AS BIGINT)), 0)::BIGINT AS s
		FROM visits WHERE visit_id LIKE 'v%d-%%'`, sender))
	if string(row["n"]) != fmt.Sprint(last) || string(row["d"]) != fmt.Sprint(last) || string(row["s"]) != fmt.Sprint(sum) {
		t.Errorf("sender %d, %d uploads: got %s visits, %s distinct, sum %s; want %d, sum %d", sender, sent, row["n"], row["d"], row["s"], last, sum)
	}
}

// supplies makes upload n of a sender: rows that no other upload has, and news of one of its visits.
func supplies(t *testing.T, sender, n int) []byte {
	var b bytes.Buffer
	b.WriteString("DATE,PATIENT,ENCOUNTER,CODE,DESCRIPTION,QUANTITY\n")
	for i := range uploadRows {
		fmt.Fprintf(&b, "2026-03-05,p%d,e%d,s%d,gauze,%d\n", i, i, sender, n*uploadRows+i)
	}
	at := time.Date(2026, 3, 5, 8, 0, n, 0, time.UTC).Format(time.RFC3339)
	visit := fmt.Sprintf("Id,START,STOP,PATIENT,ORGANIZATION,ENCOUNTERCLASS,CODE\nv%d-%d,%s,%s,p,o,wellness,%d\n", sender, n%visits, at, at, n)
	return packed(t, lock.ZipCrypto, password("acme"), byte(n),
		lock.File{Name: "supplies.csv", Data: b.Bytes()}, lock.File{Name: "encounters.csv", Data: []byte(visit)})
}

// server is medlake run, started and killed.
type server struct {
	t            *testing.T
	lake         *lakeDir
	acknowledged atomic.Int64  // uploads
	refused      atomic.Int64  // times that one was not
	pause        time.Duration // of a sender after each

	mu  sync.Mutex
	url string // empty while it is down
	cmd *exec.Cmd
	log bytes.Buffer
}

func (s *server) start() {
	if err := s.try(); err != nil {
		s.t.Fatalf("medlake run did not start: %v\n%s", err, s.log.Bytes())
	}
}

// try starts the lake, and fails if it does not serve.
func (s *server) try() error {
	meta, err := filepath.Abs(s.lake.metadata)
	if err != nil {
		s.t.Fatal(err)
	}
	s.cmd = exec.Command(program, "run", "--data", s.lake.dir, "--metadata", meta, "--listen", "127.0.0.1:0")
	s.cmd.Env = append(os.Environ(), s.lake.at...)
	s.log.Reset()
	s.cmd.Stderr = &s.log
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		s.t.Fatal(err)
	}
	if err := s.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		return errors.Join(err, s.cmd.Wait())
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.url = strings.TrimSpace(line[strings.Index(line, "http://"):])
	return nil
}

func (s *server) kill() {
	s.mu.Lock()
	s.url = ""
	s.mu.Unlock()
	if err := s.cmd.Process.Kill(); err != nil {
		s.t.Fatal(err)
	}
	_ = s.cmd.Wait() // it was killed
}

// end stops the lake as an operator does.
func (s *server) end() {
	s.t.Helper()
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		s.t.Fatal(err)
	}
	if err := s.cmd.Wait(); err != nil {
		s.t.Errorf("medlake run ended badly: %v\n%s", err, s.log.Bytes())
	}
}

var errDown = errors.New("down")

func (s *server) do(method, path string, body []byte) (int, []byte, error) {
	s.mu.Lock()
	url := s.url
	s.mu.Unlock()
	if url == "" {
		return 0, nil, errDown
	}
	req, err := http.NewRequest(method, url+path, bytes.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	req.Header.Set("Authorization", "Bearer "+key("acme"))
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, nil, err
	}
	answer, err := io.ReadAll(resp.Body)
	return resp.StatusCode, answer, errors.Join(err, resp.Body.Close())
}

func (s *server) put(path string, body []byte) (arrival string, err error) {
	code, answer, err := s.do(http.MethodPut, "/v1/files/"+path, body)
	if err != nil {
		return "", err
	}
	var a struct{ Arrival string }
	if err := json.Unmarshal(answer, &a); err != nil || code != http.StatusCreated {
		return "", fmt.Errorf("%d %s: %w", code, answer, errors.Join(err, errDown))
	}
	return a.Arrival, nil
}

// untilUp polls until the lake serves again.
func (s *server) untilUp() {
	s.poll("the lake to serve", func() bool {
		code, _, err := s.do(http.MethodGet, "/healthz", nil)
		return err == nil && code == http.StatusOK
	})
}

func (s *server) poll(what string, ready func() bool) {
	end := time.After(5 * time.Minute)
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for !ready() {
		select {
		case <-tick.C:
		case <-end:
			s.t.Errorf("waited in vain for %s", what)
			return
		}
	}
}
