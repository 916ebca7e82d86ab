package bench

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

var (
	duration = flag.Duration("duration", 20*time.Second, "how long BenchmarkEndToEnd sends")
	rate     = flag.Float64("rate", 20, "uploads a second that BenchmarkEndToEnd sends; 0: as many as are taken")
)

// customers of the benchmark's metadata.
var customers = []string{"acme", "birch", "cedar"}

// BenchmarkEndToEnd runs medlake as users do, durable, and sends it the company's mix through the HTTP door at a given rate.
// It prints how long an upload takes until its rows can be queried, and how much processor time the program used.
func BenchmarkEndToEnd(b *testing.B) {
	for b.Loop() {
		r := endToEnd(b)
		b.ReportMetric(float64(r.uploads)/r.took.Seconds(), "zips/s")
		b.ReportMetric(float64(r.records)/r.took.Seconds(), "records/s")
		b.ReportMetric(float64(r.bytes)/r.took.Seconds()/1e6, "MB/s")
		b.ReportMetric(r.quantile(0.50).Seconds()*1e3, "ms-p50")
		b.ReportMetric(r.quantile(0.99).Seconds()*1e3, "ms-p99")
		b.ReportMetric(r.cpu.Seconds()/r.took.Seconds(), "cores")
		b.ReportMetric(r.peak, "MB-peak")
		b.ReportMetric(0, "ns/op")
	}
}

type outcome struct {
	mu                      sync.Mutex
	latencies               []time.Duration // from the start of the upload until its rows can be queried
	uploads, records, bytes int
	took, cpu               time.Duration
	peak                    float64 // MB; 0 where the system does not tell
	errs                    []error
}

func (o *outcome) quantile(q float64) time.Duration {
	slices.Sort(o.latencies)
	return o.latencies[int(q*float64(len(o.latencies)-1))]
}

func endToEnd(b *testing.B) *outcome {
	dir := b.TempDir()
	url, cmd := startMedlake(b, dir)
	s, err := newStream(9)
	if err != nil {
		b.Fatal(err)
	}
	o := &outcome{}
	var senders sync.WaitGroup
	places := make(chan struct{}, 64)
	if *rate == 0 {
		places = make(chan struct{}, 256) // more than the workers take at once
	}
	start := time.Now()
	for n := 0; time.Since(start) < *duration; n++ {
		if *rate > 0 {
			time.Sleep(time.Until(start.Add(time.Duration(float64(n) / *rate * float64(time.Second)))))
		}
		path, data, records, err := s.upload(n)
		if err != nil {
			b.Fatal(err)
		}
		places <- struct{}{}
		senders.Go(func() {
			defer func() { <-places }()
			took, err := sendAndWait(url, customers[n%len(customers)], path, data)
			o.mu.Lock()
			defer o.mu.Unlock()
			if err != nil {
				o.errs = append(o.errs, err)
				return
			}
			o.latencies = append(o.latencies, took)
			o.uploads++
			o.records += records
			o.bytes += len(data)
		})
	}
	senders.Wait()
	o.took = time.Since(start)
	if len(o.errs) > 0 {
		b.Fatalf("%d uploads failed, one of them: %v", len(o.errs), o.errs[0])
	}
	if status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", cmd.Process.Pid)); err == nil { // Maxrss would count this process too
		o.peak = memory(status)["VmHWM"]
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		b.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		b.Fatal(err)
	}
	o.cpu = cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	checkRows(b, dir, o)
	return o
}

// program builds medlake once a run.
var program = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "medlake-bench-")
	if err != nil {
		return "", err
	}
	file := filepath.Join(dir, "medlake")
	if out, err := exec.Command("go", "build", "-o", file, "medlake/local").CombinedOutput(); err != nil {
		return "", fmt.Errorf("build medlake: %w: %s", err, out)
	}
	return file, nil
})

func startMedlake(b *testing.B, dir string) (url string, cmd *exec.Cmd) {
	file, err := program()
	if err != nil {
		b.Fatal(err)
	}
	for _, c := range customers {
		for name, value := range map[string]string{"zip/" + c: password, "key/" + c: "key of " + c} {
			secret := filepath.Join(dir, "secrets", name)
			must(os.MkdirAll(filepath.Dir(secret), 0o700))
			must(os.WriteFile(secret, []byte(value), 0o600))
		}
	}
	cmd = exec.Command(file, "run", "--data", dir, "--metadata", "testdata/metadata", "--listen", "127.0.0.1:0")
	out, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		b.Fatalf("medlake run did not start: %v", err)
	}
	return strings.TrimSpace(line[strings.Index(line, "http://"):]), cmd
}

// sendAndWait puts an upload and waits until its rows can be queried.
func sendAndWait(url, customer, path string, data []byte) (time.Duration, error) {
	start := time.Now()
	var put struct{ Arrival string }
	if err := call(http.MethodPut, url+"/v1/files/"+path, customer, data, http.StatusCreated, &put); err != nil {
		return 0, err
	}
	var receipt struct{ Status, Reason string }
	if err := call(http.MethodGet, url+"/v1/receipts/"+put.Arrival+"?wait=1m", customer, nil, http.StatusOK, &receipt); err != nil {
		return 0, err
	}
	if receipt.Status != "loaded" {
		return 0, fmt.Errorf("upload is %s %s", receipt.Status, receipt.Reason)
	}
	return time.Since(start), nil
}

func call(method, url, customer string, body []byte, want int, answer any) error {
	req, err := http.NewRequest(method, url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer key of "+customer)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	err = json.NewDecoder(resp.Body).Decode(answer)
	if resp.StatusCode != want {
		err = errors.Join(err, fmt.Errorf("%s %s", method, resp.Status))
	}
	return errors.Join(err, resp.Body.Close())
}

// checkRows compares what was sent with what SQL counts.
func checkRows(b *testing.B, dir string, o *outcome) {
	file, err := program()
	if err != nil {
		b.Fatal(err)
	}
	out, err := exec.Command(file, "sql", "--data", dir, "--metadata", "testdata/metadata", "--as", "json", "SELECT count(*) AS n, count(DISTINCT _load) AS l FROM encounters").Output()
	if err != nil {
		b.Fatal(err)
	}
	var rows []struct{ N, L int }
	if err := json.Unmarshal(out, &rows); err != nil || len(rows) != 1 || rows[0].N != o.records || rows[0].L != o.uploads {
		b.Fatalf("sent %d records in %d uploads, SQL counts %s", o.records, o.uploads, out)
	}
}
