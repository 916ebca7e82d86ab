package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
	"strings"
	"time"

	"medlake/shared/archive/lock"
	"medlake/shared/faas"
	"medlake/shared/lake"
	"medlake/shared/store"
)

// expected is what must stand in the tables after some uploads.
type expected struct {
	arrivals map[string]bool   // ids
	statuses map[string]int    // receipts by status
	labs     map[string]bool   // "customer id"
	beds     map[string]string // state by "customer bed"
	events   int               // rows of beds_log
	filtered int
	rejected int
	past     [3]int // committed, filtered, rejected of loads that others have replaced
}

func newExpected() *expected {
	return &expected{arrivals: map[string]bool{}, statuses: map[string]int{}, labs: map[string]bool{}, beds: map[string]string{}}
}

// kind of upload n: of twenty, ten bring laboratory results, eight change beds, one is an earlier one again, locked anew,
// and one has the wrong password.
func kind(n int) string {
	switch k := n % 20; {
	case k == 7:
		return "wrong"
	case k == 13 && n > 20:
		return "again"
	case k%5 < 2:
		return "beds"
	}
	return "labs"
}

// send makes upload n, puts it into landing and notes what must come of it.
func (x *expected) send(ctx context.Context, l *lakeOf, n, rows int) (lake.Arrival, error) {
	of, secret, status := n, password(customers[n%len(customers)]), string(lake.Loaded)
	switch kind(n) {
	case "again":
		of, status = n-8, string(lake.Duplicate) // of the same customer, and not again of another
	case "wrong":
		secret, status = "wrong", string(lake.Quarantined)
	}
	customer := customers[of%len(customers)]
	folder, text := x.content(of, rows, status == string(lake.Loaded))
	a, err := l.upload(ctx, customer, folder, n, text, secret)
	if err != nil {
		return lake.Arrival{}, err
	}
	x.arrivals[a.ID()] = true
	x.statuses[status]++
	return a, nil
}

// tell posts the event of an upload to a function, or to the broker before it.
func tell(ctx context.Context, url string, a lake.Arrival) error {
	e, err := faas.NewArrival(a, false)
	if err != nil {
		return err
	}
	return faas.Sink(http.DefaultClient, url)(ctx, e)
}

// content is the text of upload n. If it counts, its rows are expected.
func (x *expected) content(n, rows int, counts bool) (folder, text string) {
	var b strings.Builder
	customer := customers[n%len(customers)]
	if kind(n) == "beds" {
		b.WriteString("bed,state,since\n")
		for i := range 5 {
			bed, state := fmt.Sprintf("B%d", (n+i*7)%50), fmt.Sprintf("s%d", n)
			fmt.Fprintf(&b, "%s,%s,%s\n", bed, state, time.Unix(1_700_000_000+int64(n)*60, 0).UTC().Format(time.RFC3339))
			if counts {
				x.events++
				x.beds[customer+" "+bed] = state // n only grows, and so does the time
			}
		}
		return "beds", b.String()
	}
	b.WriteString("lab_id,patient_id,code,value\n")
	for i := range rows {
		id, code := fmt.Sprintf("L%d-%d", n, i), "GLU"
		switch i % 25 {
		case 3:
			code = "TEST" // the feed leaves it out
		case 4:
			id = "" // a rule of the table
		}
		fmt.Fprintf(&b, "%s,P%d,%s,%d.5\n", id, n*31+i, code, i)
		switch {
		case !counts:
		case code == "TEST":
			x.filtered++
		case id == "":
			x.rejected++
		default:
			x.labs[customer+" "+id] = true
		}
	}
	return "labs", b.String()
}

// upload locks a text and puts it into landing, as the gateway does.
func (l *lakeOf) upload(ctx context.Context, customer, folder string, n int, text, secret string) (lake.Arrival, error) {
	o := lock.Options{Cipher: lock.ZipCrypto, Password: secret, Random: rand.Reader}
	if n%5 < 2 {
		o.Cipher = lock.AES256
	}
	zip, err := lock.Zip([]lock.File{{Name: folder + ".csv", Data: []byte(text)}}, o)
	if err != nil {
		return lake.Arrival{}, err
	}
	stored, err := l.bucket.Upload(ctx, store.LandingKey(customer, time.Now(), fmt.Sprintf("%s/%d.zip", folder, n), rand.Text()), bytes.NewReader(zip))
	if err != nil {
		return lake.Arrival{}, err
	}
	return l.bucket.Arrival(stored), nil
}
