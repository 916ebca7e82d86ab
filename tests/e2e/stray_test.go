package e2e

import (
	"bytes"
	"encoding/json"
	"testing"

	"medlake/shared/archive/lock"
)

// TestUploadOfAnUnknownCustomer: an object that nobody's metadata knows is found by the sweep and refused; its bytes stay.
func TestUploadOfAnUnknownCustomer(t *testing.T) {
	t.Parallel()
	l := newLake(t)
	data := packed(t, lock.AES256, password("acme"), 7, lock.File{Name: "patients.csv", Data: residents("stray")})
	key := "landing/nobody/2026-11-24/synthea/" + resident + ".zip@stray"
	if err := l.bucket(t).Put(t.Context(), key, data); err != nil {
		t.Fatal(err)
	}
	s := &server{t: t, lake: l}
	s.start()
	s.poll("the sweep", func() bool { return string(l.ask(t, "SELECT count(*) AS n FROM ops.loads")["n"]) == "1" })
	s.end()
	row := l.ask(t, "SELECT customer, status, reason FROM ops.loads")
	for column, want := range map[string]string{"customer": "nobody", "status": "quarantined", "reason": "unknown_customer"} {
		var got string
		if err := json.Unmarshal(row[column], &got); err != nil || got != want {
			t.Errorf("%s is %s, want %s", column, row[column], want)
		}
	}
	if kept, err := l.bucket(t).Get(t.Context(), key); err != nil || !bytes.Equal(kept, data) {
		t.Errorf("landing holds %d bytes, want the %d that were sent: %v", len(kept), len(data), err)
	}
	discreetly(t, "medlake run", s.log.Bytes())
	balance(t, l, 1)
}
