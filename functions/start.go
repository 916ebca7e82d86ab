package main

import "runtime/debug"

// startMemory is how many bytes a process may take before garbage is collected at its start.
const startMemory = 256 << 20

// starting puts the garbage collector off until a role has started. A start makes tens of MB of garbage, once: collecting
// that meanwhile takes a fifth of the processor time until ingest has answered its first event, and a tenth of commit's.
func starting() (started func()) {
	percent, limit := debug.SetGCPercent(-1), debug.SetMemoryLimit(-1)
	debug.SetMemoryLimit(min(limit, startMemory))
	return func() {
		debug.SetGCPercent(percent)
		debug.SetMemoryLimit(limit)
	}
}
