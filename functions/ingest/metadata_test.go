package ingest_test

import (
	"bytes"
	"compress/gzip"
	"testing"

	"medlake/shared/lake"
)

// TestGzipWithoutNameHasItsUploads: the entry patterns of a feed see the upload's name without .gz.
func TestGzipWithoutNameHasItsUploads(t *testing.T) {
	t.Parallel()
	d := open(t, "mem://")
	f := d.ingest(t, nil)
	for _, c := range []struct {
		stored, upload string
		want           lake.Status
		reason         lake.Reason
	}{
		{"", "acme/plain/beds.csv.gz", lake.Loaded, ""},
		{"", "acme/plain/night/BEDS.CSV.GZ", lake.Loaded, ""},
		{"beds.csv", "acme/plain/other.gz", lake.Loaded, ""},
		{"", "acme/plain/other.csv.gz", lake.Quarantined, lake.NoMember},
		{"other.csv", "acme/plain/beds.csv.gz", lake.Quarantined, lake.NoMember},
	} {
		var b bytes.Buffer
		w := gzip.NewWriter(&b)
		w.Name = c.stored
		if _, err := w.Write([]byte("bed\n" + c.upload + c.stored + "\n")); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		r := d.process(t, f, d.upload(t, c.upload, b.Bytes()))
		if r.Status != c.want || r.Reason != c.reason {
			t.Errorf("%s that stores the name %q: %s %s, want %s %s", c.upload, c.stored, r.Status, r.Reason, c.want, c.reason)
		}
	}
}
