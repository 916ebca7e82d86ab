//go:build !nightly && !pr

package sim

// How many worlds are tried in memory and in Iceberg tables.
const (
	memorySeeds = 500
	realSeeds   = 10
	eraseSeeds  = 10
)
