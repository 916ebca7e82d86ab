package e2e

import (
	"bytes"
	"compress/gzip"
	"testing"

	"medlake/shared/archive/lock"
)

// TestGzips loads gzips as programs make them, and zips that are named like one because gzip has no passwords.
func TestGzips(t *testing.T) {
	t.Parallel()
	l := newLake(t)
	for _, c := range []struct {
		rule, path, name string // name that the gzip stores
		locked, wanted   bool
	}{
		{rule: "the upload's name without .gz", path: "synthea/nightly/patients.csv.gz", wanted: true},
		{rule: "the stored name", path: "synthea/nightly.gz", name: "patients.csv", wanted: true},
		{rule: "the stored name comes first", path: "synthea/again/patients.csv.gz", name: "letter.csv"},
		{rule: "no name fits", path: "synthea/letter.csv.gz"},
		{rule: "a locked zip named .gz", path: "synthea/locked/patients.csv.gz", locked: true, wanted: true},
	} {
		plain := residents(c.rule)
		data := compressed(t, c.name, plain)
		if c.locked {
			data = packed(t, lock.AES256, password("acme"), 6, lock.File{Name: "patients.csv", Data: plain})
		}
		r := l.send(t, "acme", c.path, data)
		switch {
		case c.wanted && (r.Status != "loaded" || r.Rows["patients"] != 3 || r.Rejects != 1):
			t.Errorf("%s: %s %s, %v and %d rejects, want 3 rows and 1 reject", c.rule, r.Status, r.Reason, r.Rows, r.Rejects)
		case !c.wanted && (r.Status != "quarantined" || r.Reason != "no_member"):
			t.Errorf("%s: %s %s, want quarantined no_member", c.rule, r.Status, r.Reason)
		}
	}
}

// compressed is a gzip as Go makes it.
func compressed(t *testing.T, name string, plain []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	w.Name = name
	if _, err := w.Write(plain); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}
