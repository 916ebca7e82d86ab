package e2e

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"medlake/shared/archive/lock"
)

const (
	kills      = 20
	uploadRows = 50
	senders    = 4
)

// TestKilledWhileLoading kills a serving lake again and again while senders put files. Each sender repeats what was not
// acknowledged. In the end every upload has landed exactly once.
func TestKilledWhileLoading(t *testing.T) {
	t.Parallel()
	l := newLake(t)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	s := &server{t: t, lake: l}
	s.start()

	var group sync.WaitGroup
	arrivals := make([][]string, senders) // acknowledged, by sender
	for i := range senders {
		group.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				body := supplies(t, i, n)
				for {
					id, err := s.put(fmt.Sprintf("synthea/supplies-%d-%d.zip", i, n), body)
					if err == nil {
						arrivals[i] = append(arrivals[i], id)
						break
					}
					s.untilUp() // the lake was killed: the file is sent again
				}
			}
		})
	}
	chance := rand.New(rand.NewPCG(1, 2))
	for range kills {
		pause := time.NewTimer(time.Duration(100+chance.IntN(500)) * time.Millisecond)
		<-pause.C // not a wait for anything: the kill falls where it falls
		s.kill()
		s.start()
	}
	stop()
	group.Wait()

	uploads := 0
	for _, ids := range arrivals {
		uploads += len(ids)
	}
	acknowledged := "SELECT count(DISTINCT arrival) AS n FROM ops.loads WHERE arrival IN ('" + strings.Join(slices.Concat(arrivals...), "', '") + "')"
	s.poll("receipts of all that was acknowledged", func() bool { return string(l.ask(t, acknowledged)["n"]) == fmt.Sprint(uploads) })
	s.end()
	if uploads < kills {
		t.Fatalf("only %d uploads in %d kills prove nothing", uploads, kills)
	}
	row := l.ask(t, `SELECT count(*) AS n, count(DISTINCT (code, quantity)) AS d, sum(quantity)::BIGINT AS s FROM supplies`)
	want := uploads * uploadRows
	if string(row["n"]) != fmt.Sprint(want) || string(row["d"]) != fmt.Sprint(want) {
		t.Errorf("%d uploads of %d rows: got %s rows, %s distinct", uploads, uploadRows, row["n"], row["d"])
	}
	var lines int
	if err := json.Unmarshal(l.ask(t, "SELECT count(*) AS n FROM ops.loads")["n"], &lines); err != nil {
		t.Fatal(err)
	}
	balance(t, l, lines)
	t.Logf("%d uploads acknowledged (%d arrivals) through %d kills", uploads, lines, kills)
}

// supplies makes upload n of a sender: rows that no other upload has.
func supplies(t *testing.T, sender, n int) []byte {
	var b bytes.Buffer
	b.WriteString("DATE,PATIENT,ENCOUNTER,CODE,DESCRIPTION,QUANTITY\n")
	for i := range uploadRows {
		fmt.Fprintf(&b, "2026-03-05,p%d,e%d,s%d,gauze,%d\n", i, i, sender, n*uploadRows+i)
	}
	return packed(t, lock.ZipCrypto, password("acme"), byte(n), lock.File{Name: "supplies.csv", Data: b.Bytes()})
}

// server is medlake run, started and killed.
type server struct {
	t    *testing.T
	lake *lakeDir

	mu  sync.Mutex
	url string // empty while it is down
	cmd *exec.Cmd
	log bytes.Buffer
}

func (s *server) start() {
	meta, err := filepath.Abs(s.lake.metadata)
	if err != nil {
		s.t.Fatal(err)
	}
	s.cmd = exec.Command(program, "run", "--data", s.lake.dir, "--metadata", meta, "--listen", "127.0.0.1:0")
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
		s.t.Fatalf("medlake run did not start: %v\n%s", err, s.log.Bytes())
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.url = strings.TrimSpace(line[strings.Index(line, "http://"):])
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
	end := time.After(2 * time.Minute)
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
