package store

import (
	"strings"
	"testing"
	"time"

	"medlake/shared/lake"
)

func TestKeys(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 24, 23, 30, 0, 0, time.FixedZone("", -5*3600))
	for got, want := range map[string]string{
		LandingKey("acme", at, "visits/jan.zip", "x1"): "landing/acme/2026-11-25/visits/jan.zip@x1",
		LoadKey("l1"):                  "loads/l1",
		ArrivalKey("a1"):               "arrivals/a1",
		PendingKey("a1", 0):            "pending/a1.0",
		PendingKey("a1", 12):           "pending/a1.12",
		LogKey(1):                      "log/000000000001",
		WishKey(1, 4, 2):               "folded/000000000001-000000000004.2",
		HintKey():                      "hint",
		AttemptKey("a1", 2):            "attempts/a1/2",
		SchemaKey("lake.visits", 3):    "schemas/lake.visits/000003",
		TablePrefix("lake.visits_log"): "tables/lake/visits_log/",
	} {
		if got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

func TestLandingKeyKeepsTheNameFeedsMatch(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("ä", 150) + ".zip"
	for name, want := range map[string]string{
		"visits/jan.zip":          "acme/visits/jan.zip",
		"jan@home.zip":            "acme/jan@home.zip",
		"a b (1).zip":             "acme/a b (1).zip",
		"/../visits/./x/../y.zip": "acme/visits/x/y.zip",
		`C:\data\y.zip`:           "acme/C:_data_y.zip",
		"50%.zip":                 "acme/50_.zip",
		"x\x00\n\x7f.zip":         "acme/x___.zip",
		"p\xe4.zip":               "acme/p_.zip",
		"":                        "acme/_",
		"../..":                   "acme/_",
		long:                      "acme/" + strings.Repeat("ä", 40) + strings.Repeat("ä", 38) + ".zip",
	} {
		a := lake.Arrival{Key: LandingKey("acme", time.Unix(0, 0), name, "id7")}
		if got := a.Name(); got != want {
			t.Errorf("%q: got %q, want %q", name, got, want)
		}
		if a.Customer() != "acme" || a.Date() != "1970-01-01" || !strings.HasSuffix(a.Key, "@id7") {
			t.Errorf("%q: key %q", name, a.Key)
		}
	}
}

func FuzzLandingKey(f *testing.F) {
	f.Add("visits/jan.zip")
	f.Add("/../x@y")
	f.Fuzz(func(t *testing.T, name string) {
		a := lake.Arrival{Key: LandingKey("acme", time.Unix(0, 0), name, "id7")}
		if a.Customer() != "acme" || a.Date() != "1970-01-01" || !strings.HasPrefix(a.Name(), "acme/") || !strings.HasSuffix(a.Key, "@id7") {
			t.Errorf("%q: key %q", name, a.Key)
		}
		again := lake.Arrival{Key: LandingKey("acme", time.Unix(0, 0), strings.TrimPrefix(a.Name(), "acme/"), "id7")}
		if again.Key != a.Key {
			t.Errorf("%q: key %q, again %q", name, a.Key, again.Key)
		}
	})
}
