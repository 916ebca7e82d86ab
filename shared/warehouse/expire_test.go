package warehouse

import (
	"testing"
	"time"
)

func TestThinKeepsHoursAndDays(t *testing.T) {
	t.Parallel()
	end := time.Date(2026, 11, 24, 12, 30, 0, 0, time.UTC)
	var all []snapshot
	for at := end.Add(-60 * 24 * time.Hour); !at.After(end); at = at.Add(10 * time.Minute) {
		all = append(all, snapshot{id: int64(len(all)), at: at})
	}
	tagged := all[3].id
	gone := map[int64]bool{}
	for _, id := range thin(all, map[int64]bool{tagged: true}) {
		gone[id] = true
	}
	hours, days := map[time.Time]int{}, map[time.Time]int{}
	for i, s := range all {
		kept := !gone[s.id]
		switch age := end.Sub(s.at); {
		case s.id == tagged || len(all)-i <= keepSnapshots:
			if !kept {
				t.Errorf("snapshot %d, one of the newest or tagged, is dropped", i)
			}
		case age > 35*24*time.Hour && kept:
			t.Errorf("a snapshot of %v is kept", s.at)
		case kept && age <= 48*time.Hour:
			hours[s.at.Truncate(time.Hour)]++
		case kept:
			days[s.at.Truncate(24*time.Hour)]++
		}
	}
	for hour, n := range hours {
		if n != 1 {
			t.Errorf("hour %v has %d snapshots", hour, n)
		}
	}
	for day, n := range days {
		if n != 1 {
			t.Errorf("day %v has %d snapshots", day, n)
		}
	}
	if len(hours) < 38 || len(days) < 32 {
		t.Errorf("%d hours and %d days are kept", len(hours), len(days))
	}
	if kept := len(all) - len(gone); kept > keepSnapshots+48+36+1 {
		t.Errorf("%d snapshots are kept", kept)
	}
	var left []snapshot
	for _, s := range all {
		if !gone[s.id] {
			left = append(left, s)
		}
	}
	if again := thin(left, map[int64]bool{tagged: true}); len(again) > 0 {
		t.Errorf("thinned twice, %d more are dropped", len(again))
	}
	if thin(nil, nil) != nil || len(thin(all[:keepSnapshots], nil)) > 0 {
		t.Error("few snapshots are not few enough")
	}
}
