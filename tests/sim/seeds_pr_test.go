//go:build pr

package sim

// How many worlds are tried: in memory, in Iceberg tables, and with a patient who is erased.
const (
	memorySeeds = 5000
	realSeeds   = 100
	eraseSeeds  = 100
)
