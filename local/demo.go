package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"medlake/local/demo"
	"medlake/local/node"
	"medlake/shared/lake"
	"medlake/shared/query"
)

// parcelTime is how long the tour waits for one receipt.
const parcelTime = time.Minute

func tour(ctx context.Context, args []string, s streams) (code int, err error) {
	flags := flag.NewFlagSet("demo", flag.ContinueOnError)
	data := flags.String("data", "medlake-demo", "folder of the demo's lake")
	meta := metadataFlag(flags)
	listen := flags.String("listen", "127.0.0.1:8080", "address of the HTTP door and the status page; port 0: any")
	once := flags.Bool("once", false, "end after the tour")
	if _, err := parse(flags, args, 0, 0); err != nil {
		return exitFailed, err
	}
	for customer, password := range demo.Customers() {
		if err := giveSecrets(*data, customer, password); err != nil {
			return exitFailed, err
		}
	}
	log := logTo(s.err, slog.LevelWarn)
	slog.SetDefault(log)
	fmt.Fprintf(s.out, "Opening a lake in %s: a file bucket, a SQLite catalog, DuckDB.\n", *data)
	at, err := node.Place{Data: *data}.Whole()
	if err != nil {
		return exitFailed, err
	}
	n, err := openNode(ctx, at, *meta, "", log)
	if err != nil {
		return exitFailed, err
	}
	defer func() { err = errors.Join(err, n.Close()) }()
	ln, err := (&net.ListenConfig{}).Listen(ctx, "tcp", *listen)
	if err != nil {
		return exitFailed, fmt.Errorf("listen: %w (choose another address with --listen)", err)
	}
	ctx, end := context.WithCancel(ctx)
	defer end()
	hosted := make(chan error, 1)
	go func() { hosted <- host(ctx, n, *data, ln, log) }()
	t := guide{node: n, url: "http://" + ln.Addr().String(), out: s.out}
	toured := make(chan error, 1)
	go func() { toured <- t.show(ctx) }()
	select {
	case err = <-hosted: // a door broke, or the demo was interrupted
		end()
		if terr := <-toured; err == nil && !errors.Is(terr, context.Canceled) {
			err = terr
		}
	case err = <-toured:
		if err == nil && !*once {
			t.invite(*data)
			<-ctx.Done()
		}
		end()
		err = errors.Join(err, <-hosted)
	}
	if err != nil {
		return exitFailed, err
	}
	return exitOK, nil
}

// keyOf is the bearer key of a demo customer.
func keyOf(customer string) string { return customer + "-demo-key" }

// giveSecrets lays down what the customer would agree with the lake's operator: a zip password and a bearer key.
func giveSecrets(data, customer, password string) error {
	for name, value := range map[string]string{"zip": password, "key": keyOf(customer)} {
		file := filepath.Join(data, "secrets", name, customer)
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			return fmt.Errorf("make the demo's secrets: %w", err)
		}
		if err := os.WriteFile(file, []byte(value+"\n"), 0o600); err != nil {
			return fmt.Errorf("make the demo's secrets: %w", err)
		}
	}
	return nil
}

// guide leads through the demo.
type guide struct {
	node *node.Node
	url  string
	out  io.Writer
}

func (g *guide) show(ctx context.Context) error {
	parcels, err := demo.Parcels()
	if err != nil {
		return err
	}
	fmt.Fprintf(g.out, "Sending %d locked zips of three customers to %s.\n\n", len(parcels), g.url)
	for _, p := range parcels {
		start := time.Now()
		id, err := g.send(ctx, p)
		if err != nil {
			return fmt.Errorf("send %s of %s: %w", p.Path, p.Customer, err)
		}
		r, err := g.node.Receipt(ctx, id, parcelTime)
		if err != nil {
			return fmt.Errorf("receipt of %s of %s: %w", p.Path, p.Customer, err)
		}
		g.receipt(p, r, time.Since(start))
	}
	if err := g.node.Settle(ctx); err != nil { // else it would come by itself, seconds later
		return err
	}
	for _, q := range demo.Questions() {
		if err := g.ask(ctx, q); err != nil {
			return fmt.Errorf("ask %q: %w", q.Title, err)
		}
	}
	return nil
}

// send puts a parcel through the HTTP door, as its customer would.
func (g *guide) send(ctx context.Context, p demo.Parcel) (arrival string, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPut, g.url+"/v1/files/"+p.Path, bytes.NewReader(p.Data))
	if err != nil {
		return "", err
	}
	req.Header.Set("Authorization", "Bearer "+keyOf(p.Customer))
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, resp.Body.Close()) }()
	var answer struct{ Arrival, Error string }
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		return "", err
	}
	if resp.StatusCode != http.StatusCreated {
		return "", fmt.Errorf("%s: %s", resp.Status, answer.Error)
	}
	return answer.Arrival, nil
}

func (g *guide) receipt(p demo.Parcel, r lake.Receipt, took time.Duration) {
	fmt.Fprintf(g.out, "%-8s %-27s %s\n         %s", p.Customer, p.Path, p.Note, r.Status)
	switch r.Status {
	case lake.Loaded:
		tables := 0
		for _, n := range r.Rows {
			tables += min(1, int(n))
		}
		fmt.Fprintf(g.out, ": %d rows in %d tables, %d rejects", r.Committed, tables, r.Rejected)
	case lake.Duplicate:
		fmt.Fprint(g.out, ": its rows are there already, nothing changed")
	case lake.Quarantined:
		fmt.Fprintf(g.out, ": %s; the bytes are kept", reasonOf(r.Reason, r.Where))
	}
	fmt.Fprintf(g.out, " (%d ms from upload to queryable)\n", took.Milliseconds())
}

func (g *guide) ask(ctx context.Context, q demo.Question) error {
	fmt.Fprintf(g.out, "\n%s\n\n", q.Title)
	res, err := g.node.Reader.Query(ctx, query.Request{SQL: q.SQL, Customer: q.Customer})
	if err != nil {
		return err
	}
	_, err = query.Write(g.out, res, query.AsTable)
	return errors.Join(err, res.Close())
}

// invite says what can be tried while the demo serves.
func (g *guide) invite(data string) {
	fmt.Fprintf(g.out, `
Serving. Ctrl-C ends it. Try, in another terminal:

  the status page        %[1]s
  ask anything           go run ./local sql --data %[2]s 'SELECT * FROM visits LIMIT 5'
  the ledger             go run ./local sql --data %[2]s 'SELECT * FROM ops.loads'
  send a file yourself   (cd local/demo/samples/synthea && zip -P %[3]s /tmp/mine.zip patients.csv)
                         curl -T /tmp/mine.zip -H 'Authorization: Bearer %[4]s' %[1]s/v1/files/synthea/mine.zip
  what became of it      curl -H 'Authorization: Bearer %[4]s' '%[1]s/v1/receipts/ARRIVAL?wait=5s'
`, g.url, data, demo.Customers()["acme"], keyOf("acme"))
}
