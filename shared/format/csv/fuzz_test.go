package csv_test

import (
	"bytes"
	stdcsv "encoding/csv"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"medlake/shared/format"
	"medlake/shared/format/csv"
	"medlake/shared/lake"
)

// source is a member in memory; slow gives it byte by byte, through a small window.
type source struct {
	data []byte
	slow bool
}

func (s source) Bytes() ([]byte, error) { return s.data, nil }

func (s source) Reader() (io.ReadCloser, error) {
	r := io.Reader(bytes.NewReader(s.data))
	if s.slow {
		r = iotest.OneByteReader(r)
	}
	return io.NopCloser(r), nil
}

// row is a format.Row that lasts.
type row struct {
	Fields []string
	Line   int
	Row    int64
	Fault  string
}

func decode(t testing.TB, c csv.Config, fields []string, src source) ([]row, *csv.Decoder, error) {
	t.Helper()
	d, err := c.NewDecoder(fields)
	if err != nil {
		t.Fatal(err)
	}
	if src.slow {
		d.SetBuffer(32)
	}
	var rows []row
	err = d.Decode(src, func(r *format.Row) error {
		o := row{Line: r.Line, Row: r.Row, Fault: r.Fault}
		for _, f := range r.Fields {
			if f == nil {
				f = []byte("<absent>")
			}
			o.Fields = append(o.Fields, string(f))
		}
		rows = append(rows, o)
		return nil
	})
	return rows, d, err
}

// FuzzCSV holds that the decoder agrees with encoding/csv on whatever that accepts, that it does not matter in which
// pieces the text comes, and that every fault is a refusal.
func FuzzCSV(f *testing.F) {
	for _, s := range []string{
		"a,b\n1,2\n", "a,b\r\n\"x,\"\"y\r\n\",2\r\n", "\xef\xbb\xbfa|b|\n1|2|\n", "a,b\r1,2\r", "a,b\n1\n1,2,3\n\n\"\",", "a\n\"x\"y\n",
		"\xff\xfea\x00,\x00b\x00\n\x001\x00,\x002\x00", "a,b\n1,\"2", "a,b\n\xff,1\n", "a,a,,A\n1,2,3,4\n",
	} {
		f.Add([]byte(s), true)
	}
	f.Fuzz(func(t *testing.T, data []byte, quotes bool) {
		c := csv.Config{Pad: false}
		if quotes {
			c.Quote = '"'
		}
		rows, d, err := decode(t, c, []string{"a"}, source{data: data})
		again, _, err2 := decode(t, c, []string{"a"}, source{data: data, slow: true})
		if diff := cmp.Diff(rows, again); diff != "" {
			t.Fatalf("byte by byte (-whole +slow):\n%s", diff)
		}
		if (err == nil) != (err2 == nil) || err != nil && err.Error() != err2.Error() {
			t.Fatalf("errors differ: %v, %v", err, err2)
		}
		if err != nil && !errors.Is(err, lake.ErrInvalid) {
			t.Fatalf("not a refusal: %v", err)
		}
		if err != nil || !quotes || bytes.ContainsAny(data, "\x00\xfe\xff") || bytes.Contains(bytes.ReplaceAll(data, []byte("\r\n"), nil), []byte("\r")) {
			return
		}
		r := stdcsv.NewReader(bytes.NewReader(bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))))
		r.FieldsPerRecord = -1
		want, err := r.ReadAll()
		if err != nil || len(want) == 0 {
			return
		}
		head := len(d.Header())
		if got := len(rows); got != len(want)-1 {
			t.Fatalf("%d rows, encoding/csv has %d", got, len(want)-1)
		}
		for i, w := range want[1:] {
			whole := len(w) == head || len(w) == head+1 && w[head] == ""
			if got := rows[i].Fault == ""; got != whole {
				t.Fatalf("row %d: fault %q, %d fields under %d names", i+1, rows[i].Fault, len(w), head)
			}
			if !whole {
				continue
			}
			slots := order(d, head)
			for k, s := range slots {
				if got := strings.ReplaceAll(rows[i].Fields[s], "\r\n", "\n"); got != w[k] {
					t.Fatalf("row %d column %d: got %q, want %q", i+1, k, got, w[k])
				}
			}
		}
	})
}

// order returns the slots of the columns in the order of the header, for a decoder that wants one field.
func order(d *csv.Decoder, n int) []int {
	slots := make([]int, n)
	extra, found := 1, false
	for i, name := range d.Header() {
		if !found && strings.EqualFold(strings.TrimSpace(name), "a") {
			found = true
			continue
		}
		slots[i] = extra
		extra++
	}
	return slots
}
