package transform_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"medlake/shared/lake"
	"medlake/shared/metadata"
	"medlake/shared/transform"
	"medlake/shared/transform/column"
)

const customerYAML = "customer: acme\nname: Acme\nzone: America/New_York\n"

const wideColumns = 40

// wideMetadata is a feed of 40 columns of all kinds; with functions, ten of them are computed.
func wideMetadata(functions bool) fstest.MapFS {
	kinds := []string{"string", "long", "string", "double", "decimal(18,2)", "string", "date", "string", "timestamp", "boolean"}
	var table, set strings.Builder
	table.WriteString("table: wide\ndoc: Wide.\ngrain: one row a line\ncolumns:\n")
	for i := range wideColumns {
		fmt.Fprintf(&table, "  c%d: %s\n", i, kinds[i%len(kinds)])
	}
	if functions {
		set.WriteString("when: c0 != \"TEST\" and c2 in [\"b\", \"value 2\"]\nset:\n")
		for i := 0; i < wideColumns; i += 10 {
			fmt.Fprintf(&set, "  c%d: upper(c%d)\n  c%d: ts(c%d, \"2006-01-02T15:04:05Z07:00\")\n  c%d: coalesce(after(c%d, \" \"), \"none\")\n", i, i, i+8, i+8, i+5, i+5)
		}
		table.WriteString("checks:\n  some: { rule: c1 != nil and c1 > 0, else: reject }\n")
	}
	return fstest.MapFS{
		"customers/acme/customer.yaml": {Data: []byte(customerYAML)},
		"tables/wide.yaml":             {Data: []byte(table.String())},
		"feeds/wide.yaml":              {Data: []byte("feed: wide\ndoc: Wide.\nfrom: \"{customer}/wide/*.zip\"\nread: { as: csv }\ninto: wide\n" + set.String())},
	}
}

func wideCSV(rows int) []byte {
	var b bytes.Buffer
	values := []string{"name of it", "12345", "value 2", "98.6", "1234.50", "some text", "1950-02-03", "", "2026-03-05T08:30:00Z", "true"}
	for i := range wideColumns {
		fmt.Fprintf(&b, "c%d,", i)
	}
	b.Truncate(b.Len() - 1)
	for range rows {
		b.WriteByte('\n')
		for i := range wideColumns {
			b.WriteString(values[i%len(values)])
			b.WriteByte(',')
		}
		b.Truncate(b.Len() - 1)
	}
	b.WriteByte('\n')
	return b.Bytes()
}

func compile(t testing.TB, fsys fstest.MapFS) *transform.Library {
	t.Helper()
	set, faults := metadata.Load(fsys)
	for _, f := range faults {
		t.Error(f)
	}
	if t.Failed() {
		t.FailNow()
	}
	lib, faults := transform.Compile(set)
	for _, f := range faults {
		t.Error(f)
	}
	if t.Failed() {
		t.FailNow()
	}
	return lib
}

func match(t testing.TB, lib *transform.Library, name string) *transform.Match {
	t.Helper()
	m, err := lib.Match(name)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

var arrived = time.Date(2026, 3, 5, 12, 0, 0, 0, time.UTC)

// load runs one member and returns the counts of the first table.
func load(t testing.TB, m *transform.Match, data []byte, flush func(int, *column.Batch) error) lake.TableFiles {
	t.Helper()
	run := m.NewRun(transform.Origin{Load: "load", ArrivedAt: arrived, Flush: flush})
	defer run.Release()
	if _, err := run.Member(0, "x.csv", source(data)); err != nil {
		t.Fatal(err)
	}
	counts, _, err := run.Finish()
	if err != nil {
		t.Fatal(err)
	}
	return counts[0]
}

// TestNoAllocationPerRecord: on the native path 1,000 more rows cost no allocation more.
func TestNoAllocationPerRecord(t *testing.T) {
	if raced {
		t.Skip("the race detector makes pools forget")
	}
	for _, functions := range []bool{false, true} {
		m := match(t, compile(t, wideMetadata(functions)), "acme/wide/x.zip")
		measure := func(rows int) float64 {
			data := wideCSV(rows)
			load(t, m, data, nil)
			return testing.AllocsPerRun(10, func() {
				if c := load(t, m, data, nil); c.Committed != int64(rows) {
					t.Fatalf("%d of %d rows landed", c.Committed, rows)
				}
			})
		}
		few, many := measure(10), measure(2010)
		if extra := many - few; extra > 20 {
			t.Errorf("functions %v: 2,000 rows more allocate %.0f times more", functions, extra)
		}
	}
}

// TestSameRowsWhateverTheBatch: batches of any size, used memory and parallel runs give the same rows.
func TestSameRowsWhateverTheBatch(t *testing.T) {
	t.Parallel()
	m := match(t, compile(t, wideMetadata(true)), "acme/wide/x.zip")
	data := wideCSV(100)
	dump := func(rows int) string {
		var out strings.Builder
		run := m.NewRun(transform.Origin{Load: "load", ArrivedAt: arrived, BatchRows: rows, Flush: func(_ int, b *column.Batch) error {
			return printRows(&out, b)
		}})
		defer run.Release()
		if _, err := run.Member(0, "x.csv", source(data)); err != nil {
			t.Error(err)
		}
		if _, _, err := run.Finish(); err != nil {
			t.Error(err)
		}
		return out.String()
	}
	want := dump(1)
	var wg sync.WaitGroup
	for _, rows := range []int{2, 7, 99, 100, 101, 0} {
		wg.Go(func() {
			if diff := cmp.Diff(want, dump(rows)); diff != "" {
				t.Errorf("batches of %d rows (-want +got):\n%s", rows, diff)
			}
		})
	}
	wg.Wait()
}

// TestFlushErrorStopsTheRun: an error of the receiver comes back as it is.
func TestFlushErrorStopsTheRun(t *testing.T) {
	t.Parallel()
	m := match(t, compile(t, wideMetadata(false)), "acme/wide/x.zip")
	full := errors.New("disk full")
	run := m.NewRun(transform.Origin{Load: "load", ArrivedAt: arrived, BatchRows: 10, Flush: func(int, *column.Batch) error { return full }})
	defer run.Release()
	if _, err := run.Member(0, "x.csv", source(wideCSV(100))); !errors.Is(err, full) {
		t.Errorf("got %v, want the receiver's error", err)
	}
}

// TestMatch: the first folder is the customer, and its secret's name is filled in.
func TestMatch(t *testing.T) {
	t.Parallel()
	fsys := wideMetadata(false)
	fsys["customers/beta/customer.yaml"] = &fstest.MapFile{Data: []byte("customer: beta\nname: Beta\n")}
	fsys["feeds/wide.yaml"] = &fstest.MapFile{Data: []byte("feed: wide\ndoc: W.\nfor: [acme]\nfrom: \"{customer}/{kind}/*.zip\"\nopen: { password: \"zip/{customer}/{kind}\" }\nread: { as: csv }\ninto: wide\n")}
	lib := compile(t, fsys)
	m := match(t, lib, "acme/labs/x.ZIP")
	if m.Secret != "zip/acme/labs" || m.Customer.ID != "acme" || m.Program.Feed().Name != "wide" {
		t.Errorf("got secret %q, customer %q", m.Secret, m.Customer.ID)
	}
	if diff := cmp.Diff(map[string]string{"customer": "acme", "kind": "labs"}, m.Captures); diff != "" {
		t.Error(diff)
	}
	for name, want := range map[string]lake.Reason{
		"nobody/labs/x.zip": lake.UnknownCustomer, "beta/labs/x.zip": lake.UnknownFeed, "acme/x.zip": lake.UnknownFeed, "": lake.UnknownCustomer,
	} {
		_, err := lib.Match(name)
		var r *lake.Refusal
		if !errors.As(err, &r) || r.Reason != want {
			t.Errorf("%q: got %v, want %s", name, err, want)
		}
	}
}

// TestNoValueInErrors: whatever is wrong with a record, no error, warning or reject repeats it.
func TestNoValueInErrors(t *testing.T) {
	t.Parallel()
	m := match(t, compile(t, wideMetadata(true)), "acme/wide/x.zip")
	header, line, _ := strings.Cut(string(wideCSV(1)), "\n")
	for i, field := range strings.Split(strings.TrimSpace(line), ",") {
		for _, bad := range []string{"SECRET", `"SECRET`, "SECRET,SECRET", "\xff\xfeSECRET", "9999999999999999999SECRET"} {
			fields := strings.Split(strings.TrimSpace(line), ",")
			fields[i] = bad + field
			var rejects bytes.Buffer
			run := m.NewRun(transform.Origin{Load: "load", ArrivedAt: arrived, Flush: func(i int, b *column.Batch) error {
				if i == 0 {
					return nil // the rows themselves
				}
				for _, c := range b.Columns {
					rejects.Write(c.Data)
				}
				return nil
			}})
			_, err := run.Member(0, "SECRET.csv", source(header+"\n"+strings.Join(fields, ",")+"\n"))
			_, warnings, err2 := run.Finish()
			if said := fmt.Sprint(err, err2, warnings, rejects.String()); strings.Contains(said, "SECRET") {
				t.Errorf("column %d: said %s", i, said)
			}
			run.Release()
		}
	}
}

// TestRunsAtOnce: runs of one program share no state, also where the expr VM works. Fields may be called like functions.
func TestRunsAtOnce(t *testing.T) {
	t.Parallel()
	m := match(t, compile(t, fstest.MapFS{
		"customers/acme/customer.yaml": {Data: []byte(customerYAML)},
		"tables/t.yaml":                {Data: []byte("table: t\ndoc: T.\ngrain: one row a line\ncolumns: { id: string!, a: string, b: long, c: timestamp }\n")},
		"feeds/t.yaml": {Data: []byte(`feed: t
doc: T.
from: "{customer}/t/*.zip"
read: { as: csv }
into: t
set:
  a: 'let x = split(first, "~"); join(filter(x, # != "b"), "+") ?? upper(map)'
  b: len(split(first, "~"))
  c: ts(at, "01/02/2006 15:04")
`)},
	}), "acme/t/x.zip")
	data := []byte("id,first,map,at\n1,a~b~c,x,03/05/2026 08:00\n2,,y,11/01/2026 01:30\n" + strings.Repeat("3,q~r,z,07/05/2026 08:00\n", 100))
	want := " 0:1 id=1 a=a+c b=3 c=2026-03-05T13:00:00Z\n 0:2 id=2 a=Y c=2026-11-01T05:30:00Z\n 0:3 id=3 a=q+r b=2 c=2026-07-05T12:00:00Z\n"
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			var out strings.Builder
			load(t, m, data, func(_ int, b *column.Batch) error { return printRows(&out, b) })
			if got := out.String(); !strings.HasPrefix(got, want) || strings.Count(got, "\n") != 102 {
				t.Errorf("got %.200s", got)
			}
		})
	}
	wg.Wait()
}
