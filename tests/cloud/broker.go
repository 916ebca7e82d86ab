package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"path"
	"sync"
	"sync/atomic"
	"time"

	"medlake/shared/faas"
)

// broker stands between functions as Knative's does: what is posted to /ROLE it takes at once and delivers to one process
// of the role after the other, again and again with growing pauses while the answer is 503 or there is none. It is a bad
// one: it loses, doubles and reorders events. No event is at fault, so any other answer is one for close to tell.
type broker struct {
	url    string
	family *family
	server *http.Server
	ctx    context.Context // of deliveries
	all    sync.WaitGroup
	client http.Client

	lost, doubled, again, dead atomic.Int64
	refusal                    atomic.Int64 // status
}

const (
	losing   = 10 // one event in so many is lost
	doubling = 5
	shuffle  = 500 * time.Millisecond // an event waits up to so long, so that later ones overtake it
	tries    = 10
)

func newBroker(ctx context.Context, f *family) (*broker, error) {
	ln, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	b := &broker{url: "http://" + ln.Addr().String(), family: f, ctx: ctx, client: http.Client{Timeout: time.Minute}}
	b.server = &http.Server{Handler: http.HandlerFunc(b.take), ReadHeaderTimeout: time.Minute}
	go func() { _ = b.server.Serve(ln) }() // until close
	return b, nil
}

// close takes no more and waits for what is on its way, or until the context has ended.
func (b *broker) close() error {
	err := b.server.Close()
	b.all.Wait()
	if status := b.refusal.Load(); status != 0 {
		err = errors.Join(err, fmt.Errorf("an event was answered with status %d, neither done nor try again", status))
	}
	return err
}

func (b *broker) take(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	role, header, copies := path.Base(r.URL.Path), r.Header.Clone(), 1
	switch {
	case rand.IntN(losing) == 0:
		b.lost.Add(1)
		copies = 0
	case rand.IntN(doubling) == 0:
		b.doubled.Add(1)
		copies = 2
	}
	for range copies {
		b.all.Go(func() { b.deliver(role, header, body) })
	}
	w.WriteHeader(http.StatusAccepted)
}

func (b *broker) deliver(role string, header http.Header, body []byte) {
	if !wait(b.ctx, rand.N(shuffle)) {
		return
	}
	for n := range tries {
		switch status := b.post(b.family.next(role), header, body); {
		case status/100 == 2:
			return
		case status != 0 && status != http.StatusServiceUnavailable:
			b.refusal.Store(int64(status))
			return
		case b.ctx.Err() != nil:
			return
		}
		b.again.Add(1)
		if !wait(b.ctx, min(100*time.Millisecond<<n, 5*time.Second)) {
			return
		}
	}
	b.dead.Add(1) // the sweep will find it
}

// post delivers once; 0: there was no answer.
func (b *broker) post(m *member, header http.Header, body []byte) int {
	if m == nil {
		return 0
	}
	m.places <- struct{}{}
	defer func() { <-m.places }()
	req, err := http.NewRequestWithContext(b.ctx, http.MethodPost, "http://"+address(m.port), bytes.NewReader(body))
	if err != nil {
		return 0
	}
	req.Header = header.Clone()
	resp, err := b.client.Do(req)
	if err != nil {
		return 0
	}
	_, err = io.Copy(io.Discard, resp.Body)
	if errors.Join(err, resp.Body.Close()) != nil {
		return 0
	}
	return resp.StatusCode
}

// start starts every role of the family, one process of those that are not counted, and they tell each other by the broker.
func (b *broker) start(ctx context.Context, commits, ingests int) error {
	for _, r := range []struct {
		role      string
		processes int
		env       string
	}{{"commit", commits, ""}, {"ingest", ingests, "MEDLAKE_COMMIT=" + b.url + "/commit"}, {"merge", 1, ""}, {"maintain", 1, ""}, {"sweep", 1, "K_SINK=" + b.url + "/ingest"}} {
		if err := b.family.start(ctx, r.role, r.processes, 4, r.env); err != nil {
			return err
		}
	}
	return nil
}

// tick asks the roles that look for work by themselves to do so now and then, as PingSources do.
func (b *broker) tick() {
	for role, every := range map[string]time.Duration{"commit": 2 * time.Second, "merge": 3 * time.Second, "maintain": 5 * time.Second, "sweep": 10 * time.Second} {
		b.all.Go(func() {
			for wait(b.ctx, every) {
				_ = faas.Sink(&b.client, b.url+"/"+role)(b.ctx, faas.NewTick("ping")) // the next one follows
			}
		})
	}
}

// wait pauses; false if ctx ended.
func wait(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}
