//go:build nightly

package sim

// How many worlds are tried in memory and in Iceberg tables.
const (
	memorySeeds = 50_000
	realSeeds   = 2000
	eraseSeeds  = 2000
)
