// Package garbage keeps the garbage collector of a process that imports it off until the process has taken 64 MB. A start
// makes tens of MB, once, and little of it is garbage: a collection costs more than it frees. It does not tune what comes
// after: the collector then works as GOGC and GOMEMLIMIT say.
package garbage

import (
	"runtime"
	"runtime/debug"
)

// young is how many bytes a process takes before it collects garbage.
const young = 64 << 20

// Set before main because packages that this program links make a third of its start's memory before that, and the first
// collections come then. Packages start in the order of what they import and of their names, so most of those come later.
var _ = later()

// later puts the collector off until its first run, which the size of the process alone brings about.
func later() (percent int) {
	percent, limit := debug.SetGCPercent(-1), debug.SetMemoryLimit(-1)
	debug.SetMemoryLimit(min(limit, young))
	runtime.AddCleanup(&first{}, func(limit int64) {
		debug.SetGCPercent(percent)
		debug.SetMemoryLimit(limit)
	}, limit)
	return percent
}

// first is lost to the first collection. It holds a pointer so that it shares its memory with no other object.
type first struct{ _ *first }
