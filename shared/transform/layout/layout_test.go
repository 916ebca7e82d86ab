package layout_test

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"medlake/shared/transform/column"
	"medlake/shared/transform/layout"
)

var layouts = []string{
	"2006-01-02", "01/02/2006", "1/2/2006", "02-Jan-2006", "2-Jan-06", "January 2, 2006", "20060102", "200601021504",
	"01/02/2006 15:04", "1/2/2006 3:04:05 PM", "01/02/2006 03:04pm", "2006-01-02T15:04:05Z", "2006-01-02T15:04:05Z07:00",
	"2006-01-02 15:04:05.000", "2006-01-02 15:04:05.999999 -0700", "2006-01-02T15:04:05-07", "2006-01-02T15:04Z0700",
	"Mon, 02 Jan 2006 15:04:05 -0700", "Monday _2 January 2006", "02.01.2006", "2006", "Jan 2006", "_2 Jan 2006 15:04:05,000",
	"2006-002", "2006-01-02 15:04:05 -07:00:00", "Janet 2006 _2006",
}

var values = []string{
	"2026-03-05", "2026-02-30", "2024-02-29", "03/05/2026", "3/5/2026", "13/05/2026", "05-MAR-2026", "5-mar-26", "5-Mar-70",
	"March 5, 2026", "20260305", "202603050830", "03/05/2026 08:30", "03/05/2026  8:30", "3/5/2026 8:30:00 PM",
	"03/05/2026 12:30am", "2026-03-05T08:30:00Z", "2026-03-05T08:30:00.123456789Z", "2026-03-05T08:30:00-05:00",
	"2026-03-05 08:30:00.123", "2026-03-05 08:30:00 +0130", "2026-03-05T08:30:00+05", "2026-03-05T08:30-0500",
	"Thu, 05 Mar 2026 08:30:00 -0500", "Thursday  5 March 2026", "05.03.2026", "2026", "Mar 2026", " 5 Mar 2026 08:30:00,123",
	"2026-064", "2026-03-05 08:30:00 -05:00:00", "Janet 2026 _2026", "", "x", "2026-03-05 24:00:00.000", "2026-03-05T08:60Z",
	"2026-03-05T08:30+0060", "2026-03-05T08:30:00+24:00", "2026-03-05T08:30:00-24",
}

// TestSameAsTime: what package time reads, we read the same way, and nothing else but AM and PM in any letter case.
func TestSameAsTime(t *testing.T) {
	t.Parallel()
	read := 0
	for _, l := range layouts {
		for _, v := range values {
			if sameAsTime(t, l, v) {
				read++
			}
		}
	}
	if read < len(layouts) {
		t.Errorf("only %d values were read", read)
	}
}

var halves = strings.NewReplacer("am", "AM", "aM", "AM", "Am", "AM", "pm", "PM", "pM", "PM", "Pm", "PM")

var (
	signedFraction = regexp.MustCompile(`[.,][+-]`)
	wideOffset     = regexp.MustCompile(`[+-](24(:?\d\d)?|\d\d:?60)$`)
)

func sameAsTime(t *testing.T, text, v string) bool {
	t.Helper()
	l, err := layout.Compile(text)
	if err != nil {
		t.Fatalf("layout %q: %v", text, err)
	}
	got, ok := l.Parse([]byte(v))
	want, err := time.Parse(text, v)
	if err != nil {
		want, err = time.Parse(strings.ReplaceAll(text, "pm", "PM"), halves.Replace(v))
	}
	if signed := v[max(0, len(v)-2):]; text == "2-Jan-06" && strings.ContainsAny(signed, "+-") {
		return ok // package time takes -2 for a year of two digits
	}
	if signedFraction.MatchString(v) {
		return ok // package time takes .+00 for a fraction
	}
	if strings.HasSuffix(text, "07") || strings.HasSuffix(text, "00") {
		if !ok && err == nil && wideOffset.MatchString(v) {
			return ok // package time takes offsets of 24 hours and of 60 minutes
		}
	}
	if ok != (err == nil) {
		t.Fatalf("layout %q, value %q: ok %v, package time says %v", text, v, ok, err)
	}
	if ok && got.UTC() != want.UnixMicro() {
		t.Fatalf("layout %q, value %q: got %d, want %d", text, v, got.UTC(), want.UnixMicro())
	}
	return ok
}

func FuzzParse(f *testing.F) {
	for i, v := range values {
		f.Add(uint8(i), v)
	}
	f.Fuzz(func(t *testing.T, i uint8, v string) {
		sameAsTime(t, layouts[int(i)%len(layouts)], v)
	})
}

func TestHL7(t *testing.T) {
	t.Parallel()
	l, err := layout.Compile("hl7")
	if err != nil {
		t.Fatal(err)
	}
	for v, want := range map[string]string{
		"2026": "2026-01-01T00:00:00Z", "202603": "2026-03-01T00:00:00Z", "20260305": "2026-03-05T00:00:00Z",
		"2026030508": "2026-03-05T08:00:00Z", "202603050830": "2026-03-05T08:30:00Z", "20260305083015": "2026-03-05T08:30:15Z",
		"20260305083015.1234": "2026-03-05T08:30:15.1234Z", "20260305083015.1234-0500": "2026-03-05T13:30:15.1234Z",
		"202603050830+0100": "2026-03-05T07:30:00Z", "20260305083": "", "20261305": "", "20260305083060": "", "": "", "2026-03-05": "",
		"20260305083015.": "", "202603050830.5": "", "99990230": "",
	} {
		got := ""
		if m, ok := l.Parse([]byte(v)); ok {
			got = string(column.AppendTimestamp(nil, m.UTC()))
		}
		if got != want {
			t.Errorf("%q: got %q, want %q", v, got, want)
		}
	}
}

func TestFaults(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"15:04": "has no year", "2006-01-02 15:04 MST": "ambiguous", "YYYY-MM-DD": "has no year",
	} {
		if _, err := layout.Compile(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("layout %q: got %v, want a fault that says %q", text, err, want)
		}
	}
}

func BenchmarkParse(b *testing.B) {
	l, err := layout.Compile("01/02/2006 15:04")
	if err != nil {
		b.Fatal(err)
	}
	v := []byte("03/05/2026 08:30")
	b.ReportAllocs()
	for b.Loop() {
		if _, ok := l.Parse(v); !ok {
			b.Fatal("not read")
		}
	}
}
