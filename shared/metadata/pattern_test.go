package metadata

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestPatternMatches(t *testing.T) {
	t.Parallel()
	type captures = map[string]string
	for _, c := range []struct {
		pattern, name string
		want          captures
		ok            bool
	}{
		{"{customer}/visits/*.zip", "acme/visits/a.zip", captures{"customer": "acme"}, true},
		{"{customer}/visits/*.zip", "acme/Visits/A.ZIP", captures{"customer": "acme"}, true},
		{"{customer}/visits/*.zip", "acme/visits/b/a.zip", nil, false},
		{"{customer}/visits/*.zip", "/visits/a.zip", nil, false},
		{"{customer}/visits/*.zip", "acme/visits/a.zip.tmp", nil, false},
		{"{customer}/visits/{site}-*.zip", "acme/visits/n1-0305-2.zip", captures{"customer": "acme", "site": "n1-0305"}, true},
		{"{customer}/visits/{site}-*.zip", "acme/visits/-0305.zip", nil, false},
		{"{customer}/**/x.zip", "acme/x.zip", captures{"customer": "acme"}, true},
		{"{customer}/**/x.zip", "acme/a/b/x.zip", captures{"customer": "acme"}, true},
		{"{customer}/**/x.zip", "acme/ax.zip", nil, false},
		{"{customer}/a**", "acme/a/b/c", captures{"customer": "acme"}, true},
		{"{customer}/a.b/{x}|{customer}/c/{x}", "acme/c/9", captures{"customer": "acme", "x": "9"}, true},
		{"{customer}/a.b/*", "acme/aXb/9", nil, false},
		{"acme/x/*", "acme/x/\n", nil, true},
		{"a*b*c", "aXbYbZc", nil, true},
		{"a*b*c", "aXbYbZ", nil, false},
		{"É*", "éa", nil, true},
	} {
		p, err := ParsePattern(c.pattern)
		if err != nil {
			t.Fatalf("%s: %v", c.pattern, err)
		}
		got, ok := p.Match(c.name)
		if d := cmp.Diff(c.want, got); ok != c.ok || d != "" {
			t.Errorf("%s on %q: got %v, captures (-want +got): %s", c.pattern, c.name, ok, d)
		}
	}
}

func TestEntryPatternWithoutFolderMatchesInEveryFolder(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		pattern, name string
		want          bool
	}{
		{"*visit*.csv", "Visits_0305.CSV", true},
		{"*visit*.csv", "out/2026/visits.csv", true},
		{"*visit*.csv", `out\visits.csv`, true},
		{"*visit*.csv", "visits/x.csv", false},
		{"out/*.csv", "out/x.csv", true},
		{"out/*.csv", "x.csv", false},
		{"a.csv | b.csv", "b.csv", true},
	} {
		p, err := ParseEntry(c.pattern)
		if err != nil {
			t.Fatalf("%s: %v", c.pattern, err)
		}
		if _, got := p.Match(c.name); got != c.want {
			t.Errorf("%s on %q: got %v", c.pattern, c.name, got)
		}
	}
	var all *Pattern
	if _, ok := all.Match("x"); !ok || all.String() != "" {
		t.Error("no pattern must match every name")
	}
}

func TestExpandReplacesCaptures(t *testing.T) {
	t.Parallel()
	got := Expand("zip/{customer}/{site}", map[string]string{"customer": "acme", "site": "{customer}"})
	if want := "zip/acme/{customer}"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// TestOverlapsAgreesWithNames tries all short names over a small alphabet on random pairs of patterns.
func TestOverlapsAgreesWithNames(t *testing.T) {
	t.Parallel()
	const alphabet = "ab/"
	names := []string{""}
	for n, last := 0, []string{""}; n < 6; n++ {
		var next []string
		for _, l := range last {
			for _, c := range alphabet {
				next = append(next, l+string(c))
			}
		}
		names, last = append(names, next...), next
	}
	rnd := rand.New(rand.NewPCG(1, 2))
	random := func() *Pattern {
		for {
			var b strings.Builder
			for i := range 1 + rnd.IntN(4) {
				b.WriteString([]string{"a", "b", "/", "*", "**", fmt.Sprintf("{c%d}", i), "/**/"}[rnd.IntN(7)])
			}
			if p, err := ParsePattern(b.String()); err == nil {
				return p
			}
		}
	}
	overlaps := 0
	for range 400 {
		p, q := random(), random()
		want := false
		for _, n := range names {
			_, a := p.Match(n)
			_, b := q.Match(n)
			if want = a && b; want {
				break
			}
		}
		if got := p.Overlaps(q); got != want {
			t.Errorf("%s and %s: got %v, want %v", p, q, got, want)
		}
		if want {
			overlaps++
		}
	}
	if overlaps < 40 || overlaps > 360 {
		t.Errorf("%d of 400 pairs overlap: the test has lost its point", overlaps)
	}
}

func FuzzPattern(f *testing.F) {
	f.Add("{customer}/visits/*.zip", "acme/visits/a.zip", "**/x|y")
	f.Add("a*b*", "axb", "*")
	f.Fuzz(func(t *testing.T, pattern, name, other string) {
		p, err := ParsePattern(pattern)
		if err != nil {
			return
		}
		_, matches := p.Match(name)
		q, err := ParseEntry(other)
		if err != nil {
			return
		}
		if _, both := q.Match(name); matches && both && !strings.Contains(name, "\\") && !strings.Contains(name, "/") && !p.Overlaps(q) {
			t.Errorf("%q and %q match %q but do not overlap", pattern, other, name)
		}
	})
}
