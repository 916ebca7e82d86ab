package transform

import (
	"math/rand/v2"
	"testing"
	"time"

	"medlake/shared/transform/column"
)

// TestZoneIsTheLibrarys: the kept spans never change what package time says, in any order of times.
func TestZoneIsTheLibrarys(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	for _, name := range []string{"America/New_York", "America/Phoenix", "Europe/Berlin", "Asia/Kolkata", "Pacific/Apia", "Pacific/Kwajalein", "Australia/Lord_Howe", "UTC"} {
		l, err := time.LoadLocation(name)
		if err != nil {
			t.Fatal(err)
		}
		z := &zone{location: l}
		base := int64(0)
		for i := range 20_000 {
			if i%50 == 0 { // runs of times near each other
				base = r.Int64N(130*366*column.MicrosPerDay) - 70*366*column.MicrosPerDay
			}
			wall := base + r.Int64N(60*column.MicrosPerDay)
			w := time.UnixMicro(wall).UTC()
			want := time.Date(w.Year(), w.Month(), w.Day(), w.Hour(), w.Minute(), w.Second(), w.Nanosecond(), l).UnixMicro()
			if got := z.utc(wall); got != want {
				t.Fatalf("%s: wall clock %s: got %d, want %d", name, w, got, want)
			}
		}
	}
}
