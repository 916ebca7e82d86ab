//go:build pr

package sim

// How many worlds are tried in memory and in Iceberg tables.
const (
	memorySeeds = 1200
	realSeeds   = 40
	eraseSeeds  = 100
)
