package garbage

import (
	"math"
	"runtime"
	"runtime/metrics"
	"testing"
)

// TestCollectsOnceGrown: the collector is off until the process has grown, and then works as it was configured.
func TestCollectsOnceGrown(t *testing.T) {
	for now := setting(); now.percent == math.MaxUint64 || now.limit == young; now = setting() { // the process is young itself
		runtime.GC()
	}
	before := setting()
	later()
	if now := setting(); now != (settings{math.MaxUint64, young}) {
		t.Fatalf("at the start: %+v", now)
	}
	var kept [][]byte
	for setting() != before {
		if kept = append(kept, make([]byte, 1<<20)); len(kept) > 1024 {
			t.Fatalf("after 1 GB: %+v, not %+v", setting(), before)
		}
		runtime.Gosched()
	}
	if len(kept) < 16 {
		t.Errorf("after %d MB: %+v", len(kept), before)
	}
}

// settings are those of the collector. A percentage of MaxUint64 is off.
type settings struct{ percent, limit uint64 }

func setting() settings {
	s := []metrics.Sample{{Name: "/gc/gogc:percent"}, {Name: "/gc/gomemlimit:bytes"}}
	metrics.Read(s)
	return settings{s[0].Value.Uint64(), s[1].Value.Uint64()}
}
