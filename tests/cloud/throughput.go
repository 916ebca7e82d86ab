package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"medlake/shared/lake"
)

const (
	widest        = 8
	measuredFor   = 12 * time.Second
	measuredRows  = 1500
	measuredZips  = 1200
	storeLatency  = 20 * time.Millisecond // of each request, as a store in the same region has
	busyAllTheWay = 0.85                  // of the machine's cores: then more processes cannot help
)

// throughput measures uploads a second with 1, 2, 4 and 8 ingest processes of one upload at once each, over a store whose
// requests take as long as a real one's. It must grow, or the machine's cores must be in use.
func throughput(ctx context.Context, c *cloud) (err error) {
	bucket, err := c.bucket(ctx, "minio")
	if err != nil {
		return err
	}
	slow, err := slowStore(c.url("minio"))
	if err != nil {
		return err
	}
	defer slow.Close()
	catalog, err := c.database(ctx)
	if err != nil {
		return err
	}
	l, err := c.newLake(ctx, bucket, catalog)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, l.close()) }()
	f, err := c.newFamily(ctx, append(l.env, "MEDLAKE_BUCKET="+strings.Replace(bucket, c.url("minio"), slow.URL, 1)))
	if err != nil {
		return err
	}
	if err := f.start(ctx, "commit", 1, 4); err != nil {
		return err
	}
	arrivals, err := measuredUploads(ctx, l)
	if err != nil {
		return err
	}
	var first, last, busiest float64
	for k := 1; k <= widest; k *= 2 {
		if err := f.start(ctx, "ingest", k, 1, "GOMAXPROCS=1"); err != nil {
			return err
		}
		rate, busy, err := f.measure(ctx, arrivals)
		if err != nil {
			return err
		}
		f.stop(func(m *member) bool { return m.role == "ingest" })
		if k == 1 {
			first = rate
		}
		last, busiest = rate, max(busiest, busy)
		c.say("     %d ingest: %5.1f zips/s, %5.0f records/s, %.1f times one; %3.0f%% of the machine's cores busy", k, rate, rate*measuredRows, rate/first, busy*100)
	}
	if last < 2*first && busiest < busyAllTheWay {
		return fmt.Errorf("%d processes do %.1f times what one does, and the cores were %.0f%% busy at most", widest, last/first, busiest*100)
	}
	return nil
}

// slowStore stands before a store and makes each request take as long as in the cloud.
func slowStore(at string) (*httptest.Server, error) {
	target, err := url.Parse(at)
	if err != nil {
		return nil, err
	}
	proxy := &httputil.ReverseProxy{
		Rewrite:   func(r *httputil.ProxyRequest) { r.SetURL(target); r.Out.Host = r.In.Host }, // the host is signed
		Transport: &http.Transport{MaxIdleConnsPerHost: 64, DisableCompression: true},
	}
	return httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		time.Sleep(storeLatency)
		proxy.ServeHTTP(w, r)
	})), nil
}

// measuredUploads puts uploads into landing that nobody has processed.
func measuredUploads(ctx context.Context, l *lakeOf) (<-chan lake.Arrival, error) {
	x, arrivals := newExpected(), make(chan lake.Arrival, measuredZips)
	defer close(arrivals)
	for i := range measuredZips {
		n := 20*i + 3 + i%2 // laboratory results
		customer := customers[n%len(customers)]
		folder, text := x.content(n, measuredRows, false)
		a, err := l.upload(ctx, customer, folder, i, text, password(customer))
		if err != nil {
			return nil, err
		}
		arrivals <- a
	}
	return arrivals, nil
}

// measure has each process work on one upload after the other for a while: uploads a second, and the part of the
// machine's processor time that was used by anything.
func (f *family) measure(ctx context.Context, arrivals <-chan lake.Arrival) (rate, busy float64, err error) {
	limited, stop := context.WithTimeout(ctx, measuredFor)
	defer stop()
	used, idle := processorTime()
	start := time.Now()
	var done atomic.Int64
	var all sync.WaitGroup
	errs := make(chan error, widest)
	for _, m := range f.members["ingest"] {
		all.Go(func() {
			for limited.Err() == nil {
				a, more := <-arrivals
				if !more {
					errs <- errors.New("there are too few uploads")
					return
				}
				if err := tell(ctx, "http://"+address(m.port), a); err != nil {
					errs <- err
					return
				}
				done.Add(1)
			}
		})
	}
	all.Wait()
	took := time.Since(start).Seconds()
	nowUsed, nowIdle := processorTime()
	if all := nowUsed - used + nowIdle - idle; all > 0 {
		busy = (nowUsed - used) / all
	}
	select {
	case err = <-errs:
	default:
	}
	return float64(done.Load()) / took, busy, err
}
