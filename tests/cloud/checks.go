package main

import "slices"

// checks are all there are, in the order in which they run as far as they can: first those that need little to be built.
// Each part keeps its own in a file of its own.
var checks = slices.Concat(
	terraformChecks,
	storeChecks,
	rightsChecks,
	manyChecks,
	trinoChecks,
	monitoringChecks,
)
