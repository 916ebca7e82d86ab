//go:build nightly

package sim

// How many worlds are tried: in memory, in Iceberg tables, and with a patient who is erased.
const (
	memorySeeds = 50_000
	realSeeds   = 2000
	eraseSeeds  = 2000
)
