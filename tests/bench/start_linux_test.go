package bench

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/cloudevents/sdk-go/v2/event"
	"golang.org/x/sys/unix"

	"medlake/shared/archive/lock"
	"medlake/shared/faas"
	"medlake/shared/store"
)

// BenchmarkStart measures what a cold start costs: from the start of the process until it has answered its first event,
// over the project's own metadata and a lake that has its tables, with metrics and traces on.
func BenchmarkStart(b *testing.B) {
	for _, role := range []string{"ingest", "commit", "merge", "sweep"} {
		b.Run(role, func(b *testing.B) {
			l := newCold(b)
			var cpu time.Duration
			for n := 0; b.Loop(); n++ {
				e, err := l.event(role, n)
				if err != nil {
					b.Fatal(err)
				}
				used, err := l.first(b.Context(), role, e)
				if err != nil {
					b.Fatal(err)
				}
				cpu += used
			}
			file, err := functions()
			must(err)
			about, err := os.Stat(file)
			must(err)
			b.ReportMetric(cpu.Seconds()*1e3/float64(b.N), "ms-cpu")
			b.ReportMetric(float64(about.Size())/1e6, "MB-binary")
		})
	}
}

// functions builds the binary as images have it.
var functions = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "medlake-functions")
	if err != nil {
		return "", err
	}
	file := filepath.Join(dir, "functions")
	build := exec.Command("go", "build", "-trimpath", "-tags=disable_grpc_modules", "-ldflags=-s -w", "-o", file, "medlake/functions")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build functions: %w: %s", err, out)
	}
	return file, nil
})

// cold is a lake that no process has open.
type cold struct {
	bucket *store.Bucket
	env    []string
	port   string
}

func newCold(b *testing.B) *cold {
	dir := b.TempDir()
	l := &cold{}
	var err error
	if l.bucket, err = store.Open(b.Context(), store.FileURL(filepath.Join(dir, "bucket"))); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { must(l.bucket.Close()) })
	must(os.MkdirAll(filepath.Join(dir, "secrets", "zip"), 0o700))
	must(os.WriteFile(filepath.Join(dir, "secrets", "zip", "acme"), []byte(password), 0o600))
	ln, err := (&net.ListenConfig{}).Listen(b.Context(), "tcp", "127.0.0.1:0")
	must(err)
	_, l.port, err = net.SplitHostPort(ln.Addr().String())
	must(err)
	must(ln.Close())
	l.env = append(os.Environ(),
		"MEDLAKE_BUCKET="+store.FileURL(filepath.Join(dir, "bucket")), "MEDLAKE_CATALOG=sqlite://"+filepath.Join(dir, "catalog.db"),
		"MEDLAKE_METADATA=../../metadata", "MEDLAKE_SECRETS="+store.FileURL(filepath.Join(dir, "secrets")),
		"K_SINK=http://127.0.0.1:1", "PORT="+l.port,
		"MEDLAKE_METRICS=prometheus", "MEDLAKE_METRICS_ENDPOINT=127.0.0.1:9464", "MEDLAKE_TRACES=http/protobuf", "MEDLAKE_TRACES_ENDPOINT=http://127.0.0.1:1/v1/traces")
	for _, role := range []string{"commit", "merge"} {
		file, err := functions()
		if err != nil {
			b.Fatal(err)
		}
		once := exec.CommandContext(b.Context(), file, role, "once")
		once.Env = l.env
		if out, err := once.CombinedOutput(); err != nil {
			b.Fatalf("%s: %v: %s", role, err, out)
		}
	}
	return l
}

// event is what a role is asked first: ingest to process an upload, the others to look for work.
func (l *cold) event(role string, n int) (event.Event, error) {
	if role != "ingest" {
		return faas.NewTick("1"), nil
	}
	data, err := os.ReadFile("../../local/demo/samples/synthea/allergies.csv")
	if err != nil {
		return event.Event{}, err
	}
	lines := bytes.SplitAfter(data, []byte("\n"))
	data = bytes.Join(append(lines[:2:2], lines[n%len(lines)]), nil) // another one each time, or it is a duplicate
	zip, err := lock.Zip([]lock.File{{Name: "allergies.csv", Data: data}}, lock.Options{Cipher: lock.AES256, Password: password, Random: rand.Reader})
	if err != nil {
		return event.Event{}, err
	}
	o, err := l.bucket.Upload(context.Background(), store.LandingKey("acme", time.Now(), "synthea/clinical.zip", rand.Text()), bytes.NewReader(zip))
	if err != nil {
		return event.Event{}, err
	}
	return faas.NewArrival(l.bucket.Arrival(o), false)
}

// first starts a role and returns the processor time that it has used when its first event is answered.
func (l *cold) first(ctx context.Context, role string, e event.Event) (time.Duration, error) {
	file, err := functions()
	if err != nil {
		return 0, err
	}
	var logs bytes.Buffer
	process := exec.CommandContext(ctx, file, role)
	process.Env, process.Stderr = l.env, &logs
	if err := process.Start(); err != nil {
		return 0, err
	}
	url := "http://127.0.0.1:" + l.port
	for ready := false; !ready; {
		resp, err := http.Get(url + "/readyz")
		if err == nil {
			ready = resp.StatusCode == http.StatusOK
			err = resp.Body.Close()
		}
		if err != nil {
			time.Sleep(time.Millisecond)
		}
	}
	err = faas.Sink(http.DefaultClient, url)(ctx, e)
	used := processorTime(process.Process.Pid)
	if kill := process.Process.Kill(); kill != nil {
		return 0, kill
	}
	_ = process.Wait() // it was killed
	if err != nil {
		return 0, fmt.Errorf("%w: %s", err, &logs)
	}
	return used, nil
}

// processorTime is that of another process: the kernel numbers its clock so.
func processorTime(pid int) time.Duration {
	var t unix.Timespec
	must(unix.ClockGettime(int32(^pid<<3|2), &t))
	return time.Duration(t.Nano())
}
