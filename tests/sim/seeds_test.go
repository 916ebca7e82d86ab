//go:build !nightly && !pr

package sim

// How many worlds are tried: in memory, in Iceberg tables, and with a patient who is erased.
const (
	memorySeeds = 500
	realSeeds   = 10
	eraseSeeds  = 10
)
