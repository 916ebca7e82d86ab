//go:build pr

package sim

// How many worlds are tried in memory and in Iceberg tables.
const (
	memorySeeds = 5000
	realSeeds   = 100
)
