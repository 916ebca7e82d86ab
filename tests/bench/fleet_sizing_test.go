package bench

import (
	"bytes"
	"flag"
	"fmt"
	"math"
	"os"
	"testing"
)

var updateSizing = flag.Bool("update", false, "TestSizing writes the table of infra/sizing.md anew")

// Today's load, as the company counts it.
const (
	zipsADay    = 77_000
	recordsADay = 15_000_000
	zipsAtPeak  = 3_500 / 3600.0 // a second
	senders     = 1_100
)

// What is assumed of the lake: it changes the result in proportion, and is not measured.
const (
	tablesAZip   = 2.0
	tablesFilled = 20.0 // tables that get rows all day
	tablesMerged = 5.0  // of them change
	zipMB        = 1.1  // a zip of 195 XML documents, as in the README's table
	parquetMB    = 0.25 // its rows
	daysAMonth   = 30.0
)

// How often the manifests run what is periodic, a day.
const (
	mergesADay    = 24 * 60 / 2.0
	maintainsADay = 24 * 60 / 15.0
	sweepsADay    = 24 * 60 / 15.0
	daysSwept     = 365.0 // by the sweep of all dates, once a day: of a lake that is a year old
)

// Requests, as TestRequests counts them.
const (
	putZip        = 3.0 - 1 // record and pending; a data file a table on top
	getZip        = 4.0     // the upload described and read, two records looked for
	putEntry      = 3.0     // entry, hint, receipts
	putEntryTable = 3.0     // metadata, manifest, list of manifests
	getEntry      = 2.0     // hint and the next entry
	getEntryTable = 1.0
	putMerge      = 6.0
	getMerge      = 28.0
	putCompact    = 18.0
	getFile       = 2.6 // a small file that is compacted
	listSender    = 5.0 // of three days, and what writers put beside them
	listFolder    = 2.0 // of one day of a sender, and of what the index says of it
	getFolder     = 4.0 // index objects of it: 1 to 8
	entriesIndex  = 2000.0
	foldZip       = 1.0 // its record is read and written
	foldEntry     = 1.0 // it is read and written
)

// What TestFleet shows at 1, 10 and 100 zips a second, and the README of processor time.
const (
	busyZip     = 0.25  // seconds in ingest
	cpuRecord   = 75e-6 // seconds, from upload to table, on files
	cpuRequests = 10e-3 // seconds a zip, for requests over TLS: assumed
	takesAtOnce = 4.0   // uploads of one ingest pod
)

// List prices assumed for us-east-1, November 2026, in dollars.
const (
	pricePut     = 0.005 / 1000 // PUT, LIST, COPY
	priceGet     = 0.0004 / 1000
	priceStored  = 0.023 // GB and month
	priceGlue    = 1.0 / 1e6
	freeGlue     = 1e6
	priceCPUHour = 0.04048 // Fargate
	priceGBHour  = 0.004445
)

// demand is a multiple of today's, with how commits behave under it (TestFleet).
type demand struct {
	times        float64
	entriesADay  float64
	ingest       int     // pods
	commitCPU    float64 // requested
	commitMemory float64 // GiB
}

var demands = []demand{
	{1, 61 * 1440, 2, 0.2, 0.25},
	{10, 85 * 1440, 2, 0.5, 0.5},
	{100, 42 * 1440, 8, 1, 1},
}

// bill is what a load asks for in a month.
type bill struct {
	put, get, list map[string]float64 // by role
	glue           float64
}

func (l demand) bill() bill {
	zips := zipsADay * l.times
	touched := math.Min(zips/l.entriesADay*tablesAZip, tablesFilled)
	merges, compactions := mergesADay*tablesMerged, maintainsADay*tablesFilled
	b := bill{
		put: map[string]float64{
			"senders": zips, "ingest": zips * (putZip + tablesAZip), "commit": l.entriesADay * (putEntry + (touched+1)*putEntryTable),
			"merge": merges * putMerge, "maintain": compactions*putCompact + zips*foldZip + l.entriesADay*foldEntry, "sweep": l.entriesADay / entriesIndex * senders,
		},
		get: map[string]float64{
			"ingest": zips * getZip, "commit": zips + l.entriesADay*(getEntry+(touched+1)*getEntryTable), "merge": merges * getMerge,
			"maintain": zips*(tablesAZip*getFile+foldZip) + l.entriesADay*foldEntry, "sweep": senders * daysSwept * getFolder,
		},
		list: map[string]float64{
			"commit": l.entriesADay * 1.5, "sweep": sweepsADay * (1 + senders*listSender + zips*3/1000),
			"sweep of all dates": senders*(2+daysSwept*listFolder) + zips*daysSwept/1000,
		},
		glue: l.entriesADay*(touched+1)*2 + merges*2 + compactions*3,
	}
	for _, m := range []map[string]float64{b.put, b.get, b.list} {
		for role := range m {
			m[role] *= daysAMonth
		}
	}
	b.glue *= daysAMonth
	return b
}

// TestSizing holds the table in infra/sizing.md to the figures above.
func TestSizing(t *testing.T) {
	t.Parallel()
	const file = "../../infra/sizing.md"
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	begin, end := []byte("<!-- reckoned -->\n"), []byte("<!-- end -->\n")
	head, rest, ok := bytes.Cut(text, begin)
	_, tail, ok2 := bytes.Cut(rest, end)
	if !ok || !ok2 {
		t.Fatal("the marks of the table are not there")
	}
	want := bytes.Join([][]byte{head, begin, []byte(sizing()), end, tail}, nil)
	if bytes.Equal(text, want) {
		return
	}
	if !*updateSizing {
		t.Fatalf("the table is out of date: go test -run Sizing ./tests/bench -update\n%s", sizing())
	}
	if err := os.WriteFile(file, want, 0o644); err != nil {
		t.Fatal(err)
	}
}

func sizing() string {
	var b bytes.Buffer
	row := func(name string, of func(l demand, m bill) string) {
		fmt.Fprintf(&b, "| %s |", name)
		for _, l := range demands {
			fmt.Fprintf(&b, " %s |", of(l, l.bill()))
		}
		b.WriteString("\n")
	}
	dollars := func(v float64) string { return fmt.Sprintf("$%.0f", v) }
	millions := func(v float64) string { return fmt.Sprintf("%.1f M", v/1e6) }
	b.WriteString("| times today's load | 1 | 10 | 100 |\n| --- | ---: | ---: | ---: |\n")
	row("zips a day", func(l demand, _ bill) string { return fmt.Sprintf("%.2f M", zipsADay*l.times/1e6) })
	row("records a day", func(l demand, _ bill) string { return fmt.Sprintf("%.0f M", recordsADay*l.times/1e6) })
	row("zips a second at the peak", func(l demand, _ bill) string { return fmt.Sprintf("%.0f", zipsAtPeak*l.times) })
	row("uploads in ingest at once at the peak", func(l demand, _ bill) string { return fmt.Sprintf("%.1f", zipsAtPeak*l.times*busyZip) })
	row("cores that ingest and commit use at the peak", func(l demand, _ bill) string {
		return fmt.Sprintf("%.2f", zipsAtPeak*l.times*(cpuRequests+cpuRecord*recordsADay/zipsADay))
	})
	row("ingest pods of 0.5 CPU, 512 MiB", func(l demand, _ bill) string { return fmt.Sprint(l.ingest) })
	row("commit pod: CPU, MiB", func(l demand, _ bill) string { return fmt.Sprintf("%.1f, %.0f", l.commitCPU, l.commitMemory*1024) })
	row("log entries a day", func(l demand, _ bill) string { return fmt.Sprintf("%.0f k", l.entriesADay/1e3) })
	for _, role := range []string{"senders", "ingest", "commit", "merge", "maintain", "sweep"} {
		row("PUT a month, "+role, func(_ demand, m bill) string { return millions(m.put[role]) })
	}
	for _, role := range []string{"commit", "sweep", "sweep of all dates"} {
		row("LIST a month, "+role, func(_ demand, m bill) string { return millions(m.list[role]) })
	}
	for _, role := range []string{"ingest", "commit", "merge", "maintain", "sweep"} {
		row("GET a month, "+role, func(_ demand, m bill) string { return millions(m.get[role]) })
	}
	row("calls to Glue a month", func(_ demand, m bill) string { return millions(m.glue) })
	row("**PUT and LIST, a month**", func(_ demand, m bill) string { return dollars((sum(m.put) + sum(m.list)) * pricePut) })
	row("**GET, a month**", func(_ demand, m bill) string { return dollars(sum(m.get) * priceGet) })
	row("**Glue, a month**", func(_ demand, m bill) string { return dollars(math.Max(0, m.glue-freeGlue) * priceGlue) })
	row("**pods of ingest and commit, a month**", func(l demand, _ bill) string {
		cpu, memory := 0.5*float64(l.ingest)+l.commitCPU, 0.5*float64(l.ingest)+l.commitMemory
		return dollars((cpu*priceCPUHour + memory*priceGBHour) * 24 * daysAMonth)
	})
	row("**storage: what a month adds to the bill**", func(l demand, _ bill) string {
		return dollars(zipsADay * l.times * daysAMonth * (zipMB + parquetMB) / 1e3 * priceStored)
	})
	row("all requests, of a million zips", func(l demand, m bill) string {
		all := (sum(m.put)+sum(m.list))*pricePut + sum(m.get)*priceGet + math.Max(0, m.glue-freeGlue)*priceGlue
		return dollars(all / (zipsADay * l.times * daysAMonth) * 1e6)
	})
	return b.String()
}

func sum(m map[string]float64) (all float64) {
	for _, v := range m {
		all += v
	}
	return all
}
